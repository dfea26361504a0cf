"""What `status`, `fails` and `logs` show of runs that were given to Slurm."""

import pytest

from harness.errors import LaunchError
from harness.launch.attempt import new_attempt
from harness.slurm.look import look
from harness.slurm.seen import failures_of, log_of, look_at


def test_runs_out_of_memory_have_one_reason_and_each_its_command(give, cluster, grid, runs, ids):
    give()
    bases = [ids["base R50"], ids["base R101"]]
    for base in bases:
        cluster.start(base)
        cluster.end(base, "OUT_OF_MEMORY")
    failed, _ = failures_of(grid, runs)
    assert {failure.reason for failure in failed} == {"its job ran out of memory, 16 GB asked for"}
    options = f"--scale demo --runs {runs.folder}"
    # 1 GPU at the site's 16 GB: twice that is offered.
    assert [one.again for one in failed] == [
        f"harness retry {base} --mem-gb 32 {options}" for base in bases
    ]


def test_the_memory_of_the_newest_submission_is_doubled(give, cluster, grid, runs, ids):
    base = ids["base R50"]
    for more in ({}, {"only": [base], "mem_gb": 48.0}):
        give(**more)
        cluster.start(base)
        cluster.end(base, "OUT_OF_MEMORY")
    (failure,), _ = failures_of(grid, runs)
    assert f"harness retry {base} --mem-gb 96 " in failure.again


def test_a_look_says_whether_slurm_was_asked(give, cluster, grid, runs):
    look = look_at(grid, runs)
    assert look().asked is False
    give()
    assert look().asked is True
    cluster.set(unreachable=True)
    assert look().asked is True
    assert look().note.startswith("By files alone")


@pytest.fixture
def base(grid, ids):
    return grid.runs[ids["base R50"]]


@pytest.fixture
def followed(base, runs, monkeypatch):
    """What `harness logs -f` prints of the base, asking as often as the test does."""
    monkeypatch.setattr("harness.launch.logs.ASK_EVERY_S", 0.0)
    return lambda: log_of(base, runs, follow=True)


def prints(runs, run_id, text):
    """The newest attempt has printed this."""
    attempt = runs.run(run_id).last_attempt()
    attempt.stdout.write_text(text)
    attempt.stderr.write_text("")


def test_a_run_is_followed_from_the_queue_through_all_its_attempts(
    give, cluster, runs, base, followed
):
    give()
    chunks = followed()
    told = f"Run {base.run_id} is queued: waits behind others. It has printed nothing yet.\n"
    assert next(chunks) == told
    cluster.start(base.run_id)
    prints(runs, base.run_id, "loading\n")
    assert next(chunks) == "loading\n"
    cluster.change(base.run_id, state="PENDING", reason="BeginTime", node="")  # preempted
    assert next(chunks).startswith("Attempt 1 has ended; the run is queued again: was put back")
    cluster.start(base.run_id)
    prints(runs, base.run_id, "going on\n")
    assert next(chunks) == "going on\n"
    cluster.finish(base.run_id)
    assert list(chunks) == []


def test_a_followed_job_that_came_to_no_attempt_shows_what_it_printed(
    give, cluster, grid, runs, base, followed
):
    give()
    chunks = followed()
    next(chunks)
    job = look(grid.runs, runs).jobs[base.run_id]
    runs.job_log(job.sid, job.job_id).write_text("module: cuda/99: not found\n")
    cluster.change(base.run_id, state="FAILED", node="node1", elapsed=2)
    first, rest = chunks
    assert first.startswith("No attempt has begun. Its job printed, into ")
    assert rest == "module: cuda/99: not found\n"


def test_a_run_that_slurm_never_heard_of_is_followed_without_asking(cluster, runs, base, followed):
    with pytest.raises(LaunchError, match="was never started"):
        list(followed())
    new_attempt(runs.run(base.run_id))
    prints(runs, base.run_id, "loading\n")
    assert list(followed()) == ["loading\n"]
    assert cluster.get("calls") == []
