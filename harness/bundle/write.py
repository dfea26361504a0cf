"""Writes a bundle: the same results give the same bytes."""

import gzip
import hashlib
import shutil
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO

from harness.bundle import members
from harness.bundle.environments import environment_texts
from harness.bundle.grid_file import grid_texts, portable
from harness.bundle.manifest import Manifest, Member, manifest_text
from harness.bundle.versions import versions_here
from harness.files import replacing
from harness.grid import Grid
from harness.replicates import read_replicates
from harness.workplace import Workplace

NO_FOLDER = "the run's folder, or its predictions, were not where the bundle was made"
OTHER_PREDICTIONS = "those in the run's folder are not the ones that its numbers are of"
NOT_DONE = "no numbers yet: `harness submit` trains what is not done"
NO_DRAWS = "never scored on draws of the test images: `harness collect` does it"
NOT_REBUILT = "not of this grid, or not made of metrics alone, so no bundle could rebuild it"
EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time that a zip knows
READABLE = 0o100644 << 16  # a plain file
PACKED = (".gz", ".png", ".pdf")
LEVEL = 6  # of gzip: 9 takes twice as long for a hundredth less


def write_bundle(target: Path, grid: Grid, place: Workplace, written: Sequence[Path]) -> Manifest:
    """Write the bundle of `grid`; a grid that is half done makes one that says what is missing.

    Args:
        target: the zip.
        grid: its tables.
        place: where runs, results, published numbers and experiments are.
        written: its tables and figures, which `harness.rebuild` has written into the results.

    Returns:
        The manifest that is in it.

    Raises:
        ResultsError: metrics or replicates are damaged.
    """
    contents, left_out = _contents(portable(grid), place, written)
    predictions, without = _predictions(grid, place)
    found: dict[str, Member] = {}
    with (
        replacing(target, shared=True) as temporary,
        zipfile.ZipFile(temporary, "w") as archive,
    ):
        for name in sorted([*contents, *predictions]):
            with archive.open(_info(name), "w", force_zip64=True) as file:
                hashing = _Hashing(file)
                if name in predictions:
                    _pack(predictions[name], hashing)
                else:
                    hashing.write(contents[name])
            found[name] = Member(sha256=hashing.sha256.hexdigest(), size=hashing.size)
        manifest = Manifest(
            results=place.results.folder.name,
            made_with=versions_here(),
            members=found,
            left_out=left_out | without,
        )
        archive.writestr(_info(members.MANIFEST), manifest_text(manifest))
    return manifest


def _contents(
    grid: Grid, place: Workplace, written: Sequence[Path]
) -> tuple[dict[str, bytes], dict[str, str]]:
    """All members but predictions, and why some are not there."""
    results = place.results
    left_out: dict[str, str] = {}
    texts = {
        members.README: members.ABOUT,
        **grid_texts(grid),
        **environment_texts(grid, results),
    }
    files = {path.relative_to(results.folder).as_posix(): path for path in written}
    for folder in {members.folder_of(name) for name in files}:
        others = {path for path in (results.folder / folder).iterdir() if path not in written}
        names = (path.relative_to(results.folder).as_posix() for path in others)
        left_out |= dict.fromkeys((name for name in names if folder), NOT_REBUILT)
    for run_id, spec in grid.runs.items():
        if not results.metrics(run_id).exists():
            left_out[members.metrics(run_id)] = NOT_DONE
            continue
        files[members.metrics(run_id)] = results.metrics(run_id)
        if results.replicates(run_id).exists():
            files[members.replicates(run_id)] = results.replicates(run_id)
        elif spec.test_split is not None:
            left_out[members.replicates(run_id)] = NO_DRAWS
    for name, layout in grid.layouts.items():
        if layout.published:
            files[members.published(name)] = place.published / f"{name}.csv"
    files |= {members.experiment(path.name): path for path in place.experiments.glob("*.py")}
    contents = {name: text.encode() for name, text in texts.items()}
    return contents | {name: path.read_bytes() for name, path in files.items()}, left_out


def _predictions(grid: Grid, place: Workplace) -> tuple[dict[str, Path], dict[str, str]]:
    """The results files of scored runs that are here, and why those of others are not there."""
    found: dict[str, Path] = {}
    left_out: dict[str, str] = {}
    for run_id, spec in grid.runs.items():
        if spec.test_split is None or not place.results.metrics(run_id).exists():
            continue
        path, name = place.runs.run(run_id).results, members.predictions(run_id)
        if not path.exists():
            left_out[name] = NO_FOLDER
        elif not _scored(path, run_id, place):
            left_out[name] = OTHER_PREDICTIONS
        else:
            found[name] = path
    return found, left_out


def _scored(path: Path, run_id: str, place: Workplace) -> bool:
    """Whether the run's replicates are of the predictions in `path`."""
    if not place.results.replicates(run_id).exists():
        return False
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return sha256 == read_replicates(place.results.replicates(run_id), run_id).results


def _info(name: str) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(name, EPOCH)
    info.create_system = 3  # Unix, wherever it is written
    info.external_attr = READABLE
    info.compress_type = zipfile.ZIP_STORED if name.endswith(PACKED) else zipfile.ZIP_DEFLATED
    return info


def _pack(source: Path, target: "_Hashing") -> None:
    # Without time and name: the same predictions give the same bytes.
    with (
        source.open("rb") as plain,
        gzip.GzipFile("", "wb", LEVEL, fileobj=target, mtime=0) as packed,
    ):
        shutil.copyfileobj(plain, packed, 1 << 20)


class _Hashing:
    """A file for writing that knows what went through it."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file, self.sha256, self.size = file, hashlib.sha256(), 0

    def write(self, data: bytes) -> int:
        self.sha256.update(data)
        self.size += len(data)
        return self.file.write(data)

    def flush(self) -> None:
        self.file.flush()
