"""Who may import whom, and that a login node needs no torch."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.grid.losses import LOSS_TERMS

ROOT = Path(__file__).parents[1]
STANDARD = frozenset(sys.stdlib_module_names)

# What each part of harness may import when it is itself imported: other parts of harness, and
# packages that are not in the standard library.
MAY_IMPORT = {
    "__init__": "",
    "errors": "",
    "files": "errors",
    "paths": "errors files",
    "stop": "",
    "records": "errors files",
    "replicates": "errors files records numpy",
    "lease": "errors files",
    "data": "errors files paths PIL",
    "grid": "errors files paths records lease data",
    "losses": "torch",
    "shapes": "errors data numpy PIL pycocotools",
    "detection": "errors files paths stop data grid torch safetensors detectron2 fvcore numpy "
    "omegaconf PIL",
    "evaluation": "errors files records replicates data numpy numba pycocotools hotcoco",
    "statistics": "numpy scipy",
    "launch": "errors files paths stop records lease data grid submitit __init__",
    "slurm": "errors files paths stop records lease data grid launch submitit pydantic __init__",
    "collect": "errors files paths records replicates data grid statistics pandas",
    "report": "errors records grid statistics pandas numpy matplotlib jinja2 markupsafe",
    "illustrate": "errors paths records replicates data shapes grid evaluation report pandas numpy "
    "scipy matplotlib contourpy pycocotools PIL",
    "bundle": "__init__ errors files paths records replicates grid launch workplace pydantic",
    "terminal": "paths bundle data evaluation grid launch slurm report statistics rich",
    "reporting": "errors paths records collect grid launch slurm rebuild report workplace pandas",
    "rebuild": "errors files paths grid collect report pandas matplotlib",
    "workplace": "errors paths grid",
    "commands": "errors files paths records collect data evaluation grid launch slurm statistics "
    "terminal workplace",
    "cli": "errors files paths typer",
}
# What it may import inside a function, when it comes to that: the arrows that would otherwise load
# torch, submitit or rich on the way to `--help`.
MAY_IMPORT_LATER = {
    "bundle": "rebuild",
    "collect": "evaluation",
    "detection": "losses",
    "illustrate": "losses torch torchvision IPython ipywidgets",
    "reporting": "illustrate",
    "launch": "detection evaluation replicates shapes",
    "commands": "bundle rebuild report reporting detection illustrate matplotlib",
    "cli": "records grid launch slurm terminal rebuild commands workplace",
}


def imported(tree: ast.Module) -> set[tuple[str, bool]]:
    """(module, whether at the top of the file) of each import.

    A file that resolves names imports the modules that the table of losses names.
    """
    top = {id(node) for node in tree.body}
    found = set()
    if any(isinstance(node, ast.Name) and node.id == "resolve_name" for node in ast.walk(tree)):
        found |= {(term.function.partition(":")[0], False) for term in LOSS_TERMS.values()}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {(alias.name, id(node) in top) for alias in node.names}
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0, "relative imports hide the arrow"
            if node.module == "harness":
                found |= {(f"harness.{alias.name}", id(node) in top) for alias in node.names}
            else:
                found.add((str(node.module), id(node) in top))
    return found


def part(module: str) -> str:
    """The part of harness, or the third-party package, that `module` belongs to; "" for neither."""
    first, *rest = module.split(".")
    if first == "harness":
        return rest[0] if rest else "__init__"
    return "" if first in STANDARD else first


def part_of_file(file: Path) -> str:
    return file.relative_to(ROOT / "harness").parts[0].removesuffix(".py")


def unused(where: str, found: set[tuple[str, bool]]) -> list[str]:
    """Entries of the tables for the part `where` that none of its imports `found` needs."""
    now, later = MAY_IMPORT[where].split(), MAY_IMPORT_LATER.get(where, "").split()
    used = {(part(module), at_top) for module, at_top in found}
    return [
        *(name for name in now if (name, True) not in used),
        *(f"{name}, later" for name in later if name in now or (name, False) not in used),
    ]


def breaches(where: str, tree: ast.Module) -> list[str]:
    now = {where, *MAY_IMPORT[where].split()}
    later = now | set(MAY_IMPORT_LATER.get(where, "").split())
    return [
        f"{where} imports {module}{'' if at_top else ' inside a function'}"
        for module, at_top in sorted(imported(tree))
        if (name := part(module)) and name not in (now if at_top else later)
    ]


@pytest.mark.parametrize(
    "file", sorted((ROOT / "harness").rglob("*.py")), ids=lambda f: str(f.relative_to(ROOT))
)
def test_each_file_imports_only_what_its_part_may(file):
    assert breaches(part_of_file(file), ast.parse(file.read_text())) == []


@pytest.mark.parametrize("file", sorted((ROOT / "experiments").glob("*.py")), ids=lambda f: f.name)
def test_experiments_import_harness_grid_only(file):
    assert {module for module, _ in imported(ast.parse(file.read_text()))} <= {"harness.grid"}


def beyond_standard(tree: ast.Module) -> set[str]:
    """The modules imported that are neither in the standard library nor of the test cluster."""
    named = {module for module, _ in imported(tree) if part(module)}
    return {module for module in named if not module.startswith("slurm.devcluster.")}


@pytest.mark.parametrize(
    "file", sorted((ROOT / "slurm" / "devcluster").glob("*.py")), ids=lambda f: f.name
)
def test_the_test_cluster_needs_the_standard_library_only(file):
    assert beyond_standard(ast.parse(file.read_text())) == set()


def test_what_the_test_cluster_may_not_import_is_found():
    source = "import numpy\ndef late():\n    from harness.files import write_json"
    assert beyond_standard(ast.parse(source)) == {"numpy", "harness.files"}


@pytest.mark.parametrize(
    ("where", "source"),
    [
        ("data", "import numpy"),
        ("grid", "import torch"),
        ("grid", "def late():\n    import torch"),
        ("report", "from harness.launch import status"),
        ("statistics", "import pandas"),
        ("launch", "from harness.detection.train import train"),
        ("collect", "import detectron2.engine"),
        ("cli", "import rich"),
        ("grid", "from pkgutil import resolve_name\nhow = resolve_name('any:name')"),
    ],
)
def test_the_rule_finds_a_breach(where, source):
    assert len(breaches(where, ast.parse(source))) == 1


def test_the_table_names_every_part_and_no_other():
    here = {part_of_file(file) for file in (ROOT / "harness").rglob("*.py")}
    assert here == set(MAY_IMPORT)


@pytest.mark.parametrize("where", MAY_IMPORT)
def test_the_tables_allow_nothing_that_nobody_imports(where):
    files = [one for one in (ROOT / "harness").rglob("*.py") if part_of_file(one) == where]
    found = set().union(*(imported(ast.parse(file.read_text())) for file in files))
    assert unused(where, found) == []


def test_an_entry_that_nobody_needs_is_found():
    used = {("harness.errors", True), ("harness.paths", True), ("harness.grid.experiments", True)}
    assert unused("workplace", used) == []
    assert unused("workplace", used - {("harness.paths", True)}) == ["paths"]
    assert "rebuild, later" not in unused("bundle", {("harness.rebuild", False)})
    assert "rebuild, later" in unused("bundle", {("harness.rebuild", True)})


# Given in one process, one after the other: what is not loaded after one of them was loaded by none
# of those before it either.
COMMANDS = (
    ("--help",),
    ("plan",),
    ("plan", "--json"),
    ("prepare",),
    ("status", "--scale", "demo"),
    ("plan", "--power"),
    ("table", "table1"),
    ("verdicts",),
    ("figure", "fig8"),
)
IN_ONE_PROCESS = """
import contextlib, io, json, sys
from importlib import import_module
from harness.cli import app

