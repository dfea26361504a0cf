"""What is seen of runs on a cluster: the files first, then Slurm's word, and the true cause."""

import json
import os
import pwd

import pytest

from harness.files import write_json
from harness.grid.state import Cause, RunState, State
from harness.records import Begin, write_begin
from harness.slurm.jobs import ask
from harness.slurm.look import look, look_with
from harness.slurm.submissions import Submission, submissions_of, write_submission


@pytest.fixture
def seen(grid, runs):
    """The state of a run, or all of them."""

    def seen(run_id: str) -> RunState:
        return look(grid.runs, runs).states[run_id]

    return seen


@pytest.fixture
def r50(give, cluster, ids):
    """The base of two fine-tunes: submitted, and its attempt begun."""
    give()
    cluster.start(ids["base R50"])
    return ids["base R50"]


def test_runs_that_slurm_never_heard_of_need_no_slurm(grid, runs, cluster, ids):
    known = look(grid.runs, runs)
    assert cluster.get("calls") == []
    assert (known.asked, known.note) == (False, "")
    assert known.states[ids["k=2"]] == RunState(State.TO_DO)


def test_a_grid_that_is_done_needs_no_slurm(give, grid, runs, cluster, ids):
    give()
    for name in ("base R50", "base R101", "R50", "k=2", "R101"):
        cluster.start(ids[name])
        cluster.finish(ids[name])
    before = len(cluster.get("calls"))
    states = look(grid.runs, runs).states
    assert [states[ids[name]].state for name in ("base R50", "k=2", "R101")] == [State.DONE] * 3
    assert len(cluster.get("calls")) == before


def test_a_whole_grid_is_one_squeue_and_at_most_one_sacct(give, runs, cluster, big_grid):
    give(big_grid)
    asked = len(cluster.calls("squeue"))
    states = look(big_grid.runs, runs).states
    assert len(cluster.calls("squeue")) == asked + 1
    assert cluster.calls("sacct") == []
    assert {now.state for now in states.values()} == {State.QUEUED}

    first = next(iter(big_grid.runs))
    cluster.start(first)
    cluster.end(first, "TIMEOUT")
    cluster.forget()
    assert look(big_grid.runs, runs).states[first].cause is Cause.TIME_LIMIT
    assert len(cluster.calls("sacct")) == 1


def test_running_and_waiting_runs_are_told_apart(r50, seen, ids, cluster):
    assert seen(r50) == RunState(State.RUNNING)
    assert seen(ids["k=2"]) == RunState(State.QUEUED, f"waits for its base {r50}")
    assert seen(ids["base R101"]) == RunState(State.QUEUED, "waits behind others")


@pytest.mark.parametrize(
    ("values", "state", "words"),
    [
        ({"reason": "Resources"}, State.QUEUED, "waits for free GPUs"),
        ({"reason": "QOSMaxGRESPerUser"}, State.QUEUED, "waits (QOSMaxGRESPerUser)"),
        ({"reason": "BeginTime"}, State.QUEUED, "was put back into the queue"),
        ({"reason": "JobArrayTaskLimit"}, State.QUEUED, "others of its array"),
        ({"reason": "JobHeldUser"}, State.QUEUED, "`scontrol release 100_1` lets it go"),
        ({"state": "REQUEUE_HOLD", "reason": ""}, State.QUEUED, "held (REQUEUE_HOLD)"),
        ({"state": "CONFIGURING", "reason": ""}, State.QUEUED, "its node is made ready"),
        ({"state": "SUSPENDED", "reason": ""}, State.RUNNING, "suspended by Slurm"),
        ({"state": "COMPLETING", "reason": ""}, State.RUNNING, ""),
        ({"reason": "DependencyNeverSatisfied"}, State.BLOCKED, "ended badly"),
    ],
)
def test_what_slurm_says_of_a_live_job_is_said_in_words(
    give, cluster, seen, ids, values, state, words
):
    give()
    cluster.change(ids["base R101"], **values)
    now = seen(ids["base R101"])
    assert now.state is state
    assert words in now.reason


