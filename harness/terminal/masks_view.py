"""`harness masks` as people read it: each image with its objects in both runs. To stdout."""

from collections.abc import Iterator, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from harness.evaluation.changes import Found, ImageChange, ObjectChange, most_changed, signed
from harness.terminal.words import table, title

UNCUT = 10_000  # columns, where no terminal folds lines
MISSED = "missed"


def show_changes(
    names: tuple[str, str],
    images: Sequence[ImageChange],
    most: int,
    selection: str,
    console: Console | None = None,
) -> None:
    """Print the images with the largest changes, each with a line for each of its objects.

    Args:
        names: of the runs.
        images: all that have objects.
        most: how many are shown.
        selection: how they were selected, as sentences.
        console: where to; stdout by default, in which lines are folded only in a terminal.
    """
    console = console or _stdout()
    console.print(title(f"A: {names[0]}   B: {names[1]}"))
    console.print(Text(selection))
    for change in most_changed(images, most):
        console.print()
        console.print(title(_heading(change)))
        console.print(_objects(change), markup=False, highlight=False)
    console.print()


def _stdout() -> Console:
    console = Console()
    return console if console.is_terminal else Console(width=UNCUT)


def _heading(change: ImageChange) -> str:
    count = len(change.objects)
    return (
        f"{change.title}: {count} object{'' if count == 1 else 's'}; change in Boundary IoU: size "
        f"{change.size:.1f}, mean {signed(change.change)}"
    )


def _objects(change: ImageChange) -> Table:
    view = table()
    view.add_column("\n#", justify="right")
    view.add_column("\nobject", overflow="fold")
    for heading in (
        *("mask\nIoU A", "\nB", "\nB − A"),
        *("Boundary\nIoU A", "\nB", "\nB − A"),
        *("score\nA", "\nB"),
    ):
        view.add_column(heading, justify="right", no_wrap=True)
    for number, one in enumerate(change.objects, start=1):
        view.add_row(str(number), Text(one.category), *_numbers(one))
    return view


def _numbers(one: ObjectChange) -> Iterator[str]:
    for a, b in (one.mask_iou, one.boundary_iou):
        yield from (f"{a:.1f}", f"{b:.1f}", signed(b - a))
    yield from map(_score, (one.a, one.b))


def _score(found: Found | None) -> str:
    return MISSED if found is None else f"{found.score:.2f}"
