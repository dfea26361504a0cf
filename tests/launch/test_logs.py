from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import LaunchError
from harness.grid.next_command import command
from harness.grid.state import Cause, RunState, State
from harness.launch.attempt import new_attempt
from harness.launch.logs import failures, follow, printed
from harness.lease import lease
from harness.records import Begin, End, Outcome, write_begin, write_outcome

FAILED = Outcome(ended="failed", error="no luck", seconds=1, trained_s=0)
LOST = Outcome(ended="lost", error="", seconds=1, trained_s=0)
SID = "h-0123456789ab"
QUEUED = RunState(State.QUEUED, "waits for resources")


@pytest.fixture
def paths(ids, runs):
    return runs.run(ids["table1/k=2"])


@pytest.fixture
def attempt(paths):
    attempt = new_attempt(paths)
    attempt.stdout.write_text("loading\n")
    attempt.stderr.write_text("")
    return attempt


def test_follow_gives_what_comes_until_the_attempt_has_ended(paths, attempt):
    def wait(_):
        with attempt.stdout.open("a") as file:
            file.write("iteration 1\n")
        attempt.stderr.write_text("no luck\n")
        write_outcome(attempt.outcome, FAILED)

    with lease(paths.lease, "k=2"):
        assert list(follow(paths, wait)) == ["loading\n", "iteration 1\n", "no luck\n"]


def test_follow_ends_when_the_job_was_killed(paths, attempt):
    assert list(follow(paths, pytest.fail)) == ["loading\n"]


def test_printed_is_stdout_then_stderr(paths, attempt):
    attempt.stderr.write_text("a warning\n")
    assert "".join(printed(paths)) == "loading\na warning\n"


def test_failures_show_the_last_lines_of_the_newest_attempt(
    grid, runs, ids, paths, attempt, on_disk
):
    write_outcome(attempt.outcome, FAILED)
    attempt.stderr.write_text("\n".join(f"line {i}" for i in range(50)))
    (failure,) = failures(grid, runs, on_disk(), {}, {}, lines=2)
    assert (failure.name, failure.reason) == ("table1/k=2", "no luck")
    assert failure.last_lines == ("line 48", "line 49")
    assert failure.log == attempt.stderr
    assert failure.again == f"harness submit --site local --scale demo --runs {runs.folder}"


def test_the_command_to_go_on_names_only_what_it_must(grid, own_grid, own_data, monkeypatch):
    spec, own = grid.cells[0].spec, own_grid.cells[0].spec
    submit = "harness submit --site local --scale demo"
    monkeypatch.delenv("HARNESS_RUNS", raising=False)
    assert command("submit --site local", spec, Path("runs").resolve()) == submit
    assert command("submit --site local", own, Path("runs")) == f"{submit} --data {own_data}"
    assert command("submit --site local", spec, Path("/my runs")) == f"{submit} --runs '/my runs'"
    monkeypatch.setenv("HARNESS_RUNS", "/my runs")
    assert command("submit --site local", spec, Path("/my runs")) == submit


def test_failures_fall_back_to_stdout(grid, runs, paths, attempt, on_disk):
    write_outcome(attempt.outcome, FAILED)
    (failure,) = failures(grid, runs, on_disk(), {}, {})
    assert failure.last_lines == ("loading",)


def test_a_run_never_started_has_no_log(paths):
    with pytest.raises(LaunchError, match=r"^Run \w{8} was never started, so it has printed noth"):
        list(printed(paths))


def test_a_run_in_the_foreground_has_no_log(paths):
    new_attempt(paths)
    with pytest.raises(LaunchError, match="printed to a terminal, not to"):
        list(follow(paths))


@pytest.fixture
def job_log(runs):
    """What a job of the submission SID wrote to stderr."""
    path = runs.job_output(SID) / "12_0_0_log.err"
    path.parent.mkdir(parents=True)
    path.write_text("setup line\nslurmstepd: error: Detected 1 oom_kill event\n")
    return path


def begun(attempt, sid):
    first_word = Begin(host="gpu013", pid=1, started_at=0, iteration=0, sid=sid, job_id="12_0")
    write_begin(attempt.begin, first_word)
    return attempt


def next_attempt(paths, stdout="", outcome=None):
    attempt = new_attempt(paths)
    attempt.stdout.write_text(stdout)
    attempt.stderr.write_text("")
    if outcome:
        write_outcome(attempt.outcome, outcome)
    return attempt


def failure_of(grid, runs, run_id, job_log, cause=Cause.ERROR, mem_gb=None):
    states = {run_id: RunState(State.FAILED, "why", cause)}
    job_logs = {run_id: job_log} if job_log else {}
    (failure,) = failures(grid, runs, states, job_logs, {run_id: mem_gb})
    return failure


def test_failures_take_the_states_that_slurm_tells(grid, runs, ids, job_log):
    # The job ended before it came to an attempt.
    failure = failure_of(grid, runs, ids["table1/k=2"], job_log, Cause.NODE_FAILURE)
    assert (failure.reason, failure.cause) == ("why", Cause.NODE_FAILURE)
    assert failure.last_lines[-1] == "slurmstepd: error: Detected 1 oom_kill event"
    assert failure.log == job_log
    retry = f"harness retry {ids['table1/k=2']} --scale demo --runs {runs.folder}"
    assert failure.again == retry


