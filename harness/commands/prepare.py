"""`harness prepare`: is the data there that a grid needs, whole, and what would fetch the rest."""

from harness.data.splits import coco_folder
from harness.grid import Grid
from harness.launch.prepare_data import examine_data
from harness.terminal.prepare_view import show_findings, show_to_fetch
from harness.workplace import Workplace


def prepare(grid: Grid, place: Workplace) -> bool:
    """Whether nothing is wrong with the data of `grid`; prints what was found and what to do.

    The same checks are made before runs are started; what passes here is not read again then.
    """
    findings = show_findings(examine_data(list(grid.runs.values()), place.runs.checked))
    lacks = {path for finding in findings for path in finding.lacks}
    if lacks:
        show_to_fetch(lacks, coco_folder())
    return not any(finding.faults for finding in findings)
