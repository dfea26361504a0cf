"""Commands as a user gives them: what goes where, exit codes, and one clear line for bad input."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from harness.shapes import write_shapes

ROOT = Path(__file__).parents[1]


@pytest.fixture
def harness(tmp_path):
    """A function that runs a command in the checkout, with runs of its own."""

    def call(*arguments: str, **options):
        return subprocess.run(
            [sys.executable, "-c", "from harness.cli import main; main()", *arguments],
            capture_output=True,
            text=True,
            cwd=options.get("cwd", ROOT),
            env={"HARNESS_RUNS": str(tmp_path / "runs"), "PATH": "", **options.get("env", {})},
        )

    return call


def refused(done: subprocess.CompletedProcess) -> str:
    """The message of a command that was refused: exit 2, nothing on stdout, no traceback."""
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert "Traceback" not in done.stderr
    return done.stderr


def test_plan_prints_one_json_object_with_19_cells_and_19_runs(harness):
    planned = json.loads(harness("plan", "--json").stdout)
    assert len(planned["cells"]) == 19  # 7 + 4 + 8 rows
    stages = [run["stage"] for run in planned["runs"]]
    assert (stages.count("finetune"), stages.count("base")) == (15, 4)
    assert set(planned["cells"][0]) >= {"table", "row", "run_id"}
    keys = {"run_id", "name", "stage", "parent", "state", "gpu_hours"}
    assert set(planned["runs"][0]) >= keys
    assert set(planned["gpu_hours"]) == {"plan", "distinct_from_scratch", "from_scratch"}


def test_a_plan_of_two_seeds_has_every_cell_twice_and_bases_for_each(harness):
    once = json.loads(harness("plan", "--json").stdout)
    planned = json.loads(harness("plan", "--seeds", "2", "--json").stdout)
    assert [cell["seed"] for cell in planned["cells"]] == [0] * 19 + [1] * 19
    assert len({run["run_id"] for run in planned["runs"]}) == 2 * 19
    assert [run["run_id"] for run in planned["runs"][:19]] == [
        run["run_id"] for run in once["runs"]
    ]
    assert planned["runs"][19]["name"] == "base mask_rcnn_R50_FPN/seed=1"
    hours = planned["gpu_hours"], once["gpu_hours"]
    assert {way: hours[0][way] / hours[1][way] for way in hours[1]} == pytest.approx(
        {"plan": 2, "distinct_from_scratch": 2, "from_scratch": 2}
    )


def test_status_knows_the_seeds_that_were_started_without_being_told(harness, tmp_path):
    planned = json.loads(harness("plan", "--seeds", "2", "--json").stdout)
    (tmp_path / "runs" / planned["runs"][-1]["run_id"]).mkdir(parents=True)
    listed = json.loads(harness("status", "--json").stdout)
    assert {run["name"] for run in listed} == {run["name"] for run in planned["runs"]}
    message = refused(harness("logs", "table1/k=2"))
    assert "'table1/k=2' means 2 runs: table1/k=2/seed=0 · " in message


def test_a_table_on_request_is_printed_where_it_is_named(harness):
    lines = harness("table", "table1_sound", "--format", "csv").stdout.splitlines()
    assert len(lines) == 8  # a header, the baseline, k = 1 to 6
    assert len(json.loads(harness("plan", "table1_sound", "--json").stdout)["runs"]) == 8


def test_every_finetune_of_the_plan_starts_from_a_base_of_the_plan(harness):
    planned = json.loads(harness("plan", "--json").stdout)
    bases = {run["run_id"] for run in planned["runs"] if run["stage"] == "base"}
    parents = {run["parent"] for run in planned["runs"] if run["stage"] == "finetune"}
    assert parents == bases


def test_plan_writes_nothing(harness, tmp_path):
    harness("plan", "--scale", "demo")
    assert list(tmp_path.iterdir()) == []


def test_plan_of_one_experiment_has_its_rows_only(harness):
    planned = json.loads(harness("plan", "table2", "--json").stdout)
    assert [cell["row"] for cell in planned["cells"]] == [
        "baseline",
        "mse_edge",
        "mse_contour",
        "contour",
    ]


def test_plan_tells_what_seeds_can_settle_where_it_is_asked(harness):
    assert "power" not in json.loads(harness("plan", "table1", "--json").stdout)
    planned = json.loads(harness("plan", "table1", "--power", "--json").stdout)
    assert [one["difference"] for one in planned["power"]["needed"]] == [0.1, 0.2, 0.3]
    assert planned["power"]["gpu_hours_per_seed"] == planned["gpu_hours"]["plan"]
    told = harness("plan", "table1", "--noise", "0.2").stdout  # a noise asks for it too
    assert "0.20 AP between seeds. Stated with --noise, not measured." in told


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["plan", "tabel1"], "Unknown experiment 'tabel1'. Did you mean 'table1'?"),
        (["plan", "--gpus", "2"], "trains on 4 GPUs, and there are 2. Give --gpus 4 or more"),
        (["plan", "--noise", "0"], "--noise is 0, but a standard deviation is above 0 and finite"),
        (["plan", "--seeds", "0"], "--seeds 0: a grid has 1 to 32 seeds."),
        (["submit", "--site", "local", "--seeds", "33"], "--seeds 33: a grid has 1 to 32 seeds."),
        (["run", "table1/k=2/seed=32"], "Unknown run 'table1/k=2/seed=32': 'table1/k=2' has seed"),
        (["plan", "--scale", "dmeo"], "Unknown scale 'dmeo'. Did you mean 'demo'?"),
        (["submit", "--site", "lokal"], "Unknown site 'lokal'. Did you mean 'local'?"),
        (["table", "table9"], "Unknown table 'table9'. Did you mean"),
        (["table", "table1", "--format", "mdd"], "Unknown format 'mdd'. Did you mean 'md'?"),
        (["verdicts", "tabel1"], "Unknown table 'tabel1'. Did you mean 'table1'?"),
        (["verdicts", "--format", "pdf"], "Unknown format 'pdf'. Known formats: csv, html, latex"),
        (["figure", "fig1"], "Unknown figure 'fig1'. Did you mean 'fig"),
        (["benchmark", "table1/k=9"], "Unknown run 'table1/k=9'. Did you mean 'table1/"),
        (["logs", "table1/k=9"], "Unknown run 'table1/k=9'. Did you mean 'table1/"),
        (
            ["submit", "--site", "local", "--only", "nothing"],
            "Unknown run 'nothing'. Known runs: base htc",
        ),
        (["submit", "--site", "local"], "trains on 4 GPUs; site 'local'"),
        (["plan", "--data", "/no/such/folder"], "No folder at /no/such/folder"),
        (["logs", "table1/k=2"], "was never started"),
    ],
)
def test_bad_input_gets_one_clear_line_and_exit_2(harness, arguments, message):
    assert message in refused(harness(*arguments))


def test_a_mistake_in_an_experiment_file_names_the_file(harness, tmp_path):
    folder = tmp_path / "experiments"
    folder.mkdir()
    (folder / "broken.py").write_text("from harness.grid import contour\ncontour(k=0)\n")
    assert "k=0 of loss 'contour'" in refused(harness("plan", cwd=tmp_path))
    (folder / "broken.py").write_text("import harness\n1 / 0\n")
    assert "broken.py cannot be read: ZeroDivisionError" in refused(harness("plan", cwd=tmp_path))
    (folder / "broken.py").write_text("import harness\nNAME = 'half'\n")
    assert "needs a NAME and a function grid" in refused(harness("plan", cwd=tmp_path))


def test_metrics_cut_in_half_are_named_with_the_way_out(harness, tmp_path):
    experiments = tmp_path / "experiments"
    experiments.symlink_to(ROOT / "experiments")
    planned = json.loads(harness("plan", "table1", "--json", cwd=tmp_path).stdout)
    run_id = planned["cells"][0]["run_id"]
    cut = tmp_path / "results" / "paper" / "metrics" / f"{run_id}.json"
    cut.parent.mkdir(parents=True)
    cut.write_text('{"schema": 1, "run_id"')
    message = refused(harness("table", "table1", cwd=tmp_path))
    assert f"{run_id}.json is not whole JSON" in message
    assert "Delete it and give `harness collect` where the run is" in message


def test_without_detectron2_nothing_is_started_and_the_way_to_get_it_is_told(harness, tmp_path):
    # A finder that hides detectron2, as on a machine that lacks it.
    (tmp_path / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "real = u.find_spec\n"
        "u.find_spec = lambda name, *rest: None if name == 'detectron2' else real(name, *rest)\n"
    )
    done = harness(
        "submit", "--site", "local", "--scale", "demo", env={"PYTHONPATH": str(tmp_path)}
    )
    message = refused(done)
    assert "detectron2 is not installed, so nothing was started" in message
    assert "make setup" in message
    assert not (tmp_path / "runs").exists()


def test_a_table_without_runs_prints_with_every_row_marked_missing(harness, tmp_path):
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "published").symlink_to(ROOT / "results" / "published")
    done = harness("table", "table3", "--format", "csv", cwd=tmp_path)
    assert done.returncode == 0
    lines = done.stdout.splitlines()
    assert len(lines) == 9  # a header and 8 rows
    assert sum("not trained yet" in line for line in lines) == 8


HOT = """
from dataclasses import replace
from harness.grid import NO_LOSS, Cell, Layout, finetune, table_grid

