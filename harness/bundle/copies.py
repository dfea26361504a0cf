"""What a bundle takes from a project as it stands, read once: runs may go on meanwhile."""

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from harness.bundle import members
from harness.grid import Grid
from harness.paths import ResultsFolder
from harness.workplace import Workplace

NOT_DONE = "no numbers yet: `harness submit` trains what is not done"
NO_DRAWS = "never scored on draws of the test images: `harness collect` does it"
NO_NAME = "a file in a bundle cannot have such a name: rename it"
NOT_REBUILT = "not of this grid, or not made of metrics alone, so no bundle could rebuild it"


def copies(grid: Grid, place: Workplace) -> tuple[dict[str, bytes], dict[str, str]]:
    """Metrics, replicates, published numbers and experiments.

    Returns:
        Contents by member name, and why some are not there, by theirs.
    """
    found, left_out = _of_runs(grid, place.results)
    for name, layout in grid.layouts.items():
        if layout.published:
            path = place.published / f"{name}.csv"
            found |= {members.published(name): path.read_bytes()} if path.exists() else {}
    for path in _plain_files(place.experiments, "*.py"):
        if members.is_file_name(path.name):
            found[members.experiment(path.name)] = path.read_bytes()
        else:
            left_out[members.experiment(members.safe_to_print(path.name))] = NO_NAME
    return found, left_out


def _of_runs(grid: Grid, results: ResultsFolder) -> tuple[dict[str, bytes], dict[str, str]]:
    found: dict[str, bytes] = {}
    left_out: dict[str, str] = {}
    for run_id, spec in grid.runs.items():
        if not results.metrics(run_id).exists():
            left_out[members.metrics(run_id)] = NOT_DONE
            continue
        found[members.metrics(run_id)] = results.metrics(run_id).read_bytes()
        if spec.test_split is None:  # a base, which is not scored
            continue
        if results.replicates(run_id).exists():
            found[members.replicates(run_id)] = results.replicates(run_id).read_bytes()
        else:
            left_out[members.replicates(run_id)] = NO_DRAWS
    return found, left_out


def unpack(contents: Mapping[str, bytes], folder: Path) -> None:
    """Write what tables are made from into `folder`, as in a bundle unpacked."""
    for name, content in contents.items():
        if members.folder_of(name) in members.READ_BY_REBUILD:
            (folder / name).parent.mkdir(exist_ok=True)
            (folder / name).write_bytes(content)


def others(results: ResultsFolder, made: Collection[str]) -> dict[str, str]:
    """Tables and figures in the results that are not among those `made`, and why they stay."""
    found = (
        f"{folder}/{members.safe_to_print(path.name)}"
        for folder in members.IN_RESULTS
        for path in _plain_files(results.folder / folder, "*")
    )
    return {name: NOT_REBUILT for name in found if name not in made}


def _plain_files(folder: Path, pattern: str) -> Iterator[Path]:
    # Hidden are temporary files of writes that go on, and what systems leave.
    for path in folder.glob(pattern):
        if not path.name.startswith(".") and path.is_file():
            yield path
