import pytest

from harness.grid.state import RunState, State
from harness.launch.pace import Pace
from harness.launch.status import Progress, progress, run_statuses, states_on_disk


@pytest.fixture
def finetune_of(grid, ids, runs):
    return grid.runs[ids["table1/k=2"]], runs.run(ids["table1/k=2"])


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
    monkeypatch.setattr("harness.launch.status.Path.open", refuse)
    assert progress(spec, paths) == Progress(spec.schedule.steps[0], None)


def test_a_status_line_joins_name_state_and_progress(grid, ids, runs):
    states = states_on_disk(grid, runs) | {ids["table1/k=2"]: RunState(State.FAILED, "why")}
    lines = {line.name: line for line in run_statuses(grid, runs, states)}
    assert list(lines) == list(ids)
    line = lines["table1/k=2"]
    schedule = grid.runs[ids["table1/k=2"]].schedule
    assert (line.state, line.reason) == (State.FAILED, "why")
    assert (line.iteration, line.last_iteration) == (schedule.steps[0], schedule.max_iter)


def test_time_left_comes_from_the_speed_seen():
    pace = Pace()
    pace.see("r", 100, 0.0)
    assert pace.left_s("r", 200, 0.0) is None
    pace.see("r", 110, 20.0)  # 2 s an iteration
    assert pace.left_s("r", 200, 20.0) == pytest.approx(180)
    assert pace.left_s("r", 200, 25.0) == pytest.approx(175)


def test_a_resumed_run_starts_its_pace_anew():
    pace = Pace()
    pace.see("r", 100, 0.0)
    pace.see("r", 110, 20.0)
    pace.see("r", 80, 30.0)
    assert pace.left_s("r", 200, 30.0) is None
