"""The notebooks: nothing but calls of harness, no outputs in git, and they run as they stand.

They run here without a front end, as where a notebook is exported: what sliders change must be
shown all the same.
"""

import ast
import base64
import html
import re
from functools import cache
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from harness.illustrate.fig9 import fig9
from harness.illustrate.pair import read_pair
from harness.illustrate.worst import worst_pictures
from harness.records import read_metrics
from harness.report.style import png
from harness.workplace import Workplace
from tests.notebooks.conftest import TRAINED

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
CLEAR = "Clear outputs with the command in notebooks/README.md."
METADATA = {  # by which VS Code and JupyterLab know the kernel; no outputs, versions or widgets
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
MOST_SECONDS = 60  # of a cell

# How cells begin.
TABLE_1, FIG_9, BROWSER = 'HTML(table_text(grid, "table1"', "show(partial(fig9", "browse("


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def test_readme_names_every_notebook_and_no_other():
    named = re.findall(r"\]\((\w+\.ipynb)\)", (FOLDER / "README.md").read_text(encoding="utf-8"))
    assert named == [path.name for path in NOTEBOOKS]
    assert named


@each
def test_a_notebook_is_valid_and_has_no_outputs(path):
    notebook = read(path)
    nbformat.validate(notebook)
    assert notebook.metadata == METADATA, CLEAR
    assert all(cell.metadata == {} for cell in notebook.cells), CLEAR
    ids = [cell.id for cell in notebook.cells]
    assert len(set(ids)) == len(ids)
    for cell in code_cells(notebook):
        assert cell.outputs == [], CLEAR
        assert cell.execution_count is None, CLEAR


@each
def test_a_notebook_defines_nothing(path):
    for cell in code_cells(read(path)):
        nodes = list(ast.walk(ast.parse(cell.source)))
        definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        assert [node for node in nodes if isinstance(node, definitions)] == []


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A function that runs a notebook of a project from top to bottom, in a kernel of its own."""
    jupyter = tmp_path_factory.mktemp("jupyter")

    @cache
    def executed(project: Path, name: str) -> nbformat.NotebookNode:
        folder = project / "notebooks"  # where JupyterLab runs them
        where = {"metadata": {"path": str(folder)}}
        client = NotebookClient(read(folder / name), timeout=MOST_SECONDS, resources=where)
        return client.execute()

    with pytest.MonkeyPatch.context() as patch:
        for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
            patch.setenv(name, str(jupyter / name))
        patch.delenv("HARNESS_RUNS", raising=False)
        yield executed


def folder_of(place: Workplace) -> Path:
    return place.experiments.parent


def shown(cell: nbformat.NotebookNode, kind: str) -> list[str]:
    return [output.data[kind] for output in cell.outputs if kind in output.get("data", {})]


def shown_by(notebook: nbformat.NotebookNode, call: str, kind: str) -> str:
    """What the one cell that begins with `call` shows."""
    (cell,) = (cell for cell in code_cells(notebook) if cell.source.startswith(call))
    (content,) = shown(cell, kind)
    return content


@pytest.mark.slow
@each
def test_a_notebook_runs_from_top_to_bottom_and_shows_each_result(run, small, path):
    first, *cells = code_cells(run(folder_of(small), path.name))
    assert first.outputs == []  # names and imports, and no warnings
    for cell in cells:
        assert shown(cell, "image/png") or shown(cell, "text/html") or shown(cell, "text/markdown")
        assert [output for output in cell.outputs if output.output_type == "stream"] == []
        if cell.source.startswith(("explore(", "browse(")):
            # The picture, for where nothing shows sliders; and they, for where something does.
            assert len(shown(cell, "image/png") + shown(cell, "text/html")) == 1
            assert len(shown(cell, "application/vnd.jupyter.widget-view+json")) == 1


def ids(place: Workplace) -> dict[str, str]:
    """Run ids of the rows of Table I that are trained in `small`, by name."""
    cells = place.known_grid(["table1"]).cells
    return {cell.name: cell.spec.run_id for cell in cells if cell.name in TRAINED}


@pytest.mark.slow
@pytest.mark.parametrize("project", ["small", "clone"])
def test_results_are_the_numbers_that_runs_have_left(run, project, request):
    place = request.getfixturevalue(project)
    table = shown_by(run(folder_of(place), "02_results.ipynb"), TABLE_1, "text/html")
    for run_id in ids(place).values():
        ap = read_metrics(place.results.metrics(run_id), run_id).ap["segm"]["AP"]
        assert ap > 0
        assert f">{ap:.2f}<" in table
        assert run_id in table
    assert ("not trained yet" in table) == (project == "small")  # of the demo all rows are


@pytest.mark.slow
def test_masks_are_drawn_and_each_object_is_in_a_table(run, small):
    notebook = run(folder_of(small), "03_masks.ipynb")
    grid = small.known_grid()
    drawn = base64.b64decode(shown_by(notebook, FIG_9, "image/png"))
    assert drawn == png(fig9(grid, small.runs))

    a, b = (grid.runs[run_id] for run_id in ids(small).values())
    name_a, name_b = (f"{row} · {run_id}" for row, run_id in ids(small).items())
    (picture,) = worst_pictures(read_pair(a, b, (name_a, name_b), small.runs), 1)
    browser = shown_by(notebook, BROWSER, "text/html")
    assert base64.b64encode(picture.content).decode() in browser
    objects = picture.change.objects
    numbers = re.findall("<td>(.+?)</td>", browser)  # eight of each object
    assert numbers[0::8] == [f"{one.mask_iou[0]:.1f}" for one in objects]
    assert numbers[4::8] == [f"{one.boundary_iou[1]:.1f}" for one in objects]


@pytest.mark.slow
@pytest.mark.parametrize("call", [FIG_9, BROWSER])
def test_without_runs_masks_tell_which_is_missing_and_the_command_that_makes_it(run, clone, call):
    words = html.unescape(shown_by(run(folder_of(clone), "03_masks.ipynb"), call, "text/html"))
    run_id = ids(clone)["table1/baseline"]
    assert f"Run {run_id} is not scored" in words
    assert f"Next: `harness run {run_id} --scale demo --runs {clone.runs.folder}`" in words
