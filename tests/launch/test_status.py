import os

import pytest

from harness.grid.benchmarks import Benchmark, Measured, Spread, write_benchmark
from harness.grid.state import Cause, RunState, State
from harness.launch.progress import Effort, Progress, effort, progress
from harness.launch.status import Seen, run_statuses, statuses_json
from harness.records import (
    METRICS,
    Begin,
    Metrics,
    Outcome,
    write_begin,
    write_metrics,
    write_outcome,
)


@pytest.fixture
def finetune_of(grid, ids, runs):
    return grid.runs[ids["table1/k=2"]], runs.run(ids["table1/k=2"])


@pytest.fixture
def begin(finetune_of):
    """Begins attempt `number`, at the time `at_s`, with `iteration` iterations done."""

    def write(number, at_s, iteration=0, host="gpu013"):
        begun = Begin(host=host, pid=1, started_at=at_s, iteration=iteration)
        write_begin(finetune_of[1].attempt(number).begin, begun)

    return write


@pytest.fixture
def log(finetune_of):
    """Logs that `iteration` is done, at the time `at_s`."""

    def write(iteration, at_s):
        path = finetune_of[1].metrics_log
        path.write_text(f'{{"iteration": {iteration}, "total_loss": 1.5}}\n')
        os.utime(path, (at_s, at_s))

    return write


def ended(paths, number, seconds):
    outcome = Outcome(ended="killed", error="", seconds=seconds, trained_s=0.0)
    write_outcome(paths.attempt(number).outcome, outcome)


def taken(finetune_of, *, running, now_s):
    spec, paths = finetune_of
    return effort(spec, paths, progress(spec, paths), running=running, now_s=now_s)


def test_a_finetune_that_has_logged_nothing_stands_where_its_base_ended(finetune_of):
    spec, paths = finetune_of
    assert progress(spec, paths) == Progress(spec.schedule.steps[0], None)


def test_progress_is_the_last_whole_line(finetune_of):
    spec, paths = finetune_of
    paths.folder.mkdir(parents=True)
    paths.metrics_log.write_text(
        '{"iteration": 361, "total_loss": 3.0}\n'
        '{"iteration": 362, "total_loss": 2.5}\n'
        '{"iteration": 363, "total_l'
    )
    assert progress(spec, paths) == Progress(362, 2.5)


def test_a_whole_object_without_its_newline_is_half_written_too(finetune_of):
    # A number could go on: 36 of 363.
    spec, paths = finetune_of
    paths.folder.mkdir(parents=True)
    paths.metrics_log.write_text('{"iteration": 361, "total_loss": 3.0}\n{"iteration": 362}')
    assert progress(spec, paths) == Progress(361, 3.0)


def test_only_the_tail_of_a_long_log_is_read(finetune_of):
    spec, paths = finetune_of
    paths.folder.mkdir(parents=True)
    lines = "".join(f'{{"iteration": {i}, "total_loss": 1.0}}\n' for i in range(361, 5000))
    paths.metrics_log.write_text(lines)
    assert progress(spec, paths).iteration == 4999


def test_a_log_that_may_not_be_read_tells_no_progress(finetune_of, monkeypatch):
    def refuse(self, mode):
        raise PermissionError(13, "Permission denied", str(self))

    spec, paths = finetune_of
    monkeypatch.setattr("harness.files.Path.open", refuse)
    assert progress(spec, paths) == Progress(spec.schedule.steps[0], None)


def test_a_run_without_attempts_has_taken_nothing(finetune_of):
    assert taken(finetune_of, running=False, now_s=100.0) == Effort()