@pytest.mark.parametrize(
    ("state", "cause", "words"),
    [
        ("TIMEOUT", Cause.TIME_LIMIT, "its job reached the time limit on node1"),
        ("DEADLINE", Cause.TIME_LIMIT, "its job reached its deadline on node1"),
        ("PREEMPTED", Cause.PREEMPTED, "its job was preempted on node1"),
        ("NODE_FAIL", Cause.NODE_FAILURE, "its node failed on node1"),
        ("BOOT_FAIL", Cause.NODE_FAILURE, "its node did not boot on node1"),
        ("CANCELLED", Cause.CANCELLED, "cancelled"),
        ("FAILED", Cause.KILLED, "killed: the attempt ended without a word"),
    ],
)
def test_a_job_that_slurm_ended_tells_its_cause(r50, cluster, seen, state, cause, words):
    cluster.end(r50, state)
    assert seen(r50) == RunState(State.FAILED, words, cause)


def test_a_signal_that_the_worker_could_answer_does_not_hide_slurms_cause(r50, cluster, seen):
    # At the time limit the worker writes its checkpoint and ends as interrupted.
    cluster.end(r50, "TIMEOUT", "interrupted")
    assert seen(r50).cause is Cause.TIME_LIMIT


@pytest.mark.parametrize(
    ("outcome", "error", "cause"),
    [
        ("failed", "ValueError: no such layer", Cause.ERROR),
        ("killed", "killed by signal 9", Cause.KILLED),
        ("interrupted", "", Cause.KILLED),
        ("lost", "", Cause.LOST),
    ],
)
def test_a_job_that_failed_by_itself_tells_its_attempts_cause(
    r50, cluster, seen, outcome, error, cause
):
    cluster.end(r50, "FAILED", outcome, error)
    now = seen(r50)
    assert (now.state, now.cause) == (State.FAILED, cause)
    assert error in now.reason
    assert now.reason


def test_want_of_memory_says_how_much_there_was(r50, cluster, seen):
    cluster.end(r50, "OUT_OF_MEMORY")
    # 1 GPU at the site's 16 GB.
    reason = "its job ran out of memory, 16 GB asked for"
    assert seen(r50) == RunState(State.FAILED, reason, Cause.OUT_OF_MEMORY)


@pytest.mark.parametrize(
    "words",
    [
        "slurmstepd: error: Detected 1 oom_kill event in StepId=1.0. Some of the step tasks",
        "slurmstepd: error: Exceeded job memory limit",
        "srun: error: node1: task 0: Out Of Memory",
    ],
)
def test_want_of_memory_is_read_off_what_slurm_prints_into_the_log(
    r50, cluster, seen, runs, grid, words
):
    # Where memory is watched by polling, the job's state is FAILED.
    cluster.end(r50, "FAILED", "killed", "killed by signal 9")
    job = look(grid.runs, runs).jobs[r50]
    log = runs.job_log(job.sid, job.job_id)
    log.write_text(f"{words}\nsrun: Terminating job step\n")
    assert seen(r50).cause is Cause.OUT_OF_MEMORY


def test_want_of_memory_on_a_gpu_is_not_mended_by_more_on_the_host(r50, cluster, seen):
    cluster.end(r50, "FAILED", "out of GPU memory", "CUDA out of memory: 2 GiB")
    assert seen(r50) == RunState(State.FAILED, "CUDA out of memory: 2 GiB", Cause.OUT_OF_MEMORY)


def test_a_job_that_never_reached_its_worker_shows_its_last_line(give, cluster, seen, runs, grid):
    give()
    run_id = next(iter(grid.runs))
    cluster.change(run_id, state="FAILED", node="node1", elapsed=2)
    job = look(grid.runs, runs).jobs[run_id]
    log = runs.job_log(job.sid, job.job_id)
    log.write_text("Loading modules\nmodule: cuda/99: not found\n\n")
    assert seen(run_id) == RunState(
        State.FAILED, "could not start: module: cuda/99: not found", Cause.ERROR
    )


def test_a_job_that_left_not_even_a_line_shows_slurms_word(give, cluster, seen, ids):
    give()
    cluster.change(ids["base R50"], state="FAILED")
    assert seen(ids["base R50"]).reason == "could not start: Slurm says FAILED"
    cluster.forget()
    assert seen(ids["base R50"]).reason == "could not start: exit code 1:0"  # sacct knows more


def test_an_earlier_jobs_attempt_does_not_speak_for_the_newest_job(r50, give, cluster, seen):
    cluster.end(r50, "PREEMPTED", "interrupted")
    give()
    cluster.change(r50, state="NODE_FAIL", node="node2")
    assert seen(r50) == RunState(State.FAILED, "its node failed on node2", Cause.NODE_FAILURE)


