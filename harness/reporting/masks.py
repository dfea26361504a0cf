"""The images that the report shows: those in which a method and its baseline differ most."""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

from harness.errors import HarnessError
from harness.grid import Grid, RunSpec
from harness.grid.fair import baseline_of
from harness.paths import RunsFolder
from harness.report.page import MaskPair, Picture

MOST_IMAGES = 5  # of one pair: with four networks some 2 MB of a page that may have 10

Stamp = tuple[int, int] | None  # of a file: when it was written, and its size


def mask_pairs(grid: Grid, runs: RunsFolder) -> Iterator[MaskPair]:
    """Of each network one method beside its baseline, in the images in which they differ most.

    Args:
        grid: the tables.
        runs: where the runs' folders are; what is missing there is told in the place of pictures.
    """
    from harness.illustrate.pair import pair_of_rows

    for rows in _rows(grid):
        try:
            baseline, method = pair_of_rows(grid, runs, *rows)
        except OSError as error:
            yield MaskPair(f"{rows[1]} beside {rows[0]}", "", (), _not_to_be_read(error))
            continue
        names = [grid.cell_name(cell) for cell in (baseline, method)]
        title = f"{names[1]} beside {names[0]} ({method.spec.architecture})"
        specs = (baseline.spec, method.spec)
        ids = [f"{name} · {spec.run_id}" for name, spec in zip(names, specs, strict=True)]
        yield _pair(title, specs, (ids[0], ids[1]), runs)


def _rows(grid: Grid) -> Iterator[tuple[str, str]]:
    """By network the baseline of the method that most tables show, and that method."""
    pairs = [
        (baseline, cell)
        for name in grid.layouts
        for cell in grid.rows(name)
        if (baseline := baseline_of(cell, grid.rows(name)))
    ]
    for network in dict.fromkeys(method.spec.architecture for _, method in pairs):
        of_network = [pair for pair in pairs if pair[1].spec.architecture == network]
        baseline, method = max(
            of_network, key=lambda pair: len(grid.cell_names[pair[1].spec.run_id])
        )
        yield baseline.name, method.name


def _pair(
    title: str, specs: tuple[RunSpec, RunSpec], names: tuple[str, str], runs: RunsFolder
) -> MaskPair:
    from harness.illustrate.pair import files_of

    stamps = tuple(_stamp(path) for spec in specs for path in files_of(spec, runs))
    try:
        note, pictures, missing = _drawn(specs, names, runs, stamps)
    except HarnessError as error:
        return MaskPair(title, "", (), str(error))
    except OSError as error:
        return MaskPair(title, "", (), _not_to_be_read(error))
    if missing:
        _drawn.cache_clear()  # a photograph that comes back changes no stamp
    if missing and not pictures:
        return MaskPair(title, note, (), missing)
    return MaskPair(title, f"{note} {missing}".strip(), pictures)


@lru_cache(maxsize=32)
def _drawn(
    specs: tuple[RunSpec, RunSpec],
    names: tuple[str, str],
    runs: RunsFolder,
    stamps: tuple[Stamp, ...],
) -> tuple[str, tuple[Picture, ...], str]:
    """How images were selected, their pictures, and which have none.

    A watch draws them once, until a file that they are drawn from changes: its stamp does too.
    """
    from harness.illustrate.pair import read_pair
    from harness.illustrate.worst import (
        MaskPicture,
        NotDrawn,
        selection,
        told_not_drawn,
        worst_pictures,
    )

    pair = read_pair(*specs, names, runs)
    images = list(worst_pictures(pair, MOST_IMAGES))
    pictures = (
        Picture(one.content, one.media_type, one.width, one.height, one.alt, one.lines)
        for one in images
        if isinstance(one, MaskPicture)
    )
    missing = told_not_drawn([one for one in images if isinstance(one, NotDrawn)])
    return selection(pair), tuple(pictures), missing


def _not_to_be_read(error: OSError) -> str:
    return f"{error.filename} cannot be read: {error.strerror}."


def _stamp(path: Path) -> Stamp:
    try:
        stat = path.stat()
    except OSError:  # not here, or in a colleague's folder
        return None
    return stat.st_mtime_ns, stat.st_size
