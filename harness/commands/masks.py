"""`harness masks`: the images in which two runs differ most, in numbers and in pictures."""

from pathlib import Path
from typing import TYPE_CHECKING

from harness.commands.named import run_named
from harness.errors import DataError, HarnessError
from harness.files import replacing
from harness.grid.spec import RunSpec
from harness.paths import ResultsFolder
from harness.workplace import Workplace

if TYPE_CHECKING:
    from harness.illustrate.pair import RunPair
    from harness.illustrate.worst import NotDrawn


def show_masks(one: str, other: str, most: int, scale: str, data: Path | None, runs: Path) -> None:
    """Print what became of each object of the images with the largest changes, and draw them.

    The pictures go to a folder of their own, in which all other PNGs are deleted: those of an
    earlier call. An image whose photograph cannot be read is told, and has its numbers all the
    same.

    Args:
        one: a run, by id or name.
        other: the run that is compared with it.
        most: how many images, at least 1.
        scale: of the runs, where they are named and not told by their ids.
        data: a user's own data, likewise.
        runs: where run folders are.

    Raises:
        HarnessError: `most` is below 1, a name means no run or several, or the two cannot be
            compared; says why.
        DataError: an image is not drawn, after all else was; says why.
    """
    if most < 1:
        raise HarnessError(f"--worst {most}: show at least 1 image.")
    (place, a), (of_other, b) = (run_named(text, scale, data, runs) for text in (one, other))
    from harness.illustrate.pair import read_pair
    from harness.illustrate.worst import selection
    from harness.terminal.masks_view import show_changes

    pair = read_pair(a, b, (_name(place, a), _name(of_other, b)), place.runs)
    drawn, not_drawn = _draw(pair, most, place.results, (a.run_id, b.run_id))
    show_changes(pair.names, pair.images, most, selection(pair))
    if drawn:
        print(place.results.masks(a.run_id, b.run_id))
    if not_drawn:
        titles = ", ".join(one.change.title for one in not_drawn)
        raise DataError(f"Not drawn: {titles}. {not_drawn[0].why}")


def _draw(
    pair: "RunPair", most: int, results: ResultsFolder, ids: tuple[str, str]
) -> tuple[set[Path], list["NotDrawn"]]:
    """The pictures written, and the images that have none; other pictures there are deleted."""
    from harness.illustrate.worst import NotDrawn, worst_files

    drawn: set[Path] = set()
    not_drawn = []
    for picture in worst_files(pair, most):
        if isinstance(picture, NotDrawn):
            not_drawn.append(picture)
            continue
        path = results.mask_picture(*ids, picture.change.image_id)
        with replacing(path, shared=True) as temporary:
            temporary.write_bytes(picture.content)
        drawn.add(path)
    for path in set(results.masks(*ids).glob("*.png")) - drawn:
        path.unlink()
    return drawn, not_drawn


def _name(place: Workplace, spec: RunSpec) -> str:
    """What people read of a run, also of one whose experiment is no longer there."""
    grid = place.known_grid(place.experiment_names)
    known = spec.run_id in grid.runs
    return f"{grid.name_of(spec.run_id)} · {spec.run_id}" if known else spec.run_id