def command(*arguments):
    sys.argv = ["harness", *arguments]
    with contextlib.redirect_stdout(io.StringIO()):
        app(standalone_mode=False)  # what goes wrong in it ends this process

told = []
for does, arguments in json.loads(sys.stdin.read()):
    {"command": command, "import": import_module}[does](*arguments)
    told.append(sorted(sys.modules))
print(json.dumps(told))
"""
PICTURES = ("harness.illustrate.worst", "harness.illustrate.fig9")


@pytest.fixture(scope="module")
def project(tmp_path_factory) -> Path:
    """A project of a login node: experiments and published numbers, no runs."""
    folder = tmp_path_factory.mktemp("login")
    (folder / "results").mkdir()
    for name in ("experiments", "results/published"):
        (folder / name).symlink_to(ROOT / name)
    return folder


@pytest.fixture(scope="module")
def loaded(project) -> dict[tuple[str, ...], set[str]]:
    """The modules that are there after each of these commands and imports, in this order."""
    steps = [
        *(("command", one) for one in COMMANDS),
        *(("import", [one]) for one in (*PICTURES, "harness.losses")),
    ]
    done = subprocess.run(
        [sys.executable, "-c", IN_ONE_PROCESS],
        input=json.dumps(steps),
        capture_output=True,
        text=True,
        check=True,
        cwd=project,
        env={"PATH": "", "HARNESS_RUNS": str(project / "runs")},
    )
    modules = map(set, json.loads(done.stdout.splitlines()[-1]))
    return dict(zip((tuple(what) for _, what in steps), modules, strict=True))


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
def test_a_login_node_needs_neither_torch_nor_detectron2(arguments, loaded):
    assert not {"torch", "detectron2"} & loaded[arguments]


def test_figure_8_is_drawn_there(project, loaded):
    assert "matplotlib" in loaded["figure", "fig8"]
    assert (project / "results" / "paper" / "figures" / "fig8.pdf").exists()


@pytest.mark.parametrize("module", PICTURES)
def test_pictures_of_predictions_need_no_torch(module, loaded):
    assert module in loaded[(module,)]
    assert not {"torch", "detectron2"} & loaded[(module,)]


def test_a_plan_loads_scipy_only_where_power_is_asked_for(loaded):
    assert not {"scipy", "numpy"} & loaded["plan", "--json"]
    assert "scipy" in loaded["plan", "--power"]


def test_no_command_loads_the_distributions_of_scipy(loaded):
    # They take a second; the few that are needed are in scipy.special.
    assert "scipy.special" in loaded["verdicts",]
    assert "scipy.stats" not in loaded["verdicts",]


def test_the_check_for_torch_can_fail(loaded):
    assert "torch" in loaded["harness.losses",]
