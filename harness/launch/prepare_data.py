"""The data that runs need, found, checked or drawn before any of them starts."""

import errno
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path

from harness.data.coco import COCO, Layouts
from harness.data.examine import Need, examine
from harness.data.findings import Finding
from harness.data.progress import Watch, unwatched
from harness.errors import DataError
from harness.files import disk_full, private_folder
from harness.grid.spec import RunSpec
from harness.paths import CheckedData

DRAWN = "shapes_"  # splits that are made here, right by construction


def prepare_data(specs: Iterable[RunSpec], checked: CheckedData, coco: Layouts = COCO) -> None:
    """Draw the shapes where they are asked for; find and check every other split.

    Args:
        specs: the runs.
        checked: where it is remembered of data that has passed.
        coco: the layouts of COCO's splits.

    Raises:
        DataError: data is missing or damaged, or a run's two splits do not fit each other; says
            in a line for each fault where and what to do.
    """
    specs = list(specs)
    for folder in sorted({spec.data_dir for spec in specs if is_drawn(spec) and spec.data_dir}):
        _draw(Path(folder))
    faults = [line for finding in examine_data(specs, checked, coco) for line in finding.faults]
    if len(faults) == 1:
        raise DataError(faults[0])
    if faults:
        raise DataError("\n- ".join([f"{len(faults)} things are wrong with the data:", *faults]))


def examine_data(
    specs: Collection[RunSpec],
    checked: CheckedData,
    coco: Layouts = COCO,
    watch: Watch = unwatched,
) -> Iterator[Finding]:
    """What is found of the data that runs need, but for drawn shapes; draws and starts nothing.

    Args:
        specs: the runs.
        checked: as for `prepare_data`.
        coco: as for `prepare_data`.
        watch: around each look, in files.
    """
    specs = [spec for spec in specs if not is_drawn(spec)]
    trained_on = {(spec.train_split, spec.data_dir) for spec in specs}
    tested_on = {(spec.test_split, spec.data_dir) for spec in specs if spec.test_split is not None}
    with_maps = {(spec.train_split, spec.data_dir) for spec in specs if spec.semantic_branch}
    # Sorted, so that findings always come in the same order.
    needs = [
        Need(*key, for_training=key in trained_on, stuff_maps=key in with_maps)
        for key in sorted(trained_on | tested_on, key=str)
    ]
    pairs = {
        (spec.train_split, spec.test_split, spec.data_dir)
        for spec in specs
        if spec.test_split is not None
    }
    return examine(needs, sorted(pairs, key=str), checked, coco, watch)


def is_drawn(spec: RunSpec) -> bool:
    """Whether a run is on the drawn shapes, which are made here."""
    return spec.train_split.startswith(DRAWN)


def _draw(folder: Path) -> None:
    from harness.shapes import write_shapes

    try:
        private_folder(folder.parent)
        write_shapes(folder)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from error
        raise
