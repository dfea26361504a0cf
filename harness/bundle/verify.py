"""Rebuilds a bundle's tables and figures and compares them byte for byte: no GPU, no data.

Equal means that this harness makes these tables and figures of these metrics, that the metrics are
of trainings with these specs, and that predictions are the ones that the draws behind error bars
were scored on. Whether metrics were measured as they say is for who has images and GPUs:
`harness run`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from harness.bundle import members
from harness.bundle.environments import environment_texts
from harness.bundle.grid_file import grid_texts, read_grid
from harness.bundle.manifest import Manifest, versions_here
from harness.bundle.read import Bundle, open_bundle
from harness.errors import BundleError, HarnessError
from harness.grid import Grid, base_of
from harness.grid.spec import identity_of
from harness.records import read_metrics
from harness.replicates import read_replicates

DIFFERS = "differs"
NOT_THERE = "is not in the bundle, and harness makes it"
NOT_MADE = "is in the bundle, and harness does not make it"


@dataclass(frozen=True, kw_only=True)
class Verification:
    """What became of a bundle whose files are all as they were bundled.

    Attributes:
        manifest: of the bundle.
        runs: how many its grid has.
        equal: members that were rebuilt to the same bytes.
        wrong: how the others differ, by name; {} where all is equal.
        predictions: members that unpack to the predictions that were scored.
        other_versions: by name, the versions then and here that differ.
    """

    manifest: Manifest
    runs: int
    equal: tuple[str, ...]
    wrong: Mapping[str, str]
    predictions: tuple[str, ...]
    other_versions: Mapping[str, tuple[str, str]]


def verify_bundle(path: Path) -> Verification:
    """Check every file of the bundle in `path`, rebuild it in a temporary folder, and compare.

    Raises:
        BundleError: it is no bundle, a file in it is not as it was bundled, or what it holds cannot
            be rebuilt.
    """
    try:
        with open_bundle(path) as bundle, TemporaryDirectory() as folder:
            return _verify(bundle, Path(folder))
    except BundleError as error:
        raise BundleError(f"{path}: {members.safe_to_print(str(error))}.") from error


def _verify(bundle: Bundle, folder: Path) -> Verification:
    scored_on = _check_contents(bundle, folder)
    grid, rebuilt = _rebuild(bundle, folder)
    _check_metrics(grid, folder)
    _check_predictions(grid, folder, scored_on)
    given = {name for name in bundle.manifest.members if _is_rebuilt(name)}
    wrong = dict.fromkeys(given - rebuilt.keys(), NOT_MADE)
    wrong |= dict.fromkeys(rebuilt.keys() - given, NOT_THERE)
    both = sorted(given & rebuilt.keys())
    wrong |= {name: DIFFERS for name in both if bundle.read(name) != rebuilt[name]}
    return Verification(
        manifest=bundle.manifest,
        runs=len(grid.runs),
        equal=tuple(name for name in both if name not in wrong),
        wrong=dict(sorted(wrong.items())),
        predictions=tuple(sorted(scored_on)),
        other_versions=_other_versions(bundle.manifest.made_with, versions_here()),
    )


def _check_contents(bundle: Bundle, folder: Path) -> dict[str, str]:
    """Read every member once; unpack what a rebuild reads.

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
    return name != members.README and members.folder_of(name) not in members.NOT_REBUILT


def _rebuild(bundle: Bundle, folder: Path) -> tuple[Grid, dict[str, bytes]]:
    """The grid, and what this harness makes of the metrics in `folder`, by member name."""
    from harness.rebuild import write_all

    results = members.results_in(folder)
    try:
        grid = read_grid(bundle.read)
        texts = grid_texts(grid) | environment_texts(grid, results)
        written = write_all(grid, results, members.published_in(folder))
        made = {path.relative_to(folder).as_posix(): path.read_bytes() for path in written}
    except BundleError:
        raise
    except HarnessError as error:
        told = str(error).replace(f"{folder}/", "").removesuffix(".")
        raise BundleError(f"it cannot be rebuilt: {told}") from error
    except Exception as error:  # anything may be in the files of a stranger
        told = f"{type(error).__name__}: {error}"
        raise BundleError(f"it cannot be rebuilt: {told:.200}") from error
    return grid, {name: text.encode() for name, text in texts.items()} | made


def _check_metrics(grid: Grid, folder: Path) -> None:
    """Each run's metrics are of a training with the run's spec."""
    results = members.results_in(folder)
    for run_id, spec in grid.runs.items():
        if not results.metrics(run_id).exists():
            continue
        metrics = read_metrics(results.metrics(run_id), run_id)
        base = base_of(spec)
        asked_for = json.loads(json.dumps(identity_of(spec)))  # tuples as lists
        if (metrics.spec, metrics.parent) != (asked_for, base.run_id if base else None):
            raise BundleError(
                f"{members.metrics(run_id)} is of a training with another spec or base than "
                f"{members.spec(run_id)}"
            )


def _check_predictions(grid: Grid, folder: Path, scored_on: Mapping[str, str]) -> None:
    results = members.results_in(folder)
    of_runs = {members.predictions(run_id): run_id for run_id in grid.runs}
    for name, sha256 in scored_on.items():
        run_id = of_runs.get(name, "")
        path = results.replicates(run_id)
        if not run_id or not path.exists():
            raise BundleError(f"{name} is of no run in it that was scored on draws of images")
        if read_replicates(path, run_id).results != sha256:
            raise BundleError(f"{name} are not the predictions that run {run_id} was scored on")


def _other_versions(then: Mapping[str, str], here: Mapping[str, str]) -> dict[str, tuple[str, str]]:
    # A harness that was installed without its checkout knows no commit: that is no difference.
    shared = [name for name in here if name in then]
    return {name: (then[name], here[name]) for name in shared if then[name] != here[name]}
