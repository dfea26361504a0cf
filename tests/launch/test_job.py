import json
import os
import signal
from dataclasses import asdict

import pytest

from harness.errors import ResultsError, TrainingError
from harness.grid.state import State, is_done, run_state
from harness.launch.attempt import new_attempt, one_line, output_into_files, recorded
from harness.launch.environment import describe_commit
from harness.launch.job import run_here
from harness.paths import write_json
from harness.records import Outcome, read_metrics, read_outcome, write_outcome


@pytest.fixture
def ready(grid, runs):
    """The folder of a run with its spec.json."""

    def make(run_id):
        paths = runs.run(run_id)
        write_json(paths.spec, asdict(grid.runs[run_id]))
        return paths

    return make


def test_a_finetune_leaves_metrics_environment_and_an_outcome(grid, ids, ready, here):
    paths = ready(ids["table1/k=2"])
    here(paths.folder)

    assert is_done(grid.runs[ids["table1/k=2"]], paths)
    metrics = read_metrics(paths.metrics, ids["table1/k=2"])
    assert metrics.parent == ids["base mask_rcnn_R50_FPN"]
    assert metrics.ap["segm"]["AP"] == 34.5
    assert metrics.ap["bbox"]["APl"] is None  # NaN: no ground truth of that size
    assert metrics.annotations == {"shapes_train": "1" * 8, "shapes_val": "2" * 8}
    assert metrics.evaluator.startswith("pycocotools 2")
    environment = json.loads(paths.environment.read_text())
    # Metrics are made to be shared: where the run took place stays in its folder.
    assert set(environment) - set(metrics.environment) == {"host", "platform"}
    assert metrics.environment["threads"] == "1"
    assert read_outcome(paths.attempt(1).outcome).ended == "done"
    assert not paths.lease.exists()


def test_a_base_has_metrics_without_ap(grid, ids, ready, here):
    paths = ready(ids["base mask_rcnn_R50_FPN"])
    here(paths.folder)
    metrics = read_metrics(paths.metrics, ids["base mask_rcnn_R50_FPN"])
    assert (metrics.ap, metrics.evaluator, metrics.parent) == ({}, "", None)


def test_a_done_run_is_left_alone(ids, ready, here, story):
    paths = ready(ids["table1/k=2"])
    here(paths.folder)
    here(paths.folder)
    assert story.begun() == [ids["table1/k=2"]]
    assert paths.attempt_numbers() == [1]


def test_a_failure_is_recorded_in_a_line_and_raised(grid, runs, ids, ready, here):
    paths = ready(ids["table1/k=2"])
    with pytest.raises(TrainingError, match="loss_mask became nan at iteration 7"):
        here(paths.folder, failing=[ids["table1/k=2"]])
    outcome = read_outcome(paths.attempt(1).outcome)
    assert (outcome.ended, outcome.error) == ("failed", "loss_mask became nan at iteration 7")
    assert paths.attempt(1).stderr.exists()
    assert run_state(grid.runs[ids["table1/k=2"]], runs).state is State.FAILED


def test_in_the_foreground_the_output_stays_on_the_terminal(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    here(paths.folder, entry=run_here)
    assert [path.name for path in paths.attempt(1).folder.iterdir()] == ["outcome.json"]


def test_gpu_hours_count_the_training_of_earlier_attempts(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    earlier = new_attempt(paths)
    write_outcome(earlier.outcome, Outcome(ended="failed", error="x", seconds=9000, trained_s=7200))
    here(paths.folder)
    assert read_metrics(paths.metrics, ids["table1/k=2"]).gpu_hours == pytest.approx(2, abs=0.01)


def test_a_spec_of_another_run_is_refused(grid, ids, ready, here):
    paths = ready(ids["table1/k=2"])
    write_json(paths.spec, asdict(grid.runs[ids["table1/R50"]]))
    with pytest.raises(ResultsError, match=f"spec.json is of run {ids['table1/R50']}"):
        here(paths.folder)


@pytest.mark.parametrize("way", [KeyboardInterrupt, SystemExit])
def test_what_a_person_ends_is_interrupted_not_failed(runs, way):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(way), recorded(attempt):
        raise way
    assert read_outcome(attempt.outcome).ended == "interrupted"


def test_sigterm_interrupts_and_the_old_handler_comes_back(runs):
    before = signal.getsignal(signal.SIGTERM)
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(SystemExit), recorded(attempt):
        os.kill(os.getpid(), signal.SIGTERM)
    assert read_outcome(attempt.outcome).ended == "interrupted"
    assert signal.getsignal(signal.SIGTERM) is before


def test_output_below_python_goes_into_the_files_too_and_comes_back(runs, capfd):
    attempt = new_attempt(runs.run("r"))
    with output_into_files(attempt):
        os.write(1, b"from C\n")
        os.write(2, b"a C warning\n")
    os.write(1, b"afterwards\n")
    assert attempt.stdout.read_text() == "from C\n"
    assert attempt.stderr.read_text() == "a C warning\n"
    assert capfd.readouterr() == ("afterwards\n", "")


def test_two_attempts_never_share_a_folder(runs):
    paths = runs.run("r")
    assert [new_attempt(paths).folder.name for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (TrainingError("first.\n  second"), "first."),
        (RuntimeError("out of memory\nmore"), "RuntimeError: out of memory"),
        (MemoryError(), "MemoryError"),
    ],
)
def test_an_error_becomes_one_line(error, line):
    assert one_line(error) == line


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path):
    assert describe_commit(tmp_path) == {}
