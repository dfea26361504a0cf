"""What README says is true of the repository that it stands in."""

import re
import shutil
from pathlib import Path

import typer

from harness.cli import app
from harness.paths import ResultsFolder
from harness.rebuild import rebuild
from harness.workplace import workplace

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COMMITTED = ResultsFolder(ROOT / "results" / "demo")


def test_the_table_is_the_committed_demos():
    shown = README.partition("<!-- table2 -->\n")[2].partition("<!-- /table2 -->")[0]
    assert shown == COMMITTED.table("table2", "md").read_text(encoding="utf-8")


def test_every_command_that_is_named_exists():
    commands = set(typer.main.get_command(app).commands)
    named = set(re.findall(r"`harness ([a-z]+)", README))
    assert named
    assert named <= commands


def test_every_link_and_picture_is_there():
    targets = re.findall(r"\]\(([^)]+)\)", README)
    assert targets
    assert [target for target in targets if not (ROOT / target).exists()] == []


def test_a_clone_rebuilds_the_committed_tables_from_the_committed_metrics(tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    copy = ResultsFolder(tmp_path / "demo")
    shutil.copytree(COMMITTED.all_metrics, copy.all_metrics)
    place = workplace("demo", None, tmp_path / "no runs")
    for path in rebuild(place.grid(), place.runs, copy, place.published):
        if path.parent.name == "tables":
            committed = COMMITTED.folder / path.relative_to(copy.folder)
            assert path.read_bytes() == committed.read_bytes(), path.name
