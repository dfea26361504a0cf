"""Trying again and cancelling: what a person types, what would be done, and what is done."""

import subprocess

import pytest

from harness.grid.state import Cause, State
from harness.slurm.commands import SlurmError
from harness.slurm.control import cancel, cancel_plan, retry_plan, stop_waiting
from harness.slurm.look import look
from harness.slurm.waiting import give_waiting

KILL_ERROR = "scancel: error: Kill job error on job id"


def scancel_says(folder, *lines):
    """Put a scancel on PATH that writes these lines to stderr and fails."""
    told = "\n".join(lines)
    (folder / "bin" / "scancel").write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{told}\nEND\nexit 1\n")


@pytest.fixture
def failed_base(give, cluster, ids):
    give()
    cluster.start(ids["base R50"])
    cluster.end(ids["base R50"], "FAILED", "failed", "ValueError: no such layer")
    return ids["base R50"]


def test_retrying_a_base_brings_its_finetunes_along(failed_base, give, grid, runs, ids, cluster):
    plan = retry_plan(grid, runs, ["base mask_rcnn_R50_FPN"])
    assert set(plan.again) == {failed_base, ids["R50"], ids["k=2"]}
    assert plan.states[ids["k=2"]].cause is Cause.BASE
    given = give(only=plan.again)
    assert given.submitted == plan.again
    [job] = cluster.live(failed_base)
    assert cluster.jobs_of(ids["k=2"])[-1]["after"] == job


def test_retrying_a_finetune_brings_the_base_that_it_needs(failed_base, grid, runs, ids):
    again = retry_plan(grid, runs, ["table1/k=2"]).again
    assert failed_base in again
    assert ids["k=2"] in again


def test_planning_a_retry_does_nothing(failed_base, grid, runs, cluster):
    retry_plan(grid, runs, ["*"])
    assert len(cluster.calls("sbatch")) == 3  # of the submit before
    assert cluster.calls("scancel") == []


def test_what_goes_on_by_itself_is_not_retried(failed_base, grid, runs, ids):
    plan = retry_plan(grid, runs, ["table2"])
    assert plan.again == ()
    assert set(plan.left) == {ids["base R101"], ids["R101"]}
    assert plan.states[ids["R101"]].state is State.QUEUED


def test_a_cancelled_run_ends_and_its_finetunes_with_it(give, grid, runs, ids, cluster):
    give()
    for name in ("base R101", "R101"):
        cluster.start(ids[name])
        cluster.finish(ids[name])
    cluster.start(ids["base R50"])
    plan = cancel_plan(grid, runs, ["base mask_rcnn_R50_FPN", "*/R101"])
    # Those that wait go before what they wait for.
    assert list(plan.jobs) == [ids["k=2"], ids["R50"], ids["base R50"]]
    assert set(plan.with_them) == {ids["R50"], ids["k=2"]}
    assert plan.left == (ids["R101"],)
    assert cluster.live(ids["base R50"])  # so far a plan

    cancel(plan.jobs.values())
    states = look(grid.runs, runs).states
    assert states[ids["base R50"]].cause is Cause.CANCELLED
    assert states[ids["k=2"]].reason == f"its base {ids['base R50']} was cancelled"
    assert states[ids["R101"]].state is State.DONE


def test_a_base_cancelled_before_its_start_takes_its_finetunes_along(
    give, grid, runs, ids, cluster
):
    # To Slurm nothing is waited for any more: left in the queue, they would start.
    give()
    cancel(cancel_plan(grid, runs, ["base mask_rcnn_R50_FPN"]).jobs.values())
    assert not cluster.live(ids["k=2"])
    states = look(grid.runs, runs).states
    assert states[ids["base R50"]].reason == "cancelled before it started"
    assert states[ids["k=2"]].cause is Cause.BASE
    assert set(give().submitted) == {ids["base R50"], ids["R50"], ids["k=2"]}


def test_a_base_that_is_tried_again_brings_along_what_still_waits_for_its_lost_job(
    give, grid, runs, ids, cluster
):
    give()
    [base] = cluster.live(ids["base R50"])
    subprocess.run(["scancel", base], check=True)  # by hand: then Slurm lets go what waits for it
    plan = retry_plan(grid, runs, ["base mask_rcnn_R50_FPN"])
    assert plan.again == (ids["base R50"], ids["R50"], ids["k=2"])
    assert give(only=plan.again).submitted == plan.again
    [job] = cluster.live(ids["base R50"])
    assert [one["after"] for one in cluster.jobs_of(ids["k=2"])] == [None, job]


