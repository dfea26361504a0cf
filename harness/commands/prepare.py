"""`harness prepare`: is the data there that a grid needs, whole, and what would fetch the rest."""

from collections.abc import Iterable

from harness.data.archives import PUBLISHED, Source
from harness.data.coco import COCO, Layouts
from harness.data.findings import Finding
from harness.data.splits import coco_folder
from harness.grid import Grid
from harness.launch.prepare_data import examine_data
from harness.terminal.prepare_view import show_findings, show_to_fetch
from harness.terminal.progress_view import look_view
from harness.workplace import Workplace


def prepare(grid: Grid, place: Workplace, coco: Layouts = COCO, source: Source = PUBLISHED) -> bool:
    """Whether nothing is wrong with the data of `grid`; prints what was found and what to do.

    The same checks are made before runs are started; what passes here is not read again then.

    Args:
        grid: the runs.
        place: where they are written, and what passes is remembered.
        coco: the layouts of COCO's splits.
        source: where COCO is fetched from.
    """
    specs = list(grid.runs.values())
    return report(examine_data(specs, place.runs.checked, coco, look_view), source)


def report(findings: Iterable[Finding], source: Source) -> bool:
    """Whether nothing is wrong; prints what was found, as it comes, and what to do.

    Args:
        findings: of the data.
        source: where COCO is fetched from.
    """
    shown = show_findings(findings)
    if lacks := lacking(shown):
        show_to_fetch(lacks, coco_folder(), source=source)
    return not any(finding.faults for finding in shown)


def lacking(findings: Iterable[Finding]) -> set[str]:
    """What of COCO is to be fetched, as paths below coco/."""
    return {path for finding in findings for path in finding.lacks}
