"""`harness report`: one HTML file that tells all of a grid."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.messages import tell
from harness.errors import HarnessError
from harness.files import write_text
from harness.grid.state import State
from harness.workplace import Workplace

if TYPE_CHECKING:
    from harness.report.page import Page

REFRESH_S = 30
QUIET_LOOKS = 2


def write_report(place: Workplace) -> Path:
    """Collect what has finished, then write report.html: its path.

    Args:
        place: where runs and results are.
    """
    from harness.reporting.content import gather

    return _write(place, gather(place, _collect(place)))


def watch_report(place: Workplace, wait: Callable[[float], None] = time.sleep) -> Path:
    """Write the report again and again while runs go on, or until Ctrl-C; its path.

    The last page does not renew itself.

    Args:
        place: where runs and results are.
        wait: called with the seconds between two of them.
    """
    from harness.reporting.content import gather

    # Between two runs of a launch there are seconds in which none runs.
    quiet, finished = QUIET_LOOKS - 1, None
    problems: Sequence[str] = ()
    page = None
    with suppress(KeyboardInterrupt):
        while quiet < QUIET_LOOKS:
            now = tuple(_finished(place))
            if now != finished:
                finished, problems = now, _collect(place)
            page = gather(place, problems)
            goes_on = page.runs["state"].isin([State.RUNNING.value, State.QUEUED.value]).any()
            quiet = 0 if goes_on else quiet + 1
            if quiet < QUIET_LOOKS:
                path = _write(place, replace(page, refresh_s=REFRESH_S))
                tell(
                    f"{path} is written. Again in {REFRESH_S} s, while runs go on; Ctrl-C ends it."
                )
                wait(REFRESH_S)
    return _write(place, page or gather(place, problems))


def _write(place: Workplace, page: "Page") -> Path:
    from harness.report.page import render_page
    from harness.reporting.places import without_places

    write_text(place.results.report, without_places(render_page(page), place), shared=True)
    return place.results.report


def _collect(place: Workplace) -> tuple[str, ...]:
    """Collect what is whole; what is wrong with the rest, which the page is to tell."""
    from harness.collect import collect

    try:
        collect(place.known_grid(), place.runs, place.results, tell=tell)
    except HarnessError as error:
        return (str(error),)
    return ()


def _finished(place: Workplace) -> Iterator[tuple[str, int]]:
    """The runs that have ended well, and when: where this changes there is something to collect."""
    for run_id in sorted(place.runs.run_ids()):
        with suppress(OSError):
            yield run_id, place.runs.run(run_id).metrics.stat().st_mtime_ns