def test_what_nobody_has_submitted_is_not_retried(give, grid, runs, ids, cluster):
    give(only=[ids["base R50"], ids["R50"]])
    cluster.start(ids["base R50"])
    cluster.end(ids["base R50"], "FAILED", "failed", "no luck")
    assert retry_plan(grid, runs, ["base mask_rcnn_R50_FPN"]).again == (ids["base R50"], ids["R50"])
    assert retry_plan(grid, runs, ["table2"]).again == ()


def test_a_whole_grid_is_cancelled_with_one_call(give, grid, runs, cluster):
    give()
    plan = cancel_plan(grid, runs, ["*"])
    cancel(plan.jobs.values())
    assert len(cluster.calls("scancel")) == 1
    assert plan.with_them == ()
    assert not any(cluster.live(run_id) for run_id in grid.runs)


def test_a_cancelled_run_that_waits_for_room_is_not_given_to_slurm(
    give, grid, runs, site, ids, cluster
):
    [waits] = give(site=site.model_copy(update={"max_submitted": 4})).waiting
    plan = cancel_plan(grid, runs, ["*"])
    assert plan.waiting == (waits,)
    assert waits not in plan.jobs
    assert waits not in plan.left
    assert plan.states[waits].reason == "waits for room in the queue (max_submitted)"
    assert stop_waiting(runs, plan.waiting) == ()
    cancel(plan.jobs.values())
    assert give_waiting(runs) == ()
    assert not cluster.live(waits)
    assert waits in give().submitted


def test_what_a_job_gave_to_slurm_before_it_was_cancelled_is_told(
    give, grid, runs, site, ids, cluster
):
    [waits] = give(site=site.model_copy(update={"max_submitted": 4})).waiting
    plan = cancel_plan(grid, runs, ["*"])
    cluster.start(ids["base R50"])
    cluster.finish(ids["base R50"])
    assert give_waiting(runs) == (waits,)
    assert stop_waiting(runs, plan.waiting) == (waits,)


def test_cancelling_nothing_calls_nothing(cluster):
    cancel([])
    assert cluster.get("calls") == []


def test_cancelling_while_slurm_is_away_is_told(give, grid, runs, cluster):
    give()
    jobs = cancel_plan(grid, runs, ["table1"]).jobs.values()
    cluster.set(unreachable=True)
    with pytest.raises(SlurmError, match="scancel failed: Unable to contact"):
        cancel(jobs)
    with pytest.raises(SlurmError, match=r"^Nothing was cancelled: squeue failed: Unable to"):
        cancel_plan(grid, runs, ["table1"])


def test_a_job_that_has_ended_meanwhile_is_no_error(give, grid, runs, cluster, tmp_path):
    give()
    jobs = cancel_plan(grid, runs, ["table1"]).jobs.values()
    scancel_says(tmp_path, f"{KILL_ERROR} 100_0: Job/step already completing or completed")
    cancel(jobs)


def test_one_job_that_has_ended_hides_no_other_that_slurm_refuses_to_end(
    give, grid, runs, cluster, tmp_path
):
    give()
    jobs = cancel_plan(grid, runs, ["table1"]).jobs.values()
    scancel_says(
        tmp_path,
        f"{KILL_ERROR} 100_0: Job/step already completing or completed",
        f"{KILL_ERROR} 101_0: Access/permission denied",
        f"{KILL_ERROR} 101_1: Invalid job id specified",
    )
    told = r"^scancel failed: .*error on job id 101_0: Access/permission denied\. Jobs that it does"
    with pytest.raises(SlurmError, match=told):
        cancel(jobs)


def test_a_scancel_that_fails_and_names_no_job_is_told(give, grid, runs, cluster, tmp_path):
    give()
    jobs = cancel_plan(grid, runs, ["table1"]).jobs.values()
    scancel_says(tmp_path, "This cluster is down for maintenance on Monday")
    with pytest.raises(SlurmError, match=r"^scancel failed: This cluster is down"):
        cancel(jobs)
