"""`harness masks`: the images in which two runs differ most, in numbers and in pictures."""

from pathlib import Path

from harness.commands.named import run_named
from harness.errors import HarnessError
from harness.files import replacing
from harness.grid.spec import RunSpec
from harness.workplace import Workplace


def show_masks(one: str, other: str, most: int, scale: str, data: Path | None, runs: Path) -> None:
    """Print what became of each object of the images with the largest changes, and draw them.

    The pictures go to a folder of their own; those of an earlier call that are not drawn again
    are deleted.

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
    """
    if most < 1:
        raise HarnessError(f"--worst {most}: show at least 1 image.")
    (place, a), (of_other, b) = (run_named(text, scale, data, runs) for text in (one, other))
    from harness.illustrate.pair import read_pair
    from harness.illustrate.worst import selection, worst_files
    from harness.terminal.masks_view import show_changes

    pair = read_pair(a, b, (_name(place, a), _name(of_other, b)), place.runs)
    ids = a.run_id, b.run_id
    drawn = set()
    for picture in worst_files(pair, most):
        path = place.results.mask_picture(*ids, picture.change.image_id)
        with replacing(path, shared=True) as temporary:
            temporary.write_bytes(picture.content)
        drawn.add(path)
    for path in place.results.masks(*ids).glob("*.png"):
        if path not in drawn:
            path.unlink()
    show_changes(pair.names, pair.images, most, selection(pair))
    if drawn:
        print(place.results.masks(*ids))


def _name(place: Workplace, spec: RunSpec) -> str:
    """What people read of a run, also of one whose experiment is no longer there."""
    grid = place.known_grid(place.experiment_names)
    known = spec.run_id in grid.runs
    return f"{grid.name_of(spec.run_id)} · {spec.run_id}" if known else spec.run_id
