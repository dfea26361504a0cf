"""`harness bundle` in a project folder, `harness verify` in another, as a user gives them."""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bundle.conftest import PROJECT, content_of, write_zip

# At its end it leaves in the file LOADED what it has loaded.
RUN = """
import atexit, os, pathlib, sys
from harness.cli import main
os.umask(0o077)
atexit.register(lambda: pathlib.Path(os.environ["LOADED"]).write_text("\\n".join(sys.modules)))
main()
"""


@dataclass(frozen=True)
class Done:
    """What a command printed, how it ended, and the modules that it had loaded by then."""

    returncode: int
    stdout: str
    stderr: str
    loaded: frozenset[str]


def harness(folder: Path, *arguments: str) -> Done:
    folder.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as beside:
        loaded = Path(beside) / "loaded"
        done = subprocess.run(
            [sys.executable, "-c", RUN, *arguments],
            capture_output=True,
            text=True,
            cwd=folder,
            env={
                "PATH": os.environ["PATH"],
                "LOADED": str(loaded),
            },  # with git: it knows the commit
        )
        modules = frozenset(loaded.read_text().splitlines())
    return Done(done.returncode, done.stdout, done.stderr, modules)


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project folder that is no checkout: experiments and what was collected, no tables."""
    folder = tmp_path_factory.mktemp("user") / "project"
    shutil.copytree(PROJECT / "experiments", folder / "experiments")
    for name in ("published", "demo/metrics", "demo/replicates"):
        shutil.copytree(PROJECT / "results" / name, folder / "results" / name)
    return folder


@pytest.fixture(scope="module")
def made(project) -> Done:
    return harness(project, "bundle", "--scale", "demo")


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory) -> Path:
    """Another folder, empty."""
    return tmp_path_factory.mktemp("elsewhere")


@pytest.fixture(scope="module")
def verified(made, elsewhere) -> Done:
    return harness(elsewhere, "verify", made.stdout.strip())


def test_a_bundle_is_written_into_the_results_and_its_path_printed(project, made):
    assert made.returncode == 0, made.stderr
    assert made.stdout == f"{project}/results/demo/bundle.zip\n"
    assert made.stderr.startswith("not in it, 15 predictions (the run's folder, or ")
    assert re.search(r"\n\d+ files, 0\.\d MB\.\n$", made.stderr)
    assert not (project / "runs").exists()


def test_another_folder_rebuilds_it_and_says_what_is_equal(verified, elsewhere):
    assert (verified.returncode, verified.stderr) == (0, "")
    lines = verified.stdout.splitlines()
    assert lines[0].startswith("demo: 19 runs, bundled by harness ")
    # The sum of all below.
    assert lines[1] == "109 files: as they were bundled"
    assert lines[2:-1] == [
        "README.md: equal",
        "19 environments: equal",
        "2 figures: equal",
        "grid.json: equal",
        "3 published: equal",
        "19 specs: equal",
        "26 tables: equal",
        "4 experiments: not compared, and never executed: the tables are in grid.json",
        "19 metrics: of trainings with these specs; that they were measured no file can prove",
        "15 replicates: of the same AP as the metrics; their draws are not made anew",
    ]
    assert list(elsewhere.iterdir()) == []


def test_what_differs_is_listed_and_the_versions_are_blamed_where_they_differ(made, tmp_path):
    bundle = Path(made.stdout.strip())
    names = ("manifest.json", "figures/fig8.pdf")
    manifest, figure = (content_of(bundle, name) for name in names)
    assert b'"matplotlib": "' in manifest
    changed = tmp_path / "changed.zip"
    contents = _contents(bundle)
    other = figure.replace(b"%PDF-1.4", b"%PDF-1.5")
    assert other != figure
    for before, after in (
        (hashlib.sha256(figure).hexdigest().encode(), hashlib.sha256(other).hexdigest().encode()),
        (b'"matplotlib": "', b'"matplotlib": "0.'),
    ):
        manifest = manifest.replace(before, after)
    write_zip(changed, contents | {"manifest.json": manifest, "figures/fig8.pdf": other})
    done = harness(tmp_path, "verify", "changed.zip")
    assert done.returncode == 2
    assert "\n2 figures: 1 equal, 1 not equal\n  figures/fig8.pdf differs\n" in done.stdout
    assert re.fullmatch(
        r"BundleError: changed\.zip: not what harness makes of the runs in it, or has here: "
        r"figures/fig8\.pdf\. "
        r"Versions differ, which may be why: matplotlib 0\.\S+ there and \S+ here\.\n",
        done.stderr,
    )


def test_where_versions_are_the_same_a_change_is_called_one(made, tmp_path):
    contents = _contents(Path(made.stdout.strip()))
    del contents["tables/claims.csv"]
    manifest = json.loads(contents["manifest.json"])
    del manifest["members"]["tables/claims.csv"]
    contents["manifest.json"] = json.dumps(manifest).encode()
    write_zip(tmp_path / "changed.zip", contents)
    done = harness(tmp_path, "verify", "changed.zip")
    assert done.returncode == 2
    assert "  tables/claims.csv is not in the bundle, and harness makes it\n" in done.stdout
    assert done.stderr.endswith("so it was changed, or its harness was.\n")


def test_what_is_no_bundle_is_one_line_and_exit_2(tmp_path):
    done = harness(tmp_path, "verify", "none.zip")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "BundleError: none.zip: no file is there. `harness bundle` writes one.\n"
    )


def test_a_folder_is_no_file_to_write_and_nothing_is_made(project, tmp_path):
    done = harness(project, "bundle", "--scale", "demo", "--output", str(tmp_path))
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"BundleError: --output {tmp_path} is a folder. Name a file in it.\n"


def test_neither_command_needs_torch(made, verified):
    for done in (made, verified):
        assert "harness.bundle.verify" in done.loaded
        assert not {"torch", "detectron2"} & done.loaded


def _contents(bundle: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(bundle) as archive:
        return {name: archive.read(name) for name in archive.namelist()}