NAME = "hot"

def grid(setting):
    spec = finetune(setting, "mask_rcnn_R50_FPN", NO_LOSS)
    hot = replace(spec, schedule=replace(spec.schedule, base_lr=1e12, warmup_iters=0))
    layout = Layout(caption="", columns=("Method", "mAP"))
    return table_grid(NAME, layout, [Cell(NAME, "baseline", hot, {"Method": ""})])
"""


@pytest.mark.slow
def test_a_launched_run_that_fails_is_exit_1_blocks_its_child_and_tells_why(harness, tmp_path):
    # The first step at a learning rate of 1e12 throws the weights far out.
    write_shapes(tmp_path / "own", train_images=4, val_images=2, side=64)
    chosen = ("--scale", "demo", "--data", str(tmp_path / "own"))
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "hot.py").write_text(HOT)

    done = harness("submit", "--site", "local", *chosen, cwd=tmp_path)
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert "blocked: its base" in done.stderr
    assert f"Next: harness fails --scale demo --data {tmp_path / 'own'}" in done.stderr
    told = harness("fails", *chosen, cwd=tmp_path)
    assert told.returncode == 0
    assert "at iteration 2 of run" in told.stdout
    assert "Another base_lr or warm-up makes another run." in told.stdout


def test_prepare_tells_on_stdout_what_is_missing_and_how_to_fetch_it(harness, tmp_path):
    done = harness("prepare", "table2", env={"DETECTRON2_DATASETS": str(tmp_path)})
    assert done.returncode == 1
    assert "coco_2014_train is not here" in done.stdout
    [command] = [line for line in done.stdout.splitlines() if "zips/train2014.zip" in line]
    assert command.startswith(f"mkdir -p {tmp_path}/coco && cd {tmp_path}/coco && wget -c http://")
    assert not (tmp_path / "coco").exists()


def test_prepare_exits_0_where_nothing_is_wrong(harness, tmp_path):
    write_shapes(tmp_path / "own", train_images=2, val_images=1, side=64)
    arguments = ("prepare", "--scale", "demo", "--data", str(tmp_path / "own"))
    done = harness(*arguments)
    assert done.returncode == 0, done.stderr
    assert done.stdout.endswith("5 in order, 0 to look at, 0 wrong.\n")
    assert harness(*arguments).stdout == done.stdout
    (tmp_path / "own" / "val" / "000001.png").unlink()
    done = harness(*arguments)
    assert done.returncode == 1
    assert "1 of its 1 images are missing" in done.stdout


def test_prepare_fetches_data_and_weights_in_one_call(harness, tmp_path):
    # At demo scale no data is fetched; that the weights are asked for too is told by their error.
    nowhere = {"https_proxy": "http://127.0.0.1:9", "HARNESS_WEIGHTS": str(tmp_path / "weights")}
    done = harness("prepare", "--scale", "demo", "--download", "--weights", env=nowhere)
    assert done.returncode == 2
    assert "Nothing to look at" in done.stdout
    assert "3 of 3 could not be made" in done.stderr


def test_prepare_of_a_folder_that_is_not_there_is_refused(harness):
    assert "No folder at " in refused(harness("prepare", "--scale", "demo", "--data", "nowhere"))
