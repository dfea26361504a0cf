"""Rebuilds a bundle's tables and figures and compares them byte for byte: no GPU, no data.

Equal means that this harness makes these tables and figures of these metrics, that the metrics are
of trainings with these specs, that predictions are the ones that the draws behind error bars were
scored on, and that published numbers are those of this project, where it has them. Whether metrics
were measured as they say is for who has images and GPUs: `harness run`.
"""

import hashlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.bundle import members
from harness.bundle.checks import check_metrics, check_names, check_predictions
from harness.bundle.grid_file import read_grid
from harness.bundle.manifest import Manifest
from harness.bundle.read import Bundle, open_bundle
from harness.bundle.rebuilt import rebuilt
from harness.bundle.versions import other_versions, versions_here
from harness.errors import BundleError, HarnessError
from harness.grid import Grid

DIFFERS = "differs"
NOT_THERE = "is not in the bundle, and harness makes it"
NOT_MADE = "is in the bundle, and harness does not make it"
OTHER_PUBLISHED = "differs from the one in results/published here"
# By folder: what is known of members that nothing here is equal to.
KNOWN_OF: Mapping[str, str] = {
    "experiments": f"not compared, and never executed: the tables are in {members.GRID}",
    "metrics": "of trainings with these specs; that they were measured no file can prove",
    "predictions": "the ones that were scored",
    "published": "not compared: results/published here has none of these tables",
    "replicates": "of the same AP as the metrics; their draws are not made anew",
}


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What became of a bundle whose files are all as they were bundled.

    Each of its members is in one of the first three.

    Attributes:
        equal: members that were made anew, or are here, with the same bytes.
        wrong: how others differ, by name, those that are not in it too; {} where all is equal.
        not_compared: members that nothing here is equal to, and what is known of them, by name.
        manifest: of the bundle.
        runs: how many its grid has.
        other_versions: by name, the versions then and here that differ.
        not_told: names of versions that the bundle, or this installation, does not tell.
    """

    equal: tuple[str, ...]
    wrong: Mapping[str, str]
    not_compared: Mapping[str, str]
    manifest: Manifest
    runs: int
    other_versions: Mapping[str, tuple[str, str]]
    not_told: tuple[str, ...]


def verify_bundle(path: Path, published: Path) -> Verification:
    """Check every file of the bundle in `path`, rebuild it in a temporary folder, and compare.

    Args:
        path: the bundle.
        published: the paper's numbers here, `<table>.csv`; they may be missing.

    Raises:
        BundleError: it is no bundle, a file in it is not as it was bundled or does not fit the
            others, or what it holds cannot be rebuilt.
    """
    try:
        with (
            open_bundle(path) as bundle,
            TemporaryDirectory() as folder,
            _told_of_the_bundle(folder),
        ):
            return _verify(bundle, Path(folder), published)
    except BundleError as error:
        raise BundleError(f"{path}: {members.safe_to_print(str(error))}.") from error


@contextmanager
def _told_of_the_bundle(folder: str) -> Iterator[None]:
    try:
        yield
    except BundleError:
        raise
    except HarnessError as error:
        told = str(error).replace(f"{folder}/", "").removesuffix(".")
        raise BundleError(f"it cannot be rebuilt: {told}") from error
    except Exception as error:  # anything may be in the files of a stranger
        told = f"{type(error).__name__}: {error}"
        raise BundleError(f"it cannot be rebuilt: {told:.200}") from error


def _verify(bundle: Bundle, folder: Path, published: Path) -> Verification:
    grid = read_grid(bundle.read)
    check_names(bundle.manifest.members, grid)
    scored_on = _unpack(bundle, folder)
    expected = rebuilt(grid, folder)
    check_metrics(grid, folder)
    check_predictions(grid, folder, scored_on)
    of_paper = _published_here(grid, published)
    compared = {name for name in bundle.manifest.members if _is_rebuilt(name) or name in of_paper}
    wrong = _differences(bundle, compared, expected, of_paper)
    others, not_told = other_versions(bundle.manifest.made_with, versions_here())
    return Verification(
        equal=tuple(sorted(compared - wrong.keys())),
        wrong=wrong,
        not_compared={
            name: KNOWN_OF[members.folder_of(name)]
            for name in sorted(bundle.manifest.members.keys() - compared)
        },
        manifest=bundle.manifest,
        runs=len(grid.runs),
        other_versions=others,
        not_told=not_told,
    )


def _unpack(bundle: Bundle, folder: Path) -> dict[str, str]:
    """Read every member once; into `folder` goes what a rebuild reads.

    Returns:
        The sha256 of the unpacked predictions, by member name.
    """
    scored_on = {}
    for name in bundle.manifest.members:
        if members.folder_of(name) == "predictions":
            sha256 = hashlib.sha256()
            for piece in bundle.unpacked(name):
                sha256.update(piece)
            scored_on[name] = sha256.hexdigest()
            continue
        if members.folder_of(name) == "replicates":
            for _ in bundle.unpacked(name):
                pass  # what reads it later unpacks it in one piece
        content = bundle.read(name)
        if members.folder_of(name) in members.READ_BY_REBUILD:
            target = folder / name
            target.parent.mkdir(exist_ok=True)
            target.write_bytes(content)
    return scored_on


def _is_rebuilt(name: str) -> bool:
    return members.folder_of(name) not in members.NOT_REBUILT


def _published_here(grid: Grid, published: Path) -> dict[str, bytes]:
    """The paper's numbers that are here, of tables of `grid`, by member name."""
    tables = (name for name, layout in grid.layouts.items() if layout.published)
    files = {members.published(table): published / f"{table}.csv" for table in tables}
    return {name: file.read_bytes() for name, file in files.items() if file.is_file()}


def _differences(
    bundle: Bundle,
    compared: set[str],
    expected: Mapping[str, bytes],
    of_paper: Mapping[str, bytes],
) -> dict[str, str]:
    """How members differ from what harness makes, and from the paper's numbers here, by name."""
    wrong = dict.fromkeys(compared - expected.keys() - of_paper.keys(), NOT_MADE)
    wrong |= dict.fromkeys(expected.keys() - compared, NOT_THERE)
    for told, ours in ((DIFFERS, expected), (OTHER_PUBLISHED, of_paper)):
        both = compared & ours.keys()
        wrong |= {name: told for name in both if bundle.read(name) != ours[name]}
    return dict(sorted(wrong.items()))
