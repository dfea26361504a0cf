"""The images in which two runs differ most, one after another: for notebooks/03_masks."""

import base64
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from html import escape

import pandas as pd

from harness.errors import ResultsError, SpecError, unknown
from harness.evaluation.changes import Found, ImageChange, ObjectChange, most_changed, signed
from harness.grid import Grid
from harness.illustrate.explore import explore
from harness.illustrate.pair import RunPair, read_pair
from harness.illustrate.worst import page_picture, selection
from harness.paths import RunsFolder
from harness.report.scale import scale_note

MOST = 20  # images to choose from: the largest changes
COLUMNS = pd.MultiIndex.from_tuples(
    [
        *((name, of) for name in ("mask IoU", "Boundary IoU") for of in ("A", "B", "B − A")),
        *(("score", of) for of in ("A", "B")),
    ]
)
MISSED = "missed"

Compared = tuple[RunPair, str]  # and what is to be known of the runs' scale


def browse(grid: Grid, runs: RunsFolder, a: str, b: str) -> None:
    """Show the image in which two runs differ most, with its objects, and menus for others.

    There is a menu of rows for each run, and a slider for the rank of the image by the size of its
    change. Where runs, predictions or images are missing or damaged, words tell so instead.

    Args:
        grid: whose rows there are to choose from.
        runs: their folders.
        a: a row by its name, "table1/baseline": of the lowest seed where no seed is named.
        b: the row that is compared with it.

    Raises:
        SpecError: the grid has no such row.
    """
    specs = {grid.cell_name(cell): cell.spec for cell in grid.cells}

    @lru_cache(maxsize=1)  # of COCO a pair takes long to read, and each image asks for it
    def compared(a: str, b: str) -> Compared:
        names = (f"{a} · {specs[a].run_id}", f"{b} · {specs[b].run_id}")
        pair = read_pair(specs[a], specs[b], names, runs)
        return pair, scale_note([specs[a], specs[b]])

    draw = partial(_changed_image, compared, a=_row(grid, a), b=_row(grid, b))
    explore(draw, a=tuple(specs), b=tuple(specs), rank=range(1, MOST + 1))


def objects_frame(change: ImageChange) -> pd.DataFrame:
    """What became of each object of an image, as printed: a row for each, by number and category.

    Args:
        change: one of `harness.illustrate.pair.RunPair.images`.
    """
    index = pd.MultiIndex.from_tuples(
        [(number, one.category) for number, one in enumerate(change.objects, start=1)],
        names=("", "object"),
    )
    return pd.DataFrame([list(_numbers(one)) for one in change.objects], index, COLUMNS)


def _row(grid: Grid, name: str) -> str:
    """The name, with its seed where there are several, of the row that a person named."""
    names = [grid.cell_name(cell) for cell in grid.cells]
    lowest = {cell.name: grid.cell_name(cell) for one in grid.layouts for cell in grid.rows(one)}
    if name not in names and name not in lowest:
        raise SpecError(unknown("row", name, names))
    return lowest.get(name, name)


def _changed_image(
    compared: Callable[[str, str], Compared], *, a: str, b: str, rank: int = 1
) -> str:
    pair, scale = compared(a, b)
    changes = most_changed(pair.images, rank)
    if len(changes) < rank:
        raise ResultsError(
            f"{a} and {b} differ in {len(changes)} of the {len(pair.images):,} images that have "
            f"objects, so there is no number {rank}."
        )
    picture = page_picture(pair, changes[-1], rank)
    content = base64.b64encode(picture.content).decode("ascii")
    return (
        f'<img src="data:{picture.media_type};base64,{content}" width="{picture.width}" '
        f'style="max-width: 100%" alt="{escape(picture.alt)}">\n'
        f"<p>A: {escape(pair.names[0])}<br>B: {escape(pair.names[1])}</p>\n"
        f"{objects_frame(picture.change).to_html(border=0)}\n"
        f"<p>{escape(f'{selection(pair)} {scale}'.strip())}</p>"
    )


def _numbers(one: ObjectChange) -> Iterator[str]:
    for a, b in (one.mask_iou, one.boundary_iou):
        yield from (f"{a:.1f}", f"{b:.1f}", signed(b - a))
    yield from map(_score, (one.a, one.b))


def _score(found: Found | None) -> str:
    return MISSED if found is None else f"{found.score:.2f}"
