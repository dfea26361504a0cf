"""How far a download is, as people see it: on stderr, gone when it is done."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)


@contextmanager
def download_view(
    name: str, console: Console | None = None
) -> Iterator[Callable[[int, int | None], None]]:
    """What hears how many bytes are there, and how many it will be where that is known.

    Nothing is drawn where nobody watches.

    Args:
        name: of the file.
        console: where to; stderr by default.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    console = console or Console(stderr=True)
    away = not console.is_terminal
    with Progress(*columns, console=console, transient=True, disable=away) as view:
        task = view.add_task(name, total=None, start=False)

        def show(done: int, total: int | None) -> None:
            view.start_task(task)
            view.update(task, completed=done, total=total)

        yield show
