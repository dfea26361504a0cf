"""Writes a bundle: the same results give the same bytes."""

import hashlib
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO

from harness.bundle import members
from harness.bundle.copies import copies, others, unpack
from harness.bundle.grid_file import portable
from harness.bundle.manifest import Manifest, Member, manifest_text
from harness.bundle.predictions import pack_predictions
from harness.bundle.rebuilt import rebuilt
from harness.bundle.versions import versions_here
from harness.errors import BundleError, ResultsError
from harness.files import replacing
from harness.grid import Grid
from harness.paths import ResultsFolder, RunsFolder
from harness.replicates import Replicates, read_replicates
from harness.workplace import Workplace

EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip knows
READABLE = 0o100644 << 16  # a plain file
PACKED = (".gz", ".png", ".pdf")
CHUNK = 1 << 20

# Of a run: its predictions' member name, where they may lie, and what was scored.
_OfRun = tuple[str, tuple[Path, Replicates | None]]


def write_bundle(target: Path, grid: Grid, place: Workplace) -> Manifest:
    """Write the tables and figures of `grid` into the results, and the bundle of all of it.

    What they are made from is read once, so a grid may go on meanwhile. One that is half done
    makes a bundle that says what is missing.

    Args:
        target: the zip.
        grid: its tables.
        place: where runs, results, published numbers and experiments are.

    Returns:
        The manifest that is in it.

    Raises:
        BundleError: a table has a name that a bundle cannot hold.
        ResultsError: metrics, replicates or published numbers are damaged, or do not fit the others
            of their table.
    """
    grid = portable(grid)
    for name in grid.layouts:
        if not members.is_file_name(name):
            raise BundleError(
                f"A bundle cannot hold a table named {name!r:.80}. Give its experiment a NAME of "
                "letters, digits, - and _."
            )
    contents, left_out = copies(grid, place)
    with TemporaryDirectory() as folder, _told_of_the_project(Path(folder), place):
        unpack(contents, Path(folder))
        made = rebuilt(grid, Path(folder))
        predictions = dict(_predictions(grid, members.results_in(Path(folder)), place.runs))
    _renew(made, place.results)
    contents |= made
    left_out |= others(place.results, contents.keys())
    with (
        replacing(target, shared=True) as temporary_zip,
        zipfile.ZipFile(temporary_zip, "w") as archive,
    ):
        found, without = _add_all(archive, contents, predictions, target.parent)
        manifest = Manifest(
            results=place.results.folder.name,
            made_with=versions_here(),
            members=found,
            left_out=left_out | without,
        )
        archive.writestr(_info(members.MANIFEST), manifest_text(manifest))
    return manifest


@contextmanager
def _told_of_the_project(folder: Path, place: Workplace) -> Iterator[None]:
    """Errors name files of the project, not of its copy in `folder`, which is gone by then."""
    try:
        yield
    except ResultsError as error:
        told = str(error).replace(str(members.published_in(folder)), str(place.published))
        raise ResultsError(told.replace(str(folder), str(place.results.folder))) from error


def _predictions(grid: Grid, results: ResultsFolder, runs: RunsFolder) -> Iterator[_OfRun]:
    """By member name, where predictions may lie of each run with metrics in `results`."""
    for run_id, spec in grid.runs.items():
        if spec.test_split is not None and results.metrics(run_id).exists():
            path = results.replicates(run_id)
            replicates = read_replicates(path, run_id) if path.exists() else None
            yield members.predictions(run_id), (runs.run(run_id).results, replicates)


def _renew(made: Mapping[str, bytes], results: ResultsFolder) -> None:
    """Write tables and figures into the results: those of the bundle, to the byte."""
    for name, content in made.items():
        if members.folder_of(name) in members.IN_RESULTS:
            with replacing(results.folder / name, shared=True) as temporary:
                temporary.write_bytes(content)


def _add_all(
    archive: zipfile.ZipFile,
    contents: Mapping[str, bytes],
    predictions: Mapping[str, tuple[Path, Replicates | None]],
    room: Path,
) -> tuple[dict[str, Member], dict[str, str]]:
    """The members that were added, in the order of their names, and why some were not.

    Args:
        archive: what they are added to.
        contents: by name.
        predictions: by name, where they may lie and what was scored.
        room: a folder for a temporary file as large as one run's predictions.
    """
    found: dict[str, Member] = {}
    left_out: dict[str, str] = {}
    for name in sorted([*contents, *predictions]):
        if name in contents:
            found[name] = _add(archive, name, BytesIO(contents[name]))
            continue
        with TemporaryFile(dir=room) as packed:
            if reason := pack_predictions(*predictions[name], packed):
                left_out[name] = reason
                continue
            packed.seek(0)
            found[name] = _add(archive, name, packed)
    return found, left_out


def _add(archive: zipfile.ZipFile, name: str, content: IO[bytes]) -> Member:
    sha256, size = hashlib.sha256(), 0
    with archive.open(_info(name), "w", force_zip64=True) as file:
        while piece := content.read(CHUNK):
            sha256.update(piece)
            size += len(piece)
            file.write(piece)
    return Member(sha256=sha256.hexdigest(), size=size)


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = READABLE
    info.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED) else zipfile.ZIP_DEFLATED
    return info
