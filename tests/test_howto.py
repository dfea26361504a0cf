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

CLI = "from harness.cli import main; main()"
# One iteration of the base, two of the fine-tune: what was logged of those two.
TRAIN = """
import sys
from dataclasses import replace
from pathlib import Path

from harness.detection.train import train
from harness.grid import Schedule, base_of
from harness.paths import RunsFolder
from harness.shapes import write_shapes
from harness.workplace import workplace

table, row = sys.argv[1:]
runs = RunsFolder(Path("runs"))
write_shapes(Path("shapes"), train_images=4, val_images=2, side=96)
cells = {cell.row: cell for cell in workplace("demo", None, runs.folder).grid([table]).cells}
spec = replace(
    cells[row].spec,
    schedule=Schedule(base_lr=0.01, steps=(1,), max_iter=3, warmup_iters=0),
    total_batch_size=2,
    checkpoint_every=1,
    data_dir="shapes",
)
for one in (base_of(spec), spec):
    train(one, runs.run(one.run_id), runs)
print(runs.run(spec.run_id).metrics_log.read_text())
"""


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

    def trained(self, table: str, row: str) -> list[dict[str, float]]:
        lines = self.python(TRAIN, table, row).splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


@pytest.fixture
def project(tmp_path) -> Project:
    for name in ("harness", "experiments", "results/published"):
        unused = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, tmp_path / name, ignore=unused)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return Project(tmp_path)


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
    for section in (TABLE, LOSS, ARCHITECTURE):
        project.follow(section)
    for check in (["check"], ["format", "--check"]):
        command = [sys.executable, "-m", "ruff", *check, "--no-cache", "."]
        done = subprocess.run(command, capture_output=True, text=True, cwd=project.folder)
        assert done.returncode == 0, done.stdout


def test_a_table_of_ones_own_is_planned_and_shown_in_a_folder_of_ones_own(tmp_path):
    (tmp_path / "experiments").mkdir()
    project = Project(tmp_path)
    project.follow(TABLE)
    plan = json.loads(project.python(CLI, "plan", "my_losses", "--json"))
    assert [cell["row"] for cell in plan["cells"]] == ["baseline", "contour", "half"]
    assert len(plan["runs"]) == 4  # and their base
    table = project.python(CLI, "table", "my_losses", "--format", "md")
    assert "| half | — | — |" in table
    assert "- — in baseline, contour, half: not trained yet." in table


def test_the_rows_that_table_1_has_cost_nothing(project):
    project.follow(TABLE)
    plan = json.loads(project.python(CLI, "plan", "table1", "my_losses", "--json"))
    ids = {cell["table"] + "/" + cell["row"]: cell["run_id"] for cell in plan["cells"]}
    assert ids["my_losses/baseline"] == ids["table1/baseline"]
    assert ids["my_losses/contour"] == ids["table1/k=2"]
    assert len(set(ids.values())) == 8  # Table I's seven, and `half`


def test_a_loss_of_ones_own_has_an_id_and_refuses_what_it_does_not_take(project):
    project.follow(TABLE)
    project.follow(LOSS)
    plan = json.loads(project.python(CLI, "plan", "my_losses", "--json"))
    ids = {cell["row"]: cell["run_id"] for cell in plan["cells"]}
    assert len(set(ids.values())) == 4
    refused = """
from harness.errors import SpecError
from harness.grid import Loss
try:
    Loss(name="dice", k=2)
except SpecError as error:
    print(error)
"""
    assert project.python(refused) == "k=2: loss 'dice' has no k. Leave k out.\n"


def test_a_loss_of_ones_own_is_compared_with_the_baseline(project):
    project.follow(TABLE)
    project.follow(LOSS)
    assert "**dice − baseline**" in project.python(CLI, "verdicts", "my_losses", "--format", "md")


@pytest.mark.slow
def test_a_loss_of_ones_own_is_trained_and_logged(project):
    project.follow(TABLE)
    project.follow(LOSS)
    lines = project.trained("my_losses", "dice")
    assert [line["iteration"] for line in lines] == [2, 3]
    assert all(0 < line["loss_dice"] < 1 for line in lines)
    terms = [name for name in lines[0] if name.startswith("loss_")]
    assert lines[0]["total_loss"] == pytest.approx(sum(lines[0][name] for name in terms))


@pytest.mark.slow
def test_an_architecture_of_ones_own_is_planned_and_trained(project):
    project.follow(ARCHITECTURE)
    plan = json.loads(project.python(CLI, "plan", "htc_r101", "--json"))
    names = {run["name"]: run["gpu_hours"] for run in plan["runs"]}
    # 0.525 s an image: the base has 120,000 iterations of 8, a fine-tune 60,000.
    assert names["base htc_R101_FPN"] == pytest.approx(140)
    assert names["htc_r101/contour"] == pytest.approx(70)
    lines = project.trained("htc_r101", "contour")
    assert [line["iteration"] for line in lines] == [2, 3]
    assert {f"loss_contour_stage{stage}" for stage in range(3)} < set(lines[0])
