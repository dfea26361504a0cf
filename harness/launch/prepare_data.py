"""The data that runs need, found, checked or drawn before any of them starts."""

from collections.abc import Iterable
from pathlib import Path

from harness.grid.annotations import check_annotations
from harness.grid.spec import RunSpec
from harness.grid.splits import locate


def prepare_data(specs: Iterable[RunSpec]) -> None:
    """Draw the shapes where they are asked for, find every split, check a user's own annotations.

    Raises:
        DataError: data is missing or damaged; says where and what to do.
    """
    asked = {(split, spec.data_dir) for spec in specs for split in _splits(spec)}
    # Sorted, so that of several mistakes always the same one is told.
    for split, data_dir in sorted(asked, key=str):
        if split.startswith("shapes_") and data_dir is not None:
            from harness.shapes import write_shapes

            write_shapes(Path(data_dir))
        found = locate(split, data_dir)
        if split.startswith("own_"):
            check_annotations(found)


def _splits(spec: RunSpec) -> list[str]:
    return [spec.train_split] if spec.test_split is None else [spec.train_split, spec.test_split]
