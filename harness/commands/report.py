"""`harness report`: one HTML file that tells all of a grid."""

import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from harness.commands.messages import tell
from harness.grid.state import State
from harness.workplace import Workplace

REFRESH_S = 30
QUIET_LOOKS = 2


def write_report(place: Workplace, refresh_s: int | None = None) -> tuple[Path, bool]:
    """Collect what has finished, then write report.html: its path, and whether runs go on.

    Args:
        place: where runs and results are.
        refresh_s: after how many seconds a browser is to load the file again; None for never.
    """
    from harness.files import write_text
    from harness.report.page import render_page
    from harness.reporting.content import gather

    page = gather(place, refresh_s, tell)
    write_text(place.results.report, render_page(page), shared=True)
    goes_on = page.runs["state"].isin([State.RUNNING.value, State.QUEUED.value]).any()
    return place.results.report, bool(goes_on)


def watch_report(place: Workplace, wait: Callable[[float], None] = time.sleep) -> Path:
    """Write the report again and again while runs go on, or until Ctrl-C; then once more.

    Args:
        place: where runs and results are.
        wait: called with the seconds between two of them.
    """
    # Between two runs of a launch there are seconds in which none runs.
    quiet = QUIET_LOOKS - 1
    with suppress(KeyboardInterrupt):
        while quiet < QUIET_LOOKS:
            path, goes_on = write_report(place, REFRESH_S)
            quiet = 0 if goes_on else quiet + 1
            if quiet < QUIET_LOOKS:
                tell(
                    f"{path} is written. Again in {REFRESH_S} s, while runs go on; Ctrl-C ends it."
                )
                wait(REFRESH_S)
    return write_report(place)[0]
