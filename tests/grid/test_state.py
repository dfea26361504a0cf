import json
import os
import zipfile
from dataclasses import asdict

import pytest

from harness.files import write_json
from harness.grid import NO_LOSS, Setting, base_of, finetune
from harness.grid.state import Cause, RunState, State, last_failure, run_state
from harness.lease import lease
from harness.paths import RunsFolder
from harness.records import (
    METRICS,
    Begin,
    Metrics,
    Outcome,
    write_begin,
    write_metrics,
    write_outcome,
)

FINETUNE = finetune(Setting(scale="demo"), "mask_rcnn_R50_FPN", NO_LOSS)
BASE = base_of(FINETUNE)
AP = {"segm": dict.fromkeys(METRICS, 34.5)}


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


def leave_metrics(spec, runs, ap):
    metrics = Metrics(
        run_id=spec.run_id,
        parent=None,
        spec={},
        ap=ap,
        annotations={},
        order_hash="",
        evaluator="",
        environment={},
        gpu_hours=0.0,
    )
    write_metrics(runs.run(spec.run_id).metrics, metrics)


def leave_checkpoint(spec, runs):
    path = runs.run(spec.run_id).checkpoint(spec.last_iteration)
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("weights", b"0" * 100)
    return path


def leave_attempt(spec, runs, ended=None, error=""):
    attempt = runs.run(spec.run_id).attempt(1)
    attempt.folder.mkdir(parents=True)
    if ended:
        write_outcome(attempt.outcome, Outcome(ended=ended, error=error, seconds=1, trained_s=1))


def test_a_run_without_a_folder_is_to_do(runs):
    assert run_state(BASE, runs) == run_state(FINETUNE, runs) == RunState(State.TO_DO)


def test_a_fine_tune_is_done_when_scored(runs):
    leave_metrics(FINETUNE, runs, AP)
    assert run_state(FINETUNE, runs) == RunState(State.DONE)


def test_a_fine_tune_that_is_trained_but_not_scored_is_to_do(runs):
    leave_checkpoint(FINETUNE, runs)
    leave_metrics(FINETUNE, runs, {})
    assert run_state(FINETUNE, runs) == RunState(State.TO_DO)


def test_a_base_is_done_when_its_metrics_and_its_final_checkpoint_are_whole(runs):
    leave_metrics(BASE, runs, {})
    assert run_state(BASE, runs) == RunState(State.TO_DO)
    checkpoint = leave_checkpoint(BASE, runs)
    assert run_state(BASE, runs) == RunState(State.DONE)
    os.truncate(checkpoint, checkpoint.stat().st_size - 30)
    assert run_state(BASE, runs) == RunState(State.TO_DO)


@pytest.mark.parametrize("damage", ["", "{", "null", '{"schema": 1}'])
def test_a_run_with_damaged_metrics_is_to_do(runs, damage):
    leave_metrics(FINETUNE, runs, AP)
    runs.run(FINETUNE.run_id).metrics.write_text(damage)
    assert run_state(FINETUNE, runs) == RunState(State.TO_DO)


@pytest.mark.parametrize("wrong", [None, [], {"segm": None}, {"segm": [1]}, "34.5"])
def test_an_ap_of_a_wrong_type_makes_a_run_to_do(runs, wrong):
    leave_metrics(FINETUNE, runs, AP)
    path = runs.run(FINETUNE.run_id).metrics
    write_json(path, json.loads(path.read_text()) | {"ap": wrong})
    assert run_state(FINETUNE, runs) == RunState(State.TO_DO)


def test_a_run_whose_lease_is_held_is_running(runs):
    leave_attempt(FINETUNE, runs)
    with lease(runs.run(FINETUNE.run_id).lease, "it"):
        assert run_state(FINETUNE, runs) == RunState(State.RUNNING)


@pytest.mark.parametrize(
    ("ended", "cause"),
    [
        ("failed", Cause.ERROR),
        ("out of memory", Cause.OUT_OF_MEMORY),
        ("killed", Cause.KILLED),
    ],
)
def test_a_run_is_failed_with_the_reason_and_cause_of_its_newest_attempt(runs, ended, cause):
    leave_attempt(FINETUNE, runs, ended, "loss_mask became nan")
    assert run_state(FINETUNE, runs) == RunState(State.FAILED, "loss_mask became nan", cause)
    assert last_failure(runs.run(FINETUNE.run_id)) == "loss_mask became nan"


def test_an_attempt_that_ended_without_a_word_was_killed(runs):
    leave_attempt(FINETUNE, runs)
    why = "killed: the attempt ended without a word"
    assert run_state(FINETUNE, runs) == RunState(State.FAILED, why, Cause.KILLED)


@pytest.mark.parametrize("ended", ["interrupted", "lost"])
def test_a_run_that_was_interrupted_or_lost_its_job_is_to_do(runs, ended):
    leave_attempt(FINETUNE, runs, ended, "preempted")
    assert run_state(FINETUNE, runs) == RunState(State.TO_DO)
    assert last_failure(runs.run(FINETUNE.run_id)) == ""


def test_a_run_whose_slurm_job_went_without_a_word_is_to_do(runs):
    # Preemption or a failed node; of a process that was killed its job says so.
    leave_attempt(FINETUNE, runs)
    begin = Begin(host="node7", pid=1, started_at=1.0, iteration=0, sid="h-0", job_id="123_4")
    write_begin(runs.run(FINETUNE.run_id).attempt(1).begin, begin)
    assert run_state(FINETUNE, runs) == RunState(State.TO_DO)


def test_a_fine_tune_is_blocked_while_its_base_has_failed(runs):
    leave_attempt(BASE, runs, "failed", "no luck")
    why = f"its base {BASE.run_id} failed"
    assert run_state(FINETUNE, runs) == RunState(State.BLOCKED, why, Cause.BASE)


def test_a_folder_that_may_not_be_read_is_blocked_and_named(runs, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    paths = runs.run(FINETUNE.run_id)
    write_json(paths.spec, asdict(FINETUNE))
    monkeypatch.setattr("pathlib.Path.is_dir", refuse)
    why = f"{paths.attempts} cannot be read: Permission denied"
    assert run_state(FINETUNE, runs) == RunState(State.BLOCKED, why)