def test_finetunes_of_a_base_that_failed_are_shown_blocked(r50, cluster, seen, ids):
    cluster.end(r50, "FAILED", "failed", "ValueError: no such layer")
    for name in ("R50", "k=2"):
        # Cancelled by Slurm, and not by any person.
        assert seen(ids[name]) == RunState(State.BLOCKED, f"its base {r50} failed", Cause.BASE)
    assert seen(ids["R101"]).state is State.QUEUED


def test_finetunes_that_were_cancelled_with_their_base_wait_for_the_next_submit(
    r50, cluster, seen, ids
):
    cluster.end(r50, "CANCELLED")
    assert seen(ids["k=2"]) == RunState(State.BLOCKED, f"its base {r50} was cancelled", Cause.BASE)


def test_finetunes_left_behind_by_a_base_that_is_tried_again_are_to_do(
    r50, give, cluster, seen, ids
):
    cluster.end(r50, "NODE_FAIL")
    give(only=[r50])
    now = seen(ids["k=2"])
    assert now.state is State.TO_DO
    assert "had not ended well" in now.reason


def test_a_finetune_that_slurm_started_without_its_base_is_not_held_for_it(
    give, cluster, seen, ids
):
    import subprocess

    give()
    [base] = cluster.live(ids["base R50"])
    subprocess.run(["scancel", base], check=True)  # by hand: then Slurm starts what waits for it
    cluster.start(ids["k=2"])
    cluster.end(ids["k=2"], "FAILED", "no base", "its base is not trained")
    assert seen(ids["base R50"]).cause is Cause.CANCELLED
    assert seen(ids["k=2"]).cause is Cause.BASE
    cluster.set(accounting=False)
    assert seen(ids["base R50"]).cause is Cause.LOST  # nobody knows more then
    cluster.finish_elsewhere(ids["base R50"])
    assert seen(ids["k=2"]).state is State.TO_DO
    assert ids["k=2"] in give().submitted


def test_what_an_earlier_attempt_came_to_is_not_the_cause_of_a_later_job(r50, give, cluster, seen):
    import subprocess

    cluster.end(r50, "FAILED", "out of memory", "MemoryError")
    give(only=[r50], mem_gb=32.0)
    cluster.set(unreachable=True)
    assert seen(r50).state is State.QUEUED
    cluster.set(unreachable=False)
    subprocess.run(["scancel", *cluster.live(r50)], check=True)
    assert seen(r50) == RunState(State.FAILED, "cancelled before it started", Cause.CANCELLED)


def test_who_cancelled_is_told_where_accounting_knows(r50, cluster, seen):
    cluster.change(r50, state="CANCELLED", elapsed=90, told=f"CANCELLED by {os.getuid()}")
    assert seen(r50).reason == "cancelled"
    cluster.forget(r50)
    assert seen(r50).reason == f"cancelled by {pwd.getpwuid(os.getuid()).pw_name}"
    cluster.change(r50, told="CANCELLED by 987654")
    assert seen(r50).reason == "cancelled by user 987654"


def test_a_preempted_job_that_slurm_put_back_is_queued_and_then_runs(r50, cluster, seen):
    cluster.change(r50, state="PENDING", reason="BeginTime", node="")
    assert seen(r50).state is State.QUEUED
    cluster.start(r50)
    assert seen(r50) == RunState(State.RUNNING)


def test_a_successor_speaks_for_a_job_that_may_not_be_put_back(r50, cluster, seen):
    with_same_name = dict(cluster.jobs_of(r50)[-1])
    cluster.end(r50, "FAILED", "interrupted")
    later = with_same_name | {"array": "500", "state": "PENDING", "reason": "Priority", "node": ""}
    cluster.set(jobs=[*cluster.get("jobs"), later])
    assert seen(r50).state is State.QUEUED


def test_what_squeue_has_forgotten_accounting_still_knows(r50, cluster, seen):
    cluster.end(r50, "NODE_FAIL")
    cluster.forget()
    assert seen(r50).cause is Cause.NODE_FAILURE


@pytest.mark.parametrize(
    ("outcome", "cause", "words"),
    [
        ("", Cause.LOST, "ended without a word, and Slurm no longer knows its job"),
        ("interrupted", Cause.LOST, "interrupted, and Slurm no longer knows its job"),
        ("failed", Cause.ERROR, "it broke"),
        ("out of memory", Cause.OUT_OF_MEMORY, "it broke, 16 GB asked for"),
        ("killed", Cause.KILLED, "it broke"),
    ],
)
def test_without_accounting_the_files_have_the_last_word(r50, cluster, seen, outcome, cause, words):
    cluster.end(r50, "FAILED", outcome, "it broke" if outcome != "interrupted" else "")
    cluster.forget()
    cluster.set(accounting=False)
    now = seen(r50)
    assert (now.state, now.cause) == (State.FAILED, cause)
    assert now.reason.startswith(words)


