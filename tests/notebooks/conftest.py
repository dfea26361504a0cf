"""Projects to run notebooks in: one whose runs are trained, and one as it is cloned."""

import shutil
from dataclasses import asdict
from pathlib import Path

import pytest

from harness.files import write_json
from harness.launch.job import run_here
from harness.rebuild import rebuild
from harness.shapes import write_shapes
from harness.workplace import Workplace, workplace

ROOT = Path(__file__).parents[2]
TRAINED = ("base mask_rcnn_R50_FPN", "table1/baseline", "table1/k=2")

# Below each experiment file: the same rows, trained for seconds.
SMALL = """

from dataclasses import replace

from harness.grid import Schedule

SMALL = Schedule(base_lr=0.02, steps=(80,), max_iter=95, warmup_iters=10)
whole = grid


def grid(setting):
    cells = whole(setting).cells
    specs = [replace(cell.spec, schedule=SMALL, total_batch_size=2) for cell in cells]
    small = [replace(cell, spec=spec) for cell, spec in zip(cells, specs)]
    return table_grid(NAME, LAYOUT, small)
"""


def copy_of_project(folder: Path, *parts: str) -> None:
    unused = shutil.ignore_patterns("__pycache__", ".ipynb_checkpoints")
    for part in parts:
        shutil.copytree(ROOT / part, folder / part, ignore=unused)


@pytest.fixture(scope="session")
def clone(tmp_path_factory) -> Workplace:
    """A project as it is cloned: with committed results, and no run."""
    folder = tmp_path_factory.mktemp("clone")
    copy_of_project(folder, "experiments", "notebooks", "results")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        return workplace("demo", None, folder / "runs")


@pytest.fixture(scope="session")
def small(tmp_path_factory) -> Workplace:
    """A project whose rows are small, the runs of `TRAINED` trained, scored and collected."""
    folder = tmp_path_factory.mktemp("small")
    copy_of_project(folder, "experiments", "notebooks", "results/published")
    for file in folder.glob("experiments/*.py"):
        file.write_text(file.read_text(encoding="utf-8") + SMALL, encoding="utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        place = workplace("demo", None, folder / "runs")
        write_shapes(place.setting.shapes_dir, train_images=40, val_images=8, side=96)
        grid = place.grid()
        ids = {grid.name_of(run_id): run_id for run_id in grid.runs}
        for name in TRAINED:
            paths = place.runs.run(ids[name])
            write_json(paths.spec, asdict(grid.runs[ids[name]]))
            run_here(paths.folder)
        rebuild(grid, place.runs, place.results, place.published)
    return place
