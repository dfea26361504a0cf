"""The images that the report shows: those in which a method and its baseline differ most."""

from collections.abc import Iterator
from functools import lru_cache

from harness.errors import HarnessError
from harness.grid import Cell, Grid, RunSpec
from harness.grid.fair import baseline_of
from harness.paths import RunsFolder
from harness.report.page import MaskPair, Picture

MOST_IMAGES = 5  # of one pair: with four networks some 2 MB of a page that may have 10

Stamp = tuple[int, int] | None  # of a file of predictions: when it was written, and its size


def mask_pairs(grid: Grid, runs: RunsFolder) -> Iterator[MaskPair]:
    """Of each network one method beside its baseline, in the images in which they differ most.

    Args:
        grid: the tables.
        runs: where the runs' folders are; what is missing there is told in the place of pictures.
    """
    for baseline, method in _pairs(grid):
        names = [f"{cell.name} · {cell.spec.run_id}" for cell in (baseline, method)]
        title = f"{method.name} beside {baseline.name} ({method.spec.architecture})"
        try:
            yield _pair(title, baseline, method, (names[0], names[1]), runs)
        except HarnessError as error:
            yield MaskPair(title, "", (), str(error))


def _pairs(grid: Grid) -> Iterator[tuple[Cell, Cell]]:
    """By network the method that most tables show, with its baseline; of the lowest seed."""
    pairs = [
        (baseline, cell)
        for name in grid.layouts
        for cell in grid.rows(name)
        if (baseline := baseline_of(cell, grid.rows(name)))
    ]
    for network in dict.fromkeys(method.spec.architecture for _, method in pairs):
        of_network = [pair for pair in pairs if pair[1].spec.architecture == network]
        yield max(of_network, key=lambda pair: len(grid.cell_names[pair[1].spec.run_id]))


def _pair(
    title: str, baseline: Cell, method: Cell, names: tuple[str, str], runs: RunsFolder
) -> MaskPair:
    specs = (baseline.spec, method.spec)
    note, pictures = _drawn(specs, names, runs, tuple(_stamp(spec, runs) for spec in specs))
    return MaskPair(title, note, pictures)


@lru_cache(maxsize=32)
def _drawn(
    specs: tuple[RunSpec, RunSpec],
    names: tuple[str, str],
    runs: RunsFolder,
    stamps: tuple[Stamp, ...],
) -> tuple[str, tuple[Picture, ...]]:
    """What a watch draws once, until a run is scored again: its `stamps` change."""
    from harness.illustrate.pair import read_pair
    from harness.illustrate.worst import selection, worst_pictures

    pair = read_pair(*specs, names, runs)
    pictures = (
        Picture(one.content, one.media_type, one.width, one.height, one.alt, one.lines)
        for one in worst_pictures(pair, MOST_IMAGES)
    )
    return selection(pair), tuple(pictures)


def _stamp(spec: RunSpec, runs: RunsFolder) -> Stamp:
    path = runs.run(spec.run_id).results
    return (path.stat().st_mtime_ns, path.stat().st_size) if path.exists() else None