def test_without_accounting_squeue_is_right_while_it_remembers(r50, cluster, seen):
    cluster.set(accounting=False)
    cluster.end(r50, "TIMEOUT")
    assert seen(r50).cause is Cause.TIME_LIMIT


def test_a_job_that_left_nothing_and_is_forgotten_is_lost(give, cluster, seen, ids):
    give()
    cluster.change(ids["base R50"], state="FAILED")
    cluster.forget()
    cluster.set(accounting=False)
    now = seen(ids["base R50"])
    assert now == RunState(
        State.FAILED,
        "Slurm no longer knows its job, which left nothing (cancelled while it waited?)",
        Cause.LOST,
    )


def test_where_slurm_does_not_answer_the_files_speak_and_a_note_says_so(
    r50, cluster, grid, runs, ids
):
    cluster.end(r50, "RUNNING")
    cluster.start(ids["base R101"])
    cluster.end(ids["base R101"], "FAILED", "failed", "it broke")
    cluster.set(unreachable=True)
    known = look(grid.runs, runs)
    assert known.note.startswith("By files alone: squeue failed: Unable to contact")
    assert (known.asked, known.jobs) == (True, {})
    assert known.states[r50].reason == "was given to Slurm, which does not answer now"
    assert known.states[ids["base R101"]] == RunState(State.FAILED, "it broke", Cause.ERROR)


def test_a_record_whose_sbatch_is_under_way_is_queued(runs, grid, cluster, ids, seen):
    import time

    write_submission(
        runs,
        Submission(
            sid="h-0123456789ab",
            site="fake",
            run_ids=(ids["base R50"],),
            num_gpus=1,
            mem_gb=None,
            time_limit_min=60,
            requeue=True,
            code="c",
            code_hash="d",
            created_at=time.time(),
        ),
    )
    assert seen(ids["base R50"]) == RunState(State.QUEUED, "has just been given to Slurm")


def test_the_lease_of_a_worker_whose_node_failed_is_not_believed(r50, cluster, runs, seen):
    # Elsewhere such a lease counts as live for minutes: nobody here can see that process.
    lease = {"host": "node1", "pid": 7, "started": "1", "token": "t"}
    write_json(runs.run(r50).lease, lease)
    cluster.end(r50, "NODE_FAIL")
    assert seen(r50).cause is Cause.NODE_FAILURE
    write_json(runs.run(r50).lease, lease | {"pid": 8})  # some other process trains it
    assert seen(r50).state is State.RUNNING


def test_a_run_that_ends_well_while_slurm_is_asked_is_done(r50, cluster, grid, runs, ids):
    undone = list(grid.runs)
    submissions = submissions_of(runs, undone)
    cluster.finish(r50)
    answer = ask(submissions, undone)
    states = look_with(grid.runs, runs, undone, submissions, answer).states
    assert states[r50] == RunState(State.DONE)


def test_a_job_that_ended_well_without_results_is_lost(r50, cluster, seen):
    cluster.change(r50, state="COMPLETED")
    cluster.runs.run(r50).attempt(1).begin.unlink()
    assert seen(r50).reason == "job 100_0 ended well, but its results are not there"


def test_an_attempt_outside_slurm_speaks_as_it_does_without_a_cluster(runs, grid, ids, seen):
    run_id = ids["base R50"]
    attempt = runs.run(run_id).attempt(1)
    write_begin(attempt.begin, Begin(host="here", pid=1, started_at=0.0, iteration=0))
    assert seen(run_id).cause is Cause.KILLED
    attempt.outcome.write_text(
        json.dumps({"ended": "interrupted", "error": "", "seconds": 1.0, "trained_s": 1.0})
    )
    assert seen(run_id) == RunState(State.TO_DO)


def test_the_base_of_a_finetune_that_is_looked_at_alone_is_known_by_its_files(
    grid, runs, ids, cluster
):
    attempt = runs.run(ids["base R50"]).attempt(1)
    attempt.outcome.parent.mkdir(parents=True)
    attempt.outcome.write_text(
        json.dumps({"ended": "failed", "error": "it broke", "seconds": 1.0, "trained_s": 1.0})
    )
    alone = look({ids["k=2"]: grid.runs[ids["k=2"]]}, runs)
    assert alone.states[ids["k=2"]].cause is Cause.BASE
