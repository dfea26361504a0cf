"""The data that runs need, found, checked or drawn before any of them starts."""

import errno
from collections.abc import Iterable
from pathlib import Path

from harness.data.annotations import Categories, check_annotations, check_same_categories
from harness.data.splits import locate
from harness.files import disk_full, private_folder
from harness.grid.spec import RunSpec


def prepare_data(specs: Iterable[RunSpec]) -> None:
    """Draw the shapes where they are asked for; find and check every other split.

    Raises:
        DataError: data is missing or damaged, or a run's two splits do not fit each other; says
            where and what to do.
    """
    specs = list(specs)
    trained_on = {(spec.train_split, spec.data_dir) for spec in specs}
    tested_on = {(spec.test_split, spec.data_dir) for spec in specs if spec.test_split is not None}
    categories: dict[tuple[str, str | None], Categories] = {}
    # Sorted, so that of several mistakes always the same one is told.
    for split, data_dir in sorted(trained_on | tested_on, key=str):
        if split.startswith("shapes_") and data_dir is not None:
            _draw(Path(data_dir))
        parts = locate(split, data_dir).parts
        if not split.startswith("shapes_"):
            for_training = (split, data_dir) in trained_on
            first, *others = [check_annotations(part, for_training=for_training) for part in parts]
            categories[split, data_dir] = first
            for part, theirs in zip(parts[1:], others, strict=True):
                check_same_categories(parts[0].annotations, first, part.annotations, theirs)
    for spec in specs:
        train, test = (spec.train_split, spec.data_dir), (str(spec.test_split), spec.data_dir)
        if train in categories and test in categories:
            check_same_categories(
                locate(*train).parts[0].annotations,
                categories[train],
                locate(*test).parts[0].annotations,
                categories[test],
            )


def _draw(folder: Path) -> None:
    from harness.shapes import write_shapes

    try:
        private_folder(folder.parent)
        write_shapes(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from error
        raise
