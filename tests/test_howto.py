"""experiments/README.md shows how to add a table, a loss and an architecture: done as it says.

The blocks of code are taken out of the text as they stand, applied to a copy of the project, and
run there.
"""

import json
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# A file's name, what becomes of it, and then its block.
SHOWN = re.compile(r"^`(\S+)`, [^\n]+:\n\n```(python|diff)\n(.+?)^```$", re.MULTILINE | re.DOTALL)
TABLE, LOSS, ARCHITECTURE = "Add a table", "Add a loss", "Add an architecture"

# What each of the commands prints.
SAY = """
import contextlib, io, json, sys
from harness.cli import app

said = []
for line in sys.argv[1:]:
    sys.argv = ["harness", *line.split()]
    with contextlib.redirect_stdout(io.StringIO()) as out:
        app(standalone_mode=False)
    said.append(out.getvalue())
print(json.dumps(said))
"""
# One iteration of the base, two of the fine-tune of each row: what was logged of those two.
TRAIN = """
import contextlib, json, sys
from dataclasses import replace
from pathlib import Path

from harness.detection.train import train
from harness.grid import Schedule, base_of
from harness.paths import RunsFolder
from harness.shapes import write_shapes
from harness.workplace import workplace

runs = RunsFolder(Path("runs"))
write_shapes(Path("shapes"), train_images=4, val_images=2, side=96)
logged = []
for name in sys.argv[1:]:
    grid = workplace("demo", None, runs.folder).grid([name.partition("/")[0]])
    spec = replace(
        next(cell.spec for cell in grid.cells if cell.name == name),
        schedule=Schedule(base_lr=0.01, steps=(1,), max_iter=3, warmup_iters=0),
        total_batch_size=2,
        checkpoint_every=1,
        data_dir="shapes",
    )
    with contextlib.redirect_stdout(sys.stderr):
        for one in (base_of(spec), spec):
            train(one, runs.run(one.run_id), runs)
    lines = runs.run(spec.run_id).metrics_log.read_text().splitlines()
    logged.append([json.loads(line) for line in lines])
print(json.dumps(logged))
"""
DICE, CASCADE = "my_losses/dice", "htc_r101/contour"


@dataclass(frozen=True)
class Block:
    """Code that is shown: a whole new file, or what changes in one."""

    path: str
    kind: str
    text: str


def blocks(section: str) -> list[Block]:
    readme = (ROOT / "experiments" / "README.md").read_text(encoding="utf-8")
    text = readme.partition(f"\n## {section}\n")[2].partition("\n## ")[0]
    found = [Block(*match.groups()) for match in SHOWN.finditer(text)]
    assert len(found) == len(re.findall(r"^```(?:python|diff)$", text, re.MULTILINE))
    return found


@dataclass(frozen=True)
class Project:
    """A copy of the project, in which harness is the copy's."""

    folder: Path

    def follow(self, section: str) -> None:
        for block in blocks(section):
            path = self.folder / block.path
            if block.kind == "diff":
                command = ["git", "apply", "--verbose", "-"]
                subprocess.run(command, input=block.text, text=True, check=True, cwd=self.folder)
            else:
                assert not path.exists()
                path.write_text(block.text, encoding="utf-8")

    def python(self, code: str, *arguments: str) -> str:
        command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=self.folder)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def said(self, *commands: str) -> list[str]:
        """What commands print, given one after the other."""
        return json.loads(self.python(SAY, *commands))


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Project:
    """In which all three sections were followed."""
    folder = tmp_path_factory.mktemp("project")
    for name in ("harness", "experiments", "results/published"):
        unused = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=unused)
    shutil.copy(ROOT / "pyproject.toml", folder)
    made = Project(folder)
    for section in (TABLE, LOSS, ARCHITECTURE):
        made.follow(section)
    return made


@pytest.fixture(scope="module")
def trained(project) -> dict[str, list[dict[str, float]]]:
    """What was logged of the two rows that the how-tos add, by name."""
    names = (DICE, CASCADE)
    return dict(zip(names, json.loads(project.python(TRAIN, *names)), strict=True))


@pytest.mark.parametrize("section", [TABLE, LOSS, ARCHITECTURE])
def test_each_takes_less_than_thirty_lines(section):
    shown = blocks(section)
    assert shown
    assert sum(len(block.text.splitlines()) for block in shown) < 30


@pytest.mark.parametrize("section", [LOSS, ARCHITECTURE])
def test_each_touches_one_file_of_harness_that_is_there(section):
    changed = [one.path for one in blocks(section) if (ROOT / one.path).exists()]
    assert len([path for path in changed if path.startswith("harness/")]) == 1


def test_what_is_shown_has_the_format_and_the_style_of_the_project(project):
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "."]
        done = subprocess.run(command, capture_output=True, text=True, cwd=project.folder)
        assert done.returncode == 0, done.stdout


def test_a_table_of_ones_own_is_planned_and_shown_in_a_folder_of_ones_own(tmp_path):
    (tmp_path / "experiments").mkdir()
    project = Project(tmp_path)
    project.follow(TABLE)
    plan, table = project.said("plan my_losses --json", "table my_losses --format md")
    assert [cell["row"] for cell in json.loads(plan)["cells"]] == ["baseline", "contour", "half"]
    assert len(json.loads(plan)["runs"]) == 4  # and their base
    assert "| half | — | — |" in table
    assert "- — in baseline, contour, half: not trained yet." in table


def test_a_loss_of_ones_own_has_an_id_and_is_compared_with_the_baseline(project):
    plan, verdicts = project.said("plan table1 my_losses --json", "verdicts my_losses --format md")
    ids = {cell["name"]: cell["run_id"] for cell in json.loads(plan)["cells"]}
    # The rows that Table I has cost nothing.
    assert ids["my_losses/baseline"] == ids["table1/baseline"]
    assert ids["my_losses/contour"] == ids["table1/k=2"]
    assert len(set(ids.values())) == 9  # Table I's seven, `half` and `dice`
    assert "**dice − baseline**" in verdicts


def test_a_loss_of_ones_own_refuses_what_it_does_not_take(project):
    refused = """
from harness.errors import SpecError
from harness.grid import Loss
try:
    Loss(name="dice", k=2)
except SpecError as error:
    print(error)
"""
    assert project.python(refused) == "k=2: loss 'dice' has no k. Leave k out.\n"


def test_an_architecture_of_ones_own_is_planned(project):
    (plan,) = project.said("plan htc_r101 --json")
    names = {run["name"]: run["gpu_hours"] for run in json.loads(plan)["runs"]}
    # 0.525 s an image: the base has 120,000 iterations of 8, a fine-tune 60,000.
    assert names["base htc_R101_FPN"] == pytest.approx(140)
    assert names["htc_r101/contour"] == pytest.approx(70)


@pytest.mark.slow
def test_a_loss_of_ones_own_is_trained_and_logged(trained):
    lines = trained[DICE]
    assert [line["iteration"] for line in lines] == [2, 3]
    assert all(0 < line["loss_dice"] < 1 for line in lines)
    terms = [name for name in lines[0] if name.startswith("loss_")]
    assert lines[0]["total_loss"] == pytest.approx(sum(lines[0][name] for name in terms))


@pytest.mark.slow
def test_an_architecture_of_ones_own_is_trained_and_logged(trained):
    lines = trained[CASCADE]
    assert [line["iteration"] for line in lines] == [2, 3]
    assert {f"loss_contour_stage{stage}" for stage in range(3)} < set(lines[0])
