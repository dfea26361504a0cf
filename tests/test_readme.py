"""What README and its like say is true of the repository that they stand in.

Numbers are held against the commit, not the working tree: `make demo` writes the tables anew, on
another machine with other last digits.
"""

import io
import re
import subprocess
import tarfile
from dataclasses import replace
from pathlib import Path

import pytest
import typer

from harness.cli import app
from harness.paths import ResultsFolder
from harness.rebuild import rebuild
from harness.slurm.site import Site
from harness.workplace import workplace

ROOT = Path(__file__).parents[1]
DOCUMENTS = (
    "README.md",
    "CONTRIBUTING.md",
    "experiments/README.md",
    "notebooks/README.md",
    "slurm/README.md",
    "slurm/devcluster/README.md",
)


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
    assert len(before) == 26  # three tables and their differences in four formats, claims in two
    grid = replace(place, results=committed).known_grid()
    assert grid.seeds == (0,)  # else `make demo` would show seeds that it has not trained
    rebuild(grid, place.runs, committed, place.published)
    assert before == {path: path.read_bytes() for path in before}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_command_that_is_named_exists(name):
    commands = typer.main.get_command(app).commands
    text = (ROOT / name).read_text(encoding="utf-8")
    # In a line, alone on a line of a block, or named after another: `harness status` · `fails`.
    named = set(re.findall(r"(?:`|^)harness ([a-z]+)", text, re.MULTILINE))
    for line in text.splitlines():
        if line.startswith("| `harness "):
            named |= set(re.findall(r" · `([a-z]+)", line.split(" | ")[0]))
    assert named <= set(commands)
    assert named or name not in ("README.md", "slurm/README.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_option_that_is_named_is_one_of_its_command(name):
    commands = typer.main.get_command(app).commands
    text = (ROOT / name).read_text(encoding="utf-8")
    # In a line up to its closing quote, or in a line of a block up to its comment.
    quoted = re.findall(r"`harness ([a-z]+)((?: [^`\n]+)?)`", text)
    alone = re.findall(r"^ *harness ([a-z]+)([^#\n]*)", text, re.MULTILINE)
    asked = [(one, o) for one, rest in quoted + alone for o in re.findall(r"--[a-z-]+", rest)]
    known = {
        one: {option for parameter in command.params for option in parameter.opts}
        for one, command in commands.items()
    }
    assert [pair for pair in asked if pair[1] not in known[pair[0]]] == []
    assert asked or name not in ("README.md", "experiments/README.md", "slurm/README.md")


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_link_and_picture_is_there(name):
    file = ROOT / name
    targets = re.findall(r"\]\(([^)#:]+)\)", file.read_text(encoding="utf-8"))
    assert [target for target in targets if not (file.parent / target).exists()] == []
    assert targets or name != "README.md"


def test_the_keys_of_a_site_that_are_named_exist():
    text = (ROOT / "slurm" / "README.md").read_text(encoding="utf-8")
    table = text.partition("| ask | it tells the key |")[2].partition("\n\n")[0]
    told = [line.split(" | ", 1)[1] for line in table.splitlines()[2:]]
    asked = {key for line in told for key in re.findall(r"`\[?([a-z_]+)(?:\]| = \w+)?`", line)}
    assert len(told) == 4
    assert {"partition", "requeue", "sbatch"} <= asked
    # Elsewhere in the text a key is what has an underscore, or a value.
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)(?: = \w+)?`|`(\w+) = \w+`", text))
    named = {key for pair in named for key in pair if key}
    assert named
    assert asked | named <= set(Site.model_fields)


def test_only_demo_score_and_verify_take_no_scale():
    commands = typer.main.get_command(app).commands
    without = {
        name
        for name, command in commands.items()
        if "scale" not in {parameter.name for parameter in command.params}
    }
    assert without == {"demo", "score", "verify"}
