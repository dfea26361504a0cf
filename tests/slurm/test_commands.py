"""Commands as a user gives them, in a folder of their own, to a cluster that is told what to do."""

import json
import os
import re
import subprocess
import sys
from functools import partial

import pytest

from harness.commands.demo import demo as run_demo
from harness.grid import Setting
from harness.grid.experiments import load_grid
from harness.records import Outcome, write_outcome
from harness.slurm.waiting import give_waiting
from harness.terminal.live import watch_launch
from harness.workplace import workplace

EXPERIMENT = """
from harness.grid import NO_LOSS, Cell, Layout, contour, finetune, table_grid

NAME = "mine"


def grid(setting):
    rows = {"none": NO_LOSS, "k=2": contour(k=2)}
    cells = [
        Cell(NAME, row, finetune(setting, "mask_rcnn_R50_FPN", loss), {"Method": row})
        for row, loss in rows.items()
    ]
    return table_grid(NAME, Layout("", ("Method", "mAP")), cells)
"""
SITE = """
gpus_per_node = 4
cpus_per_gpu = 2
mem_gb_per_gpu = 16.0
time_limit_min = 60
"""


@pytest.fixture
def project(tmp_path):
    folder = tmp_path / "project"
    for name, text in {"experiments/mine.py": EXPERIMENT, "slurm/jura.toml": SITE}.items():
        (folder / name).parent.mkdir(parents=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def grid(project):
    return load_grid((), Setting(scale="demo"), project / "experiments")


@pytest.fixture
def harness(project, cluster, runs):
    """A function that runs a command of demo scale in the project."""

    def call(*words: str):
        command = [sys.executable, "-c", "from harness.cli import main; main()", *words]
        scale = () if words[0] == "demo" else ("--scale", "demo")
        return subprocess.run(
            [*command, *scale, "--runs", str(runs.folder)],
            capture_output=True,
            text=True,
            cwd=project,
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
        )

    return call


@pytest.fixture
def submitted(harness):
    # --dirty: a checkout in which somebody works is tested, too.
    return harness("submit", "--site", "jura", "--dirty")


def states(harness):
    listed = json.loads(harness("status", "--json").stdout)
    return {run["name"]: (run["state"], run["cause"]) for run in listed}


def test_a_grid_is_submitted_once_and_told(submitted, harness, cluster, grid):
    assert submitted.returncode == 0, submitted.stderr
    assert submitted.stdout == ""
    assert "3 submitted to Slurm; you may log out" in submitted.stderr
    assert "harness status --watch --scale demo --runs " in submitted.stderr
    again = harness("submit", "--site", "jura", "--dirty")
    assert "3 in the queue or running already, left alone" in again.stderr
    assert len(cluster.calls("sbatch")) == 2  # the base, and its two fine-tunes
    assert [len(cluster.live(run_id)) for run_id in grid.runs] == [1, 1, 1]
    assert set(states(harness).values()) == {("queued", "")}


def test_cancel_shows_first_and_acts_with_yes(submitted, harness, cluster, grid):
    base = next(iter(grid.runs))
    cluster.start(base)
    shown = harness("cancel", "mine")
    assert "Runs to cancel: 3\n" in shown.stdout
    assert "Nothing was done. Give the same command with --yes to do it." in shown.stderr
    assert cluster.calls("scancel") == []
    asked = len(cluster.calls("squeue"))
    done = harness("cancel", "mine", "--yes")
    assert done.stdout == shown.stdout
    assert done.stderr == "Cancelled 3 jobs.\n"
    assert len(cluster.calls("squeue")) == asked + 1
    assert [cluster.live(run_id) for run_id in grid.runs] == [[], [], []]
    assert states(harness)["base mask_rcnn_R50_FPN"] == ("failed", "cancelled")
    # Cancelled is not failed: the plain command takes it up again.
    assert "3 submitted" in harness("submit", "--site", "jura", "--dirty").stderr


def test_a_cancel_reaches_what_waits_for_room_in_the_queue(harness, project, runs, cluster):
    rows = '"k=3": contour(k=3), "k=4": contour(k=4)}'
    (project / "experiments" / "mine.py").write_text(
        EXPERIMENT.replace("contour(k=2)}", f"contour(k=2), {rows}")
    )
    (project / "slurm" / "jura.toml").write_text(SITE + "max_submitted = 4\n")
    given = harness("submit", "--site", "jura", "--dirty")
    assert "1 waiting for room in the queue" in given.stderr
    done = harness("cancel", "*", "--yes")
    assert "Runs to cancel: 5\n" in done.stdout
    assert done.stderr == "Cancelled 4 jobs and 1 run that waited for room in the queue.\n"
    assert give_waiting(runs) == ()


def test_a_cancel_that_slurm_refuses_is_not_told_as_done(submitted, harness, cluster, tmp_path):
    (tmp_path / "bin" / "scancel").write_text(
        "#!/bin/sh\necho 'scancel: error: Access/permission denied' >&2\nexit 1\n"
    )
    done = harness("cancel", "mine", "--yes")
    assert done.returncode == 2
    assert "Access/permission denied" in done.stderr
    assert "ancelled 3" not in done.stdout + done.stderr


def test_a_failed_base_is_held_back_until_retry_and_brings_its_finetunes(
    submitted, harness, cluster, grid
):
    base = next(iter(grid.runs))
    cluster.start(base)
    cluster.end(base, "FAILED", "failed", "DataError: image 7 is cut short")
    assert states(harness) == {
        "base mask_rcnn_R50_FPN": ("failed", "error"),
        "mine/none": ("blocked", "base"),
        "mine/k=2": ("blocked", "base"),
    }
    failed = harness("fails").stdout
    assert "DataError: image 7 is cut short" in failed
    assert f"harness retry {base} --scale demo" in failed
    held = harness("submit", "--site", "jura", "--dirty").stderr
    assert "1 held back" in held
    assert "2 blocked" in held
    shown = harness("retry", base)
    assert "Runs to submit again: 3\n" in shown.stdout
    assert len(cluster.live(base)) == 0
    # The site is that of the attempt before.
    done = harness("retry", base, "--mem-gb", "48", "--dirty", "--yes")
    assert done.stdout == shown.stdout
    assert "3 submitted" in done.stderr, done.stderr
    script = (cluster.runs.job_output(cluster.jobs_of(base)[-1]["name"])).glob("*submission.sh")
    assert "--mem=49152M" in next(script).read_text()  # 48 GB


def test_logs_of_a_run_that_waits_say_so(submitted, harness, grid):
    done = harness("logs", "mine/k=2")
    assert done.returncode == 2
    assert "queued" in done.stderr


@pytest.mark.parametrize(
    ("site", "words", "told"),
    [
        ("gpus_per_node = 4\n", ("submit", "--site", "jra"), "Did you mean 'jura'"),
        (
            "gpus_per_node = 0\n",
            ("submit", "--site", "jura"),
            r"jura\.toml:1: gpus_per_node = 0: allowed is 1 or more",
        ),
        ("gpus_per_node = \n", ("doctor", "--site", "jura"), r"jura\.toml:1"),
        (SITE + "cpus = 2\n", ("doctor", "--site", "jura"), r"jura\.toml:6: cpus: .*cpus_per_gpu"),
    ],
)
def test_a_wrong_site_is_told_with_file_line_and_key(harness, project, cluster, site, words, told):
    (project / "slurm" / "jura.toml").write_text(site)
    done = harness(*words)
    assert (done.returncode, done.stdout) == (2, "")
    assert re.search(told, done.stderr), done.stderr
    assert "Traceback" not in done.stderr
    assert cluster.get("calls") == []


def test_a_cluster_that_does_not_answer_gets_nothing(submitted, harness, cluster):
    cluster.set(unreachable=True)
    done = harness("submit", "--site", "jura", "--dirty")
    assert done.returncode == 2
    assert "When Slurm answers again, give the same command again" in done.stderr
    told = harness("status")
    assert told.returncode == 0
    assert "By files alone" in told.stdout


def test_runs_of_two_sites_are_tried_again_only_where_the_user_says(
    harness, project, cluster, grid
):
    (project / "slurm" / "alps.toml").write_text(SITE)
    harness("submit", "--site", "jura", "--only", "mine/none", "--dirty")
    harness("submit", "--site", "alps", "--dirty")  # k=2 alone is left for it
    harness("cancel", "*", "--yes")
    done = harness("retry", "mine", "--dirty", "--yes")
    assert done.returncode == 2
    assert (
        "LaunchError: These runs were submitted to alps and jura, so it is not clear where they "
        "shall run: give --site." in done.stderr
    )
    assert [cluster.live(run_id) for run_id in grid.runs] == [[], [], []]
    assert "3 submitted" in harness("retry", "mine", "--site", "alps", "--dirty", "--yes").stderr


def test_runs_that_never_were_on_slurm_are_tried_again_only_where_the_user_says(
    harness, cluster, grid, runs
):
    base = next(iter(grid.runs))
    outcome = Outcome(ended="failed", error="no luck", seconds=1.0, trained_s=0.0)
    runs.run(base).attempt(1).folder.mkdir(parents=True)
    write_outcome(runs.run(base).attempt(1).outcome, outcome)
    done = harness("retry", base, "--dirty", "--yes")
    assert done.returncode == 2
    assert "These runs were never submitted to Slurm" in done.stderr
    assert cluster.calls("sbatch") == []
    assert "3 submitted" in harness("retry", base, "--site", "jura", "--dirty", "--yes").stderr


def test_the_demo_of_a_grid_that_is_done_submits_nothing_and_prints_its_tables(
    harness, project, cluster, grid
):
    for run_id in grid.runs:
        cluster.finish_elsewhere(run_id)
    done = harness("demo", "--site", "jura", "--dirty")
    assert done.returncode == 0, done.stderr
    assert "Nothing to submit: every run is done." in done.stderr
    assert "Tables and figures: results/demo/tables" in done.stderr
    assert "All of it on one page: results/demo/report.html" in done.stderr
    assert done.stdout.count("34.50") == 2
    assert (project / "results" / "demo" / "tables" / "mine.md").exists()


@pytest.fixture
def demo(project, runs, cluster, monkeypatch):
    """`harness demo --site jura`, with a function that is called where the watch waits."""

    def call(wait):
        watch = partial(watch_launch, wait=wait)
        monkeypatch.setattr("harness.commands.cluster.watch_launch", watch)
        return run_demo(workplace("demo", None, runs.folder), "jura", dirty=True)

    monkeypatch.chdir(project)
    return call


def test_the_demo_on_a_cluster_is_submitted_watched_and_told(demo, cluster, grid, capsys):
    waiting = iter(grid.runs)

    def wait(_):
        run_id = next(waiting)
        cluster.start(run_id)
        cluster.finish(run_id)

    assert demo(wait) is True
    told = capsys.readouterr()
    assert "3 submitted to Slurm" in told.err
    assert "mine/k=2" in told.err
    assert "without this window" not in told.err
    assert told.out.count("34.50") == 2


def test_a_demo_whose_runs_fail_on_a_cluster_has_failed(demo, cluster, grid, capsys):
    def wait(_):
        base = next(iter(grid.runs))
        cluster.start(base)
        cluster.end(base, "FAILED", "failed", "it broke")

    assert demo(wait) is False
    assert "not trained yet" in capsys.readouterr().out


def test_a_demo_on_a_cluster_that_is_left_says_that_it_goes_on(demo, cluster, grid, capsys):
    def wait(_):
        raise KeyboardInterrupt

    assert demo(wait) is True
    assert "The grid goes on without this window" in capsys.readouterr().err
    assert all(cluster.live(run_id) for run_id in grid.runs)


def test_a_grid_of_two_seeds_is_looked_after_without_naming_them(harness, cluster):
    given = harness("submit", "--site", "jura", "--seeds", "2", "--dirty")
    assert "6 submitted to Slurm" in given.stderr
    assert list(states(harness)) == [
        f"{name}/seed={seed}"
        for seed in (0, 1)
        for name in ("base mask_rcnn_R50_FPN", "mine/none", "mine/k=2")
    ]
    assert len(cluster.calls("sbatch")) == 3  # both bases, and the fine-tunes of each
    assert "Runs to cancel: 2\n" in harness("cancel", "mine/k=2").stdout
    shown = harness("cancel", "mine/k=2/seed=1").stdout
    assert "Runs to cancel: 1\n" in shown
    assert "mine/k=2/seed=1" in shown
    assert "Cancelled 6 jobs." in harness("cancel", "mine", "--yes").stderr
    assert "Runs to submit again: 3\n" in harness("retry", "mine/seed=1").stdout
