import json
import os
import sys
import time
import types
import zipfile
from dataclasses import asdict, replace

import pytest

from harness.errors import NoBaseError, ResultsError, SpecError, TrainingError
from harness.files import reserved_for, write_json
from harness.grid.spec import base_of
from harness.grid.state import State, is_done, run_state
from harness.launch.attempt import (
    JobName,
    new_attempt,
)
from harness.launch.code import describe_commit
from harness.launch.environment import describe_device
from harness.launch.job import read_spec, run_here
from harness.records import (
    Outcome,
    read_begin,
    read_metrics,
    read_outcome,
    write_begin,
    write_outcome,
    write_outcome_beside,
)
from harness.replicates import read_replicates


def train(runs, spec):
    """Write the final checkpoint of a run."""
    checkpoint = runs.run(spec.run_id).checkpoint(spec.last_iteration)
    checkpoint.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(checkpoint, "w") as file:
        file.writestr("weights", b"")


@pytest.fixture
def ready(grid, runs):
    """The folder of a run with its spec.json; its base is trained."""

    def make(run_id):
        spec, paths = grid.runs[run_id], runs.run(run_id)
        write_json(paths.spec, asdict(spec))
        if base := base_of(spec):
            train(runs, base)
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
    replicates = read_replicates(paths.replicates, ids["table1/k=2"])
    assert replicates.ap["boundary"]["AP90"] == 34.5
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
    left = {path.name for path in paths.attempt(1).folder.iterdir()}
    assert left == {"begin.json", "outcome.json"}


