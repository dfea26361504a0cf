"""What README says is true of the repository that it stands in.

Numbers are held against the commit, not the working tree: `make demo` writes the tables anew, on
another machine with other last digits.
"""

import io
import re
import subprocess
import tarfile
from pathlib import Path

import pytest
import typer

from harness.cli import app
from harness.paths import ResultsFolder
from harness.rebuild import rebuild
from harness.workplace import workplace

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def committed(tmp_path_factory) -> ResultsFolder:
    """README.md and the demo's results as they stand in the last commit."""
    command = ["git", "-C", str(ROOT), "archive", "HEAD", "README.md", "results/demo"]
    try:
        archive = subprocess.run(command, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"no commit to look at: {error}")
    folder = tmp_path_factory.mktemp("commit")
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        files.extractall(folder, filter="data")
    return ResultsFolder(folder / "results" / "demo")


def test_the_table_is_the_committed_demos(committed):
    readme = (committed.folder.parents[1] / "README.md").read_text(encoding="utf-8")
    shown = readme.partition("<!-- table2 -->\n")[2].partition("<!-- /table2 -->")[0]
    assert shown == committed.table("table2", "md").read_text(encoding="utf-8")


def test_a_clone_rebuilds_the_committed_tables_from_the_committed_metrics(
    committed, tmp_path, monkeypatch
):
    monkeypatch.chdir(ROOT)
    place = workplace("demo", None, tmp_path / "no runs")
    before = {path: path.read_bytes() for path in committed.folder.rglob("tables/*")}
    assert len(before) == 12  # three tables in four formats
    rebuild(place.grid(), place.runs, committed, place.published)
    assert before == {path: path.read_bytes() for path in before}


def test_every_command_that_is_named_exists():
    commands = set(typer.main.get_command(app).commands)
    named = set(re.findall(r"`harness ([a-z]+)", README))
    assert named
    assert named <= commands


def test_every_link_and_picture_is_there():
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []
