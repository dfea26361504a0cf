"""A bundle of the demo's Table II, and a way to send another one in its place."""

import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from harness.bundle import Verification, verify_bundle, write_bundle
from harness.grid import Grid
from harness.paths import ResultsFolder, RunsFolder
from harness.replicates import read_replicates, write_replicates
from harness.workplace import Workplace, workplace

PROJECT = Path(__file__).parents[2]
PREDICTIONS = b'[{"image_id": 1, "score": 0.5}]'


def demo_place(folder: Path) -> Workplace:
    """The demo's committed results, copied to `folder`, with no runs."""
    shutil.copytree(PROJECT / "results" / "demo", folder / "results" / "demo")
    return replace(
        workplace("demo", None, folder / "runs"),
        results=ResultsFolder(folder / "results" / "demo"),
        published=PROJECT / "results" / "published",
        experiments=PROJECT / "experiments",
    )


def bundled(place: Workplace, grid: Grid, target: Path) -> Path:
    write_bundle(target, grid, place)
    return target


def verified(bundle: Path, published: Path = PROJECT / "results" / "published") -> Verification:
    return verify_bundle(bundle, published)


def leave_predictions(place: Workplace, run_id: str, content: bytes = PREDICTIONS) -> None:
    """A run's folder with predictions, and replicates that say they are drawn from PREDICTIONS."""
    path = RunsFolder(place.runs.folder).run(run_id).results
    path.parent.mkdir(parents=True)
    path.write_bytes(content)
    replicates = read_replicates(place.results.replicates(run_id), run_id)
    of_these = replace(replicates, results=hashlib.sha256(PREDICTIONS).hexdigest())
    write_replicates(place.results.replicates(run_id), of_these)


@pytest.fixture(scope="session")
def table2(tmp_path_factory) -> Path:
    """The bundle of Table II; the folder of one of its four runs is here."""
    folder = tmp_path_factory.mktemp("project")
    place = demo_place(folder)
    grid = place.grid(["table2"])
    leave_predictions(place, grid.table("table2")[0].spec.run_id)
    return bundled(place, grid, folder / "table2.zip")


@pytest.fixture
def sent(table2, tmp_path):
    """A function that writes the bundle with other contents.

    Its arguments are contents by member name, None for a member that is left out, and whether the
    manifest is changed to fit.
    """

    def send(changes: Mapping[str, bytes | None], *, adapted: bool) -> Path:
        with zipfile.ZipFile(table2) as archive:
            contents = {name: archive.read(name) for name in archive.namelist()}
        contents |= changes
        contents = {name: content for name, content in contents.items() if content is not None}
        if adapted:
            manifest = json.loads(contents.pop("manifest.json"))
            manifest["members"] = {
                name: {"sha256": hashlib.sha256(content).hexdigest(), "size": len(content)}
                for name, content in contents.items()
            }
            contents["manifest.json"] = json.dumps(manifest).encode()
        return write_zip(tmp_path / "sent.zip", contents)

    return send


def write_zip(path: Path, contents: Mapping[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents.items():
            archive.writestr(name, content, zipfile.ZIP_STORED if name.endswith(".gz") else None)
    return path


def content_of(bundle: Path, name: str) -> bytes:
    with zipfile.ZipFile(bundle) as archive:
        return archive.read(name)
