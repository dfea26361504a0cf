"""`harness bundle` and `harness verify`."""

from pathlib import Path

from harness.commands.messages import tell
from harness.errors import BundleError
from harness.paths import project_folder, published_folder
from harness.workplace import Workplace


def bundle(place: Workplace, output: Path | None) -> None:
    """Collect and rebuild, write the bundle, and print where it is.

    Args:
        place: what is bundled.
        output: the zip; None for the one in the results folder.

    Raises:
        BundleError: `output` is a folder, or a table's name is none that a bundle can hold.
        ResultsError: a file that a run left is damaged, or does not fit the others of its table.
    """
    from harness.bundle import write_bundle
    from harness.collect import collect
    from harness.terminal.bundle_view import left_out_lines

    target = output or place.results.bundle
    if target.is_dir():
        raise BundleError(f"--output {target} is a folder. Name a file in it.")
    grid = place.known_grid()
    collect(grid, place.runs, place.results, tell=tell)
    manifest = write_bundle(target, grid, place)
    for line in left_out_lines(manifest):
        tell(line)
    tell(f"{len(manifest.members)} files, {target.stat().st_size / 1e6:.1f} MB.")
    print(target)


def verify(path: Path) -> None:
    """Print what of a bundle is equal to what harness makes of it.

    Raises:
        BundleError: it is no bundle, is damaged, or something in it is not equal.
    """
    from harness.bundle import verify_bundle
    from harness.terminal.bundle_view import failure, verification_lines

    verification = verify_bundle(path, published_folder(project_folder()))
    for line in verification_lines(verification):
        print(line)
    if verification.wrong:
        raise BundleError(failure(verification, path))