def test_an_attempt_killed_without_a_word_leaves_it_to_slurms(grid, runs, ids, attempt, job_log):
    begun(attempt, SID)
    assert failure_of(grid, runs, ids["table1/k=2"], job_log).log == job_log


def test_what_the_attempt_wrote_itself_comes_before_slurms(grid, runs, ids, attempt, job_log):
    begun(attempt, SID)
    attempt.stderr.write_text("TrainingError: loss became nan\n")
    assert failure_of(grid, runs, ids["table1/k=2"], job_log).log == attempt.stderr


def test_a_later_job_without_an_attempt_has_the_last_word(grid, runs, ids, attempt, job_log):
    begun(attempt, "h-ba9876543210")
    attempt.stderr.write_text("an old error\n")
    assert failure_of(grid, runs, ids["table1/k=2"], job_log).log == job_log


def test_a_job_that_slurm_has_forgotten_is_still_tried_again_there(grid, runs, ids, attempt):
    begun(attempt, SID)
    assert failure_of(grid, runs, ids["table1/k=2"], None).again.startswith("harness retry ")


@pytest.mark.parametrize(
    ("mem_gb", "more"), [(16.0, "--mem-gb 32"), (None, "--mem-gb GB")], ids=["asked", "default"]
)
def test_a_run_out_of_memory_is_tried_again_with_twice_of_it(
    grid, runs, ids, job_log, mem_gb, more
):
    run_id = ids["table1/k=2"]
    failure = failure_of(grid, runs, run_id, job_log, Cause.OUT_OF_MEMORY, mem_gb=mem_gb)
    assert failure.again == f"harness retry {run_id} {more} --scale demo --runs {runs.folder}"


def test_for_a_run_out_of_its_gpus_memory_no_command_is_told(grid, runs, ids, attempt, job_log):
    begun(attempt, SID)
    write_outcome(attempt.outcome, replace(FAILED, ended=End.OUT_OF_GPU_MEMORY))
    failure = failure_of(grid, runs, ids["table1/k=2"], job_log, Cause.OUT_OF_MEMORY, mem_gb=16.0)
    assert failure.again == ""


def test_only_the_end_of_a_long_log_is_read(grid, runs, ids, attempt, on_disk):
    attempt.stderr.write_text("x" * 1_000_000 + "\nlast\n")
    write_outcome(attempt.outcome, FAILED)
    (failure,) = failures(grid, runs, on_disk(), {}, {})
    assert failure.last_lines[-1] == "last"
    assert len(failure.last_lines[0]) < 100_000


def test_a_job_that_came_to_no_attempt_shows_slurms_file(paths, job_log):
    first, rest = printed(paths, RunState(State.FAILED, "why"), job_log)
    assert first == f"No attempt has begun. Its job printed, into {job_log}:\n"
    assert rest == job_log.read_text()


def test_a_run_that_waits_has_printed_nothing_yet(paths):
    with pytest.raises(
        LaunchError, match=r"is queued \(waits for resources\). It has printed noth"
    ):
        list(printed(paths, QUEUED))


def test_follow_goes_on_with_the_attempt_after_a_requeue(paths, attempt):
    write_outcome(attempt.outcome, LOST)
    waits = []

    def wait(seconds):
        waits.append(seconds)
        if len(waits) == 2:
            next_attempt(paths, "once more\n", FAILED)

    states = iter([QUEUED, QUEUED, RunState(State.FAILED, "no luck")])
    assert list(follow(paths, wait, lambda: next(states))) == [
        "loading\n",
        "Attempt 1 has ended; the run is queued again: waits for resources.\n",
        "once more\n",
    ]
    assert waits == [10.0, 10.0]  # Slurm is not asked twice a second


def test_follow_turns_to_a_newer_attempt_though_the_old_one_left_no_word(paths, attempt):
    # Slurm took the job away; the next attempt holds the lease.
    def wait(_):
        next_attempt(paths, "once more\n", FAILED)

    with lease(paths.lease, "k=2"):
        followed = list(follow(paths, wait, lambda: RunState(State.DONE)))
    assert followed == ["loading\n", "once more\n"]


def test_follow_waits_for_the_first_attempt_of_a_queued_run(paths):
    def wait(_):
        next_attempt(paths, "loading\n", FAILED)

    states = iter([QUEUED, RunState(State.FAILED, "no luck")])
    first, *rest = follow(paths, wait, lambda: next(states))
    assert first.endswith("is queued: waits for resources. It has printed nothing yet.\n")
    assert rest == ["loading\n"]


def test_follow_shows_slurms_file_when_the_job_ends_before_its_first_attempt(paths, job_log):
    states = iter([QUEUED, *[RunState(State.FAILED, "why")] * 2])
    told = list(follow(paths, lambda _: None, lambda: next(states), lambda: job_log))
    assert told[1:] == [
        f"No attempt has begun. Its job printed, into {job_log}:\n",
        job_log.read_text(),
    ]


def test_follow_of_a_run_that_neither_ran_nor_waits_says_so(paths):
    with pytest.raises(LaunchError, match="was never started, so it has printed nothing"):
        list(follow(paths, pytest.fail, lambda: RunState(State.TO_DO)))