def test_gpu_hours_count_the_training_of_earlier_attempts(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    earlier = new_attempt(paths)
    write_outcome(earlier.outcome, Outcome(ended="failed", error="x", seconds=9000, trained_s=7200))
    here(paths.folder)
    assert read_metrics(paths.metrics, ids["table1/k=2"]).gpu_hours == pytest.approx(2, abs=0.01)


def test_gpu_hours_count_a_killed_attempt_from_its_begin_to_its_last_logged_line(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    killed = new_attempt(paths)
    paths.metrics_log.write_text("")
    now = time.time()
    write_begin(killed.begin, replace(read_begin(killed.begin), started_at=now - 9000))
    os.utime(paths.metrics_log, (now - 1800,) * 2)
    here(paths.folder)
    # 9000 s - 1800 s = 2 h.
    assert read_metrics(paths.metrics, ids["table1/k=2"]).gpu_hours == pytest.approx(2, abs=0.01)
    outcome = read_outcome(killed.outcome)
    assert (outcome.ended, outcome.error) == ("killed", "killed: the attempt ended without a word")


def test_an_attempt_of_an_older_harness_began_when_its_room_was_taken(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    killed = new_attempt(paths)
    killed.begin.unlink()
    paths.metrics_log.write_text("")
    now = time.time()
    os.utime(reserved_for(killed.outcome), (now - 9000,) * 2)
    os.utime(paths.metrics_log, (now - 1800,) * 2)
    here(paths.folder)
    assert read_outcome(killed.outcome).trained_s == pytest.approx(7200)


def test_an_attempt_that_slurm_took_the_job_from_is_lost_not_killed(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    lost = new_attempt(paths, JobName("h-0", "123_4", restart=1))
    here(paths.folder)
    outcome = read_outcome(lost.outcome)
    assert outcome.ended == "lost"
    assert outcome.error == "Slurm took the job away (preemption, node failure or requeue)"


def test_what_a_process_beside_wrote_of_an_attempt_stays(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    attempt = new_attempt(paths)
    told = Outcome(ended="out of memory", error="of rank 1", seconds=9, trained_s=8)
    write_outcome_beside(attempt.outcome, told)
    here(paths.folder)
    assert read_outcome(attempt.outcome) == told
    assert not reserved_for(attempt.outcome).exists()


def test_an_attempt_killed_before_its_first_line_has_trained_no_time(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    killed = new_attempt(paths)
    paths.metrics_log.write_text("")
    os.utime(paths.metrics_log, (1, 1))  # of an earlier attempt
    here(paths.folder)
    assert read_outcome(killed.outcome).trained_s == 0


def test_an_attempt_killed_as_it_was_made_has_an_outcome_too(ids, ready, here):
    # Between the making of its folder and the taking of room for its outcome.
    paths = ready(ids["table1/k=2"])
    cut = paths.attempt(1)
    cut.folder.mkdir(parents=True)
    (cut.folder / ".outcome.json.reserved.vm.1257.tmp").touch()
    here(paths.folder)
    assert read_outcome(cut.outcome).ended == "killed"
    assert [path.name for path in cut.folder.iterdir()] == ["outcome.json"]


def test_a_new_attempt_removes_what_a_killed_one_was_writing(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    paths.checkpoints.mkdir()
    left = paths.checkpoints / ".iteration_0000004.pth.node7.12.tmp"
    left.touch()
    here(paths.folder)
    assert not left.exists()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"recipe_revision": 7}, "recipe revision 7"),
        ({"data_revision": 7}, "data revision 7"),
        ({"loss": 7}, "losses revision 7"),
    ],
)
def test_a_run_of_other_code_is_not_trained_under_its_old_id(grid, ids, runs, here, change, part):
    spec = grid.runs[ids["table1/k=2"]]
    if "loss" in change:
        change = {"loss": replace(spec.loss, revision=7)}
    spec = replace(spec, **change)
    paths = runs.run(spec.run_id)
    write_json(paths.spec, asdict(spec))
    message = rf"^Run {spec.run_id} is of {part}, this harness has 1\. .*harness submit"
    with pytest.raises(SpecError, match=message):
        here(paths.folder)
    assert paths.attempt_numbers() == []


def test_a_run_of_other_code_that_is_trained_is_still_scored(grid, ids, runs, here):
    spec = replace(grid.runs[ids["table1/k=2"]], recipe_revision=7)
    paths = runs.run(spec.run_id)
    write_json(paths.spec, asdict(spec))
    train(runs, spec)
    here(paths.folder)
    assert is_done(spec, paths)


def test_a_fine_tune_whose_base_is_not_trained_is_no_failure_of_its_own(grid, ids, runs, here):
    spec = grid.runs[ids["table1/k=2"]]
    base = base_of(spec)
    paths = runs.run(spec.run_id)
    write_json(paths.spec, asdict(spec))
    message = rf"^Run {spec.run_id} starts from base {base.run_id}, which is not trained\. Next: "
    with pytest.raises(NoBaseError, match=message):
        here(paths.folder)
    assert read_outcome(paths.attempt(1).outcome).ended == "no base"
    assert run_state(spec, runs).state is State.TO_DO
    train(runs, base)
    here(paths.folder)
    assert is_done(spec, paths)


def test_a_baseline_has_no_revision_of_the_losses(grid, ids, ready, here):
    here(ready(ids["table1/R50"]).folder)  # its loss has revision 0


def test_a_missing_spec_is_told_with_a_command_that_can_be_pasted(runs):
    with pytest.raises(ResultsError, match=r"is missing\. .*`harness submit --site local`"):
        read_spec(runs.run("3f9c1ab2"))


def test_a_spec_of_another_run_is_refused(grid, ids, ready, here):
    paths = ready(ids["table1/k=2"])
    write_json(paths.spec, asdict(grid.runs[ids["table1/R50"]]))
    with pytest.raises(ResultsError, match=f"spec.json is of run {ids['table1/R50']}"):
        here(paths.folder)


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path):
    assert describe_commit(tmp_path) == {}


def test_on_a_cpu_a_run_computes_with_one_thread(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert describe_device() == {"threads": "1"}


def test_on_a_gpu_its_name_cuda_and_threads_are_recorded(monkeypatch):
    torch = types.SimpleNamespace(
        cuda=types.SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "Tesla P100"),
        version=types.SimpleNamespace(cuda="12.4"),
        get_num_threads=lambda: 8,
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    expected = {"threads": "8", "cuda": "12.4", "gpu": "Tesla P100"}
    assert describe_device().items() >= expected.items()  # besides its driver, where there is one