def test_a_folder_that_may_not_be_read_tells_no_effort(finetune_of, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("harness.paths.RunPaths.attempt_numbers", refuse)
    assert taken(finetune_of, running=True, now_s=100.0) == Effort()


def test_time_left_follows_from_the_speed_of_the_attempt_that_runs(finetune_of, begin, log):
    spec, _ = finetune_of
    first, last = spec.first_iteration, spec.last_iteration
    begin(1, at_s=0.0)  # without a checkpoint of its own it starts where its base ended
    log(first + 20, at_s=100.0)
    now = taken(finetune_of, running=True, now_s=110.0)
    # 5 s for each of the iterations to come, of which 10 s are over since the last line.
    assert now.left_s == pytest.approx((last - first - 20) * 5 - 10)
    assert now.node == "gpu013"


def test_a_resumed_attempt_counts_its_own_iterations_only(finetune_of, begin, log):
    spec, paths = finetune_of
    first, last = spec.first_iteration, spec.last_iteration
    begin(1, at_s=0.0)
    ended(paths, 1, seconds=50.0)
    begin(2, at_s=1000.0, iteration=first + 40)
    log(first + 40, at_s=900.0)  # a line of the first attempt
    assert taken(finetune_of, running=True, now_s=1001.0).left_s is None
    log(first + 50, at_s=1020.0)  # 10 in 20 s
    left_s = taken(finetune_of, running=True, now_s=1020.0).left_s
    assert left_s == pytest.approx((last - first - 50) * 2)


def test_a_run_that_does_not_run_is_nowhere_and_has_no_time_left(finetune_of, begin, log):
    spec, _ = finetune_of
    begin(1, at_s=0.0)
    log(spec.first_iteration + 20, at_s=100.0)
    now = taken(finetune_of, running=False, now_s=110.0)
    assert (now.left_s, now.node) == (None, "")


def test_gpu_hours_count_every_attempt(finetune_of, begin, log):
    _, paths = finetune_of
    for number in (1, 2):
        begin(number, at_s=0.0)
        ended(paths, number, seconds=3600.0)
    begin(3, at_s=7200.0)
    log(310, at_s=9000.0)
    # While it runs the third counts until now, 1 h; killed, until its last line, half an hour.
    assert taken(finetune_of, running=True, now_s=10800.0).gpu_hours == pytest.approx(3.0)
    killed = taken(finetune_of, running=False, now_s=99999.0)
    assert killed.gpu_hours == pytest.approx(2.5)
    assert killed.attempts == 3


def test_an_attempt_that_logged_nothing_or_has_no_first_word_counts_nothing(finetune_of, begin):
    _, paths = finetune_of
    paths.attempt(1).folder.mkdir(parents=True)
    begin(2, at_s=100.0)
    assert taken(finetune_of, running=False, now_s=200.0) == Effort(attempts=2)


def test_each_gpu_of_a_run_counts(paper_grid, runs):
    spec = paper_grid.cells[0].spec
    paths = runs.run(spec.run_id)
    paths.attempt(1).folder.mkdir(parents=True)
    ended(paths, 1, seconds=900.0)
    now = effort(spec, paths, progress(spec, paths), running=False, now_s=0.0)
    assert now.gpu_hours == 1.0  # 15 min on 4 GPUs


def test_a_status_line_joins_name_state_and_progress(grid, ids, runs, on_disk):
    failed = RunState(State.FAILED, "why", Cause.TIME_LIMIT)
    states = on_disk() | {ids["table1/k=2"]: failed}
    lines = {line.name: line for line in run_statuses(grid, runs, Seen(states, asked=False))}
    assert list(lines) == list(ids)
    line = lines["table1/k=2"]
    schedule = grid.runs[ids["table1/k=2"]].schedule
    assert (line.state, line.reason, line.cause) == (State.FAILED, "why", Cause.TIME_LIMIT)
    assert (line.iteration, line.last_iteration) == (schedule.steps[0], schedule.max_iter)
    assert line.cells == ("table1/k=2",)
    assert line.gpu_hours_planned > 0
    assert lines["base mask_rcnn_R50_FPN"].cells == ()


def test_the_hours_planned_are_those_measured_in_the_runs_folder(grid, ids, runs, on_disk):
    def planned() -> float:
        lines = run_statuses(grid, runs, Seen(on_disk(), asked=False))
        return {line.run_id: line.gpu_hours_planned for line in lines}[spec.run_id]

    spec = grid.runs[ids["table1/k=2"]]
    before = planned()
    write_benchmark(runs, benchmark(spec, seconds=36.0))
    # 36 s are a hundredth of an hour.
    assert planned() == pytest.approx((spec.last_iteration - spec.first_iteration) / 100)
    # A damaged file must not end a launch under its user's eyes; `harness plan` tells it.
    runs.benchmark(spec.run_id).write_text("{")
    assert planned() == before


def benchmark(spec, seconds) -> Benchmark:
    spread = Spread(number=2, median=seconds, low=seconds, high=seconds, mean=seconds)
    measured = Measured(
        started_from="random weights",
        iteration=spread,
        data_wait=spread,
        parts={},
        parts_iteration=spread,
        exchange=None,
        mask_rois=None,
        peak_memory_gb=1.0,
    )
    return Benchmark(
        spec=spec, measured=measured, device="CPU", host="", versions={}, date="2026-11-24"
    )


def test_a_scored_run_tells_its_mask_ap(grid, ids, runs, on_disk):
    run_id = ids["table1/k=2"]
    scores = {"segm": dict.fromkeys(METRICS, 34.5), "bbox": dict.fromkeys(METRICS, 38.0)}
    write_metrics(
        runs.run(run_id).metrics,
        Metrics(
            run_id=run_id,
            parent=None,
            spec={},
            ap=scores,
            annotations={},
            order_hash="",
            evaluator="",
            environment={},
            gpu_hours=0.1,
        ),
    )
    ap = {line.run_id: line.ap for line in run_statuses(grid, runs, Seen(on_disk(), asked=False))}
    assert ap.pop(run_id) == 34.5
    assert set(ap.values()) == {None}


def test_damaged_metrics_tell_no_ap(grid, ids, runs):
    paths = runs.run(ids["table1/k=2"])
    paths.folder.mkdir(parents=True)
    paths.metrics.write_text("{")
    (line,) = run_statuses(grid, runs, Seen({ids["table1/k=2"]: RunState(State.DONE)}, asked=False))
    assert line.ap is None


def test_json_takes_the_states_that_it_is_given(grid, ids, runs, on_disk):
    assert {run["state"] for run in statuses_json(grid, runs, Seen(on_disk(), asked=False))} == {
        "to do"
    }
    run_id = ids["table1/k=2"]
    queued = {run_id: RunState(State.QUEUED, "waits for resources")}
    (run,) = statuses_json(grid, runs, Seen(queued, asked=False))
    assert (run["run_id"], run["state"], run["cause"]) == (run_id, "queued", "")
    assert run["cells"] == ("table1/k=2",)
