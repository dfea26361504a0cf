"""All of a bundle that is made of something else in it, for who writes one and who verifies it."""

from pathlib import Path

from harness.bundle import members
from harness.bundle.environments import environment_texts
from harness.bundle.grid_file import grid_texts
from harness.grid import Grid


def rebuilt(grid: Grid, folder: Path) -> dict[str, bytes]:
    """What harness makes of the metrics, replicates and published numbers in `folder`.

    Args:
        grid: of `harness.bundle.grid_file.portable`.
        folder: a bundle, unpacked as far as that; tables and figures are written into it.

    Returns:
        The contents by member name.

    Raises:
        ResultsError: a file is damaged, or does not fit the others of its table.
    """
    from harness.rebuild import write_all

    results = members.results_in(folder)
    texts = {
        members.README: members.ABOUT,
        **grid_texts(grid),
        **environment_texts(grid, results),
    }
    written = write_all(grid, results, members.published_in(folder))
    made = {path.relative_to(folder).as_posix(): path.read_bytes() for path in written}
    return {name: text.encode() for name, text in texts.items()} | made
