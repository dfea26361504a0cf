"""The doctor's look at COCO: whether it is where a run on this host would look for it."""

from collections.abc import Iterable

from harness.data.splits import coco_folder, not_here
from harness.grid.missing import PREPARE_DATA
from harness.slurm.check import Check


def coco_here(splits: Iterable[str]) -> list[Check]:
    """Whether files and folders of the splits are there; what is in them is for `harness prepare`.

    Args:
        splits: of COCO, that runs of the plan need; no check is made where there are none.
    """
    names = sorted(splits)
    if not names:
        return []
    wrong = "; ".join(f"{split}: {lacking}" for split in names if (lacking := not_here(split)))
    advice = (
        f"`{PREPARE_DATA}` tells how to fetch it. If COCO lies elsewhere, name the folder above "
        "its coco/ in DETECTRON2_DATASETS, on a file system that the nodes share."
    )
    there = f"{', '.join(names)} in {coco_folder()}"
    return [Check("COCO", not wrong, wrong or there, advice if wrong else "")]
