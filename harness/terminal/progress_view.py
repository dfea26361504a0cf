"""How far something is, as people see it: on stderr, gone when it is done.

Nothing is drawn where nobody watches, as in a pipe.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    ProgressColumn,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.progress import Progress as Bars

from harness.data.progress import Progress


@contextmanager
def download_view(name: str, console: Console | None = None) -> Iterator[Progress]:
    """What hears how many bytes are there, and how many it will be where that is known.

    Args:
        name: of the file.
        console: where to; stderr by default.
    """
    with _bar(name, (DownloadColumn(), TransferSpeedColumn()), console) as progress:
        yield progress


@contextmanager
def look_view(name: str, console: Console | None = None) -> Iterator[Progress]:
    """What hears how many files were looked at, of how many.

    Args:
        name: of what is looked at.
        console: where to; stderr by default.
    """
    with _bar(name, (MofNCompleteColumn(),), console) as progress:
        yield progress


@contextmanager
def _bar(
    name: str, counts: tuple[ProgressColumn, ...], console: Console | None
) -> Iterator[Progress]:
    console = console or Console(stderr=True)
    columns = (TextColumn("{task.description}", markup=False), BarColumn(), *counts)
    with Bars(
        *columns,
        TimeRemainingColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    ) as bars:
        task = bars.add_task(name, total=None, start=False)

        def show(done: int, total: int | None) -> None:
            bars.start_task(task)
            bars.update(task, completed=done, total=total)

        yield show
