"""The notebooks: nothing but calls of harness, no outputs in git, and they run as they stand.

They run here without a front end, as where a notebook is exported: what sliders change must be
shown all the same.
"""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

FOLDER = Path(__file__).parents[2] / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))
each = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
CLEAR = "Clear outputs: jupyter nbconvert --clear-output --inplace notebooks/*.ipynb"
MOST_SECONDS = 60  # of a cell


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
    assert notebook.metadata.kernelspec.name == "python3"
    assert "widgets" not in notebook.metadata
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


@pytest.fixture
def run(tmp_path, monkeypatch):
    """A function that runs a notebook of the folder from top to bottom, in a kernel of its own."""
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))

    def executed(path: Path) -> nbformat.NotebookNode:
        where = {"metadata": {"path": str(FOLDER)}}
        client = NotebookClient(read(path), timeout=MOST_SECONDS, resources=where)
        return client.execute()

    return executed


def shown(cell: nbformat.NotebookNode, kind: str) -> list[str]:
    return [output.data[kind] for output in cell.outputs if kind in output.get("data", {})]


@pytest.mark.slow
@each
def test_a_notebook_runs_from_top_to_bottom_and_shows_each_result(run, path):
    first, *cells = code_cells(run(path))
    assert first.outputs == []  # names and imports, and no warnings
    for cell in cells:
        assert shown(cell, "image/png") or shown(cell, "text/html") or shown(cell, "text/markdown")
        assert [output for output in cell.outputs if output.output_type == "stream"] == []
        if cell.source.startswith("explore("):
            # The picture, for where nothing shows sliders; and they, for where something does.
            assert len(shown(cell, "image/png")) == 1
            assert len(shown(cell, "application/vnd.jupyter.widget-view+json")) == 1
