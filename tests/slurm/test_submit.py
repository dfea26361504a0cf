"""A launcher's life: whatever becomes of it, no run ever has two live jobs."""

import os
import signal
import subprocess
import sys
from dataclasses import replace

import pytest

from harness.errors import DataError, LaunchError
from harness.grid import NO_LOSS, Cell, Layout, Setting, finetune, table_grid
from harness.grid.state import RunState, State
from harness.lease import lease
from harness.slurm.look import look
from harness.slurm.reconcile import Clock
from harness.slurm.submissions import read_submission
from harness.slurm.waiting import give_waiting


def no_run_has_two_live_jobs(cluster, grid) -> bool:
    return all(len(cluster.live(run_id)) <= 1 for run_id in grid.runs)


def records(runs):
    return [read_submission(path) for path in runs.all_submissions()]


@pytest.fixture
def launcher(shapes_dir, runs, cluster):
    """Starts `harness submit`'s inside in a process of its own; `seed` makes a grid of its own."""
    code = """
import sys
from pathlib import Path
from harness.grid import NO_LOSS, Cell, Layout, Setting, contour, finetune, table_grid
from harness.paths import RunsFolder
from harness.slurm import submit
from harness.slurm.site import Site
from harness.slurm.snapshot import Snapshot

setting = Setting(scale="demo", shapes_dir=Path(sys.argv[2]))
cells = [
    Cell("table1", row, finetune(setting, "mask_rcnn_R50_FPN", loss), {"Method": row})
    for row, loss in (("R50", NO_LOSS), ("k=2", contour()))
]
submit.take_snapshot = lambda runs, *, dirty: Snapshot("0" * 12, "1" * 64)
site = Site(name="fake", gpus_per_node=4, cpus_per_gpu=2, time_limit_min=60)
grid = table_grid("table1", Layout("", ("Method", "mAP")), cells)
print(len(submit.submit(grid, RunsFolder(Path(sys.argv[1])), site).submitted))
"""

    def start():
        return subprocess.Popen(
            [sys.executable, "-c", code, str(runs.folder), str(shapes_dir)],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    return start


def test_bases_go_first_and_their_finetunes_wait_for_them(give, cluster, ids):
    given = give()
    # Both bases in one array; the R50's two fine-tunes in one, the R101's one in another.
    assert given.arrays == ("100", "101", "102")
    assert cluster.live(ids["base R50"]) == ["100_0"]
    assert cluster.live(ids["base R101"]) == ["100_1"]
    assert [job["after"] for job in cluster.jobs_of(ids["k=2"])] == ["100_0"]
    assert [job["after"] for job in cluster.jobs_of(ids["R101"])] == ["100_1"]


def test_the_grid_goes_on_without_its_launcher(give, cluster, ids, grid, runs):
    give()
    cluster.start(ids["base R50"])
    cluster.finish(ids["base R50"])
    cluster.start(ids["k=2"])  # Slurm's own doing
    cluster.finish(ids["k=2"])
    assert look(grid.runs, runs).states[ids["k=2"]].state is State.DONE


def test_submitting_twice_submits_once(give, cluster, ids, grid):
    first, second = give(), give()
    assert len(first.submitted) == 5
    assert second.submitted == ()
    assert second.live == first.submitted
    assert len(cluster.calls("sbatch")) == 3
    assert no_run_has_two_live_jobs(cluster, grid)


def test_done_runs_are_left_alone_and_their_finetunes_wait_for_nothing(give, cluster, ids):
    give()
    cluster.start(ids["base R50"])
    cluster.finish(ids["base R50"])
    cluster.start(ids["k=2"])
    cluster.end(ids["k=2"], "TIMEOUT")
    assert give().submitted == (ids["k=2"],)
    assert cluster.jobs_of(ids["k=2"])[-1]["after"] is None


def test_two_launchers_at_once_submit_each_run_once(launcher, cluster, grid):
    both = [launcher(), launcher()]
    printed = [process.communicate(timeout=60) for process in both]
    assert [process.returncode for process in both] == [0, 0], printed
    # Whoever was second found the other's three jobs live.
    assert sorted(int(out) for out, _ in printed) == [0, 3]
    assert len(cluster.get("jobs")) == 3


def test_a_launcher_killed_right_after_sbatch_leaves_a_job_that_the_next_one_finds(
    launcher, give, cluster, ids, grid, runs
):
    cluster.next_sbatch("kill-after")
    killed = launcher()
    killed.communicate(timeout=60)
    assert killed.returncode == -signal.SIGKILL
    assert [one.job_id for one in records(runs)] == [None]
    assert cluster.live(ids["base R50"]) == ["100_0"]

    given = give()
    assert ids["base R50"] in given.live
    assert "100" in {one.job_id for one in records(runs)}  # written down now
    assert [job["after"] for job in cluster.jobs_of(ids["k=2"])] == ["100_0"]
    assert no_run_has_two_live_jobs(cluster, grid)


def test_a_launcher_killed_right_before_sbatch_delays_the_next_one_by_a_minute(
    launcher, give, cluster, ids, runs
):
    cluster.next_sbatch("kill-before")
    launcher().communicate(timeout=60)
    [record] = records(runs)
    cluster.set(now=record.created_at)
    given = give()
    # Its job could have turned up so long: only then is it certain that there is none.
    assert cluster.get("now") >= record.created_at + 60
    assert read_submission(runs.submission(record.sid)).withdrawn.startswith("Slurm showed no job")
    assert ids["base R50"] in given.submitted
    assert len(cluster.live(ids["base R50"])) == 1


def test_a_record_from_a_host_whose_clock_is_ahead_is_waited_for_no_longer(
    launcher, give, cluster, runs
):
    cluster.next_sbatch("kill-before")
    launcher().communicate(timeout=60)
    [record] = records(runs)
    begun = record.created_at - 3600
    cluster.set(now=begun)
    give()
    assert begun + 60 <= cluster.get("now") < begun + 70


def test_an_sbatch_that_times_out_though_the_job_exists_is_no_failure(give, cluster, ids, grid):
    cluster.next_sbatch("silent")
    given = give()
    assert given.arrays == ("100", "101", "102")
    assert len(given.submitted) == 5
    assert no_run_has_two_live_jobs(cluster, grid)


def test_a_job_that_appears_ten_seconds_late_is_waited_for(give, cluster, ids, grid):
    begun = cluster.get("now")
    cluster.next_sbatch("late")
    assert give().arrays == ("100", "101", "102")
    assert cluster.get("now") == begun + 10 + 1
    assert no_run_has_two_live_jobs(cluster, grid)


def test_a_job_that_never_appears_is_withdrawn_and_told(give, cluster, ids, runs):
    cluster.next_sbatch("never")
    with pytest.raises(LaunchError, match=r"No job of it has appeared, .* 0 of 5 runs were"):
        give()
    [record] = records(runs)
    assert record.withdrawn
    assert len(give().submitted) == 5


def test_a_job_that_appears_after_it_was_withdrawn_is_cancelled(give, cluster, ids, grid, runs):
    cluster.next_sbatch("late")
    never = replace(cluster.clock, now=lambda: next(jumps))  # a minute passes between two looks
    begun = cluster.get("now")
    jumps = iter([begun, begun, begun, begun + 61, begun + 61])
    with pytest.raises(LaunchError, match="No job of it has appeared"):
        give(clock=Clock(never.now, lambda seconds: None))
    cluster.later(61)
    assert cluster.live(ids["base R50"]) == ["100_0"]  # too late: its worker would end itself
    give()
    assert cluster.live(ids["base R50"]) == ["101_0"]
    assert no_run_has_two_live_jobs(cluster, grid)


def test_where_slurm_goes_silent_after_sbatch_the_record_stays_for_the_next_launcher(
    give, cluster, ids, grid, runs
):
    cluster.next_sbatch("silent")
    clock = Clock(cluster.clock.now, cluster.clock.wait)
    cluster.set(unreachable_after_sbatch=True)
    with pytest.raises(LaunchError, match=r"Nobody knows whether its jobs exist"):
        give(clock=clock)
    assert [one.withdrawn for one in records(runs)] == [""]
    cluster.set(unreachable=False, unreachable_after_sbatch=False)
    assert ids["base R50"] in give().live
    assert no_run_has_two_live_jobs(cluster, grid)


def test_a_double_that_nobody_asked_for_is_cancelled(give, cluster, ids, grid):
    # A client that sends its request again after a lost answer makes two arrays of one name.
    cluster.set(duplicate=True)
    give()
    assert len(cluster.live(ids["k=2"])) == 2
    cluster.set(duplicate=False)
    assert give().submitted == ()
    assert no_run_has_two_live_jobs(cluster, grid)
    # sbatch told of the second array of each pair: its id is on record, and what depends on it.
    assert cluster.live(ids["base R50"]) == ["101_0"]


def test_runs_that_were_given_twice_lose_their_older_jobs(give, cluster, ids, grid, runs):
    # As by a launcher that was stopped for minutes while another took its place.
    give()
    older = {path: path.read_text() for path in runs.all_submissions()}
    for path in older:
        path.unlink()
    give()
    for path, text in older.items():
        path.write_text(text)
    assert len(cluster.live(ids["k=2"])) == 2
    assert give().submitted == ()
    assert no_run_has_two_live_jobs(cluster, grid)
    assert cluster.live(ids["base R50"]) == ["103_0"]  # 100 to 102 were the older arrays


def test_a_launcher_that_has_lost_its_place_to_another_submits_nothing_more(
    give, cluster, runs, ids
):
    # While the first sbatch is under way, another host's launcher, which has not seen a sign of
    # this one for minutes, takes the lock.
    cluster.next_sbatch("lose-lock")
    with pytest.raises(LaunchError, match="its lease was lost while this process was stopped"):
        give()
    assert len(cluster.calls("sbatch")) == 1


def test_nothing_is_submitted_while_slurm_cannot_be_asked(give, cluster, runs):
    cluster.set(unreachable=True)
    with pytest.raises(LaunchError, match=r"squeue failed: Unable to contact"):
        give()
    assert cluster.calls("sbatch") == []
    assert records(runs) == []


def test_an_array_that_slurm_refuses_leaves_the_others_and_the_same_command_goes_on(
    give, cluster, ids, grid
):
    cluster.next_sbatch("", "", "refuse")
    with pytest.raises(
        LaunchError,
        match=r"Invalid qos .*4 of 5 runs were submitted \(2 of 3 arrays\).* same command",
    ):
        give()
    assert give().submitted == (ids["R101"],)
    assert no_run_has_two_live_jobs(cluster, grid)
    assert cluster.jobs_of(ids["R101"])[-1]["after"] == "100_1"  # its base's live job


def test_a_job_that_squeue_has_forgotten_does_not_hold_its_run_back(give, cluster, ids, grid):
    give()
    cluster.start(ids["base R50"])
    cluster.end(ids["base R50"], "NODE_FAIL")
    cluster.forget()
    cluster.set(accounting=False)
    given = give()
    # With the base its fine-tunes, whose jobs Slurm has cancelled with it.
    assert set(given.submitted) == {ids["base R50"], ids["R50"], ids["k=2"]}
    assert no_run_has_two_live_jobs(cluster, grid)


def test_a_base_that_failed_by_a_bug_is_held_with_its_finetunes(give, cluster, ids):
    give()
    cluster.start(ids["base R50"])
    cluster.end(ids["base R50"], "FAILED", "failed", "ValueError: no such layer")
    given = give()
    assert given.submitted == ()
    assert given.held == (ids["base R50"],)
    assert {ids["R50"], ids["k=2"]} <= set(given.blocked)
    assert set(given.live) == {ids["base R101"], ids["R101"]}  # the other base's are untouched


def test_a_base_tried_again_brings_its_finetunes_along_on_its_new_job(give, cluster, ids, grid):
    give()
    cluster.start(ids["base R50"])
    cluster.end(ids["base R50"], "FAILED", "failed", "ValueError: no such layer")
    given = give(only=[ids["base R50"], ids["R50"], ids["k=2"]])
    assert set(given.submitted) == {ids["base R50"], ids["R50"], ids["k=2"]}
    [new] = cluster.live(ids["base R50"])
    assert cluster.jobs_of(ids["k=2"])[-1]["after"] == new
    assert no_run_has_two_live_jobs(cluster, grid)


def test_a_finetune_that_still_waits_for_its_bases_lost_job_is_moved_to_the_new_one(
    give, cluster, ids, grid
):
    give()
    # A controller that does not know kill-on-invalid-dep lets it wait for ever.
    for name in ("R50", "k=2"):
        cluster.change(ids[name], kill=False)
    cluster.start(ids["base R50"])
    cluster.end(ids["base R50"], "PREEMPTED")
    assert ids["k=2"] in give().submitted
    assert no_run_has_two_live_jobs(cluster, grid)
    assert cluster.jobs_of(ids["k=2"])[-1]["after"] == cluster.live(ids["base R50"])[0]


@pytest.mark.parametrize("state", ["TIMEOUT", "PREEMPTED", "NODE_FAIL", "CANCELLED", "BOOT_FAIL"])
def test_what_slurm_ended_is_submitted_again(give, cluster, ids, state):
    give()
    cluster.start(ids["base R101"])
    cluster.end(ids["base R101"], state)
    assert set(give().submitted) == {ids["base R101"], ids["R101"]}


def test_want_of_memory_is_held_until_retry_with_more(give, cluster, ids, runs):
    give()
    cluster.start(ids["base R101"])
    cluster.end(ids["base R101"], "OUT_OF_MEMORY")
    assert give().held == (ids["base R101"],)
    given = give(only=[ids["base R101"]], mem_gb=64.0)
    assert ids["base R101"] in given.submitted
    newest = max(records(runs), key=lambda one: int(one.job_id))
    assert newest.mem_gb == 64.0
    script = runs.job_output(newest.sid).glob("*.sh")
    assert any("#SBATCH --mem=65536M" in path.read_text() for path in script)


def test_a_job_put_back_into_the_queue_is_left_there(give, cluster, ids, grid):
    give()
    cluster.start(ids["base R50"])
    subprocess.run(["scontrol", "requeue", *cluster.live(ids["base R50"])], check=True)
    assert give().submitted == ()
    assert no_run_has_two_live_jobs(cluster, grid)


def test_a_run_that_is_trained_outside_slurm_is_left_alone(give, cluster, ids, runs):
    with lease(runs.run(ids["base R50"]).lease, "base R50"):
        given = give()
    assert given.live == (ids["base R50"],)
    # No job can be waited for: the same command takes them when the base is done.
    assert {ids["R50"], ids["k=2"]} <= set(given.blocked)


def test_a_thousand_runs_need_one_sbatch_for_each_array(give, cluster, big_grid):
    given = give(big_grid)
    assert len(given.submitted) == 8 + 8 * 124 == 1000
    # The bases in one array, and one array for the fine-tunes of each.
    assert len(cluster.calls("sbatch")) == len(given.arrays) == 9
    assert len(cluster.calls("squeue")) == 1
    after = {job["after"] for job in cluster.get("jobs")}
    assert after == {None, *(f"100_{i}" for i in range(8))}


def test_runs_without_room_in_the_queue_are_given_by_whichever_job_ends_next(
    give, cluster, ids, site, runs, grid
):
    cluster.set(before="7|N/A|mine|RUNNING|None|n1|0:01|1:00\n")  # another job of the same user
    given = give(site=replace_site(site, max_submitted=4))
    assert given.submitted == (ids["base R50"], ids["R50"], ids["base R101"])
    assert given.waiting == (ids["k=2"], ids["R101"])
    states = look(grid.runs, runs).states
    assert states[ids["k=2"]].reason == "waits for room in the queue (max_submitted)"
    assert give_waiting(runs) == ()  # 1 + 3 of 4: no room

    cluster.start(ids["base R50"])
    cluster.finish(ids["base R50"])
    first = give_waiting(runs)
    assert give_waiting(runs) == ()
    cluster.start(ids["R50"])
    cluster.finish(ids["R50"])
    # In any order: by this cluster's clock both were written down at one moment.
    assert {*first, *give_waiting(runs)} == {ids["k=2"], ids["R101"]}
    assert cluster.jobs_of(ids["k=2"])[-1]["after"] is None  # its base is done
    [base] = cluster.live(ids["base R101"])
    assert cluster.jobs_of(ids["R101"])[-1]["after"] == base
    assert no_run_has_two_live_jobs(cluster, grid)


def test_given_again_what_waits_for_room_is_not_given_twice(give, cluster, site, grid, runs):
    given = give(site=replace_site(site, max_submitted=4))
    assert len(given.waiting) == 1
    assert give(site=replace_site(site, max_submitted=4)).waiting == given.waiting
    assert give().submitted == given.waiting  # the limit is gone
    assert give_waiting(runs) == ()
    assert no_run_has_two_live_jobs(cluster, grid)


def test_where_no_job_is_left_to_make_room_that_is_said(give, cluster, site, grid, runs, ids):
    [waiting] = give(site=replace_site(site, max_submitted=4)).waiting
    assert waiting == ids["R101"]
    cluster.finish_elsewhere(ids["base R101"])
    live = (job for run_id in grid.runs for job in cluster.live(run_id))
    subprocess.run(["scancel", *live], check=True)  # by hand
    assert look(grid.runs, runs).states[waiting] == RunState(
        State.TO_DO, "found no room in the queue, and no job is left to make some"
    )
    assert waiting in give().submitted


def test_what_slurm_refuses_for_want_of_room_goes_on_waiting(give, cluster, site, grid, runs, ids):
    [waiting] = give(site=replace_site(site, max_submitted=4)).waiting
    cluster.start(ids["base R50"])
    cluster.finish(ids["base R50"])
    cluster.next_sbatch("refuse")
    with pytest.raises(LaunchError, match="Slurm refuses the jobs of site 'fake'"):
        give_waiting(runs)
    assert give_waiting(runs) == (waiting,)


def test_where_jobs_submit_successors_half_of_the_places_are_kept_for_those(give, site):
    # Each job that runs may need one place more, of 6 in all: 3 jobs and their 3 successors.
    given = give(site=replace_site(site, max_submitted=6, requeue=False))
    assert len(given.submitted) == 3
    assert len(given.waiting) == 2


def replace_site(site, **changes):
    return site.model_copy(update=changes)


def test_more_gpus_than_a_node_has_are_refused_before_anything_is_written(
    give, cluster, grid, site, runs
):
    tables = {cell.name: replace(cell, spec=replace(cell.spec, num_gpus=2)) for cell in grid.cells}
    wide = replace(grid, cells=tuple(tables.values()))
    with pytest.raises(LaunchError, match=r"2 GPUs.*gpus_per_node"):
        give(wide, site=replace_site(site, gpus_per_node=1))
    assert records(runs) == []
    assert cluster.calls("sbatch") == []


def test_submit_gives_only_what_it_is_told_to(give, cluster, ids):
    assert give(only=[ids["base R101"]]).submitted == (ids["base R101"],)


def test_records_and_specs_are_the_users_alone(give, runs):
    give()
    folders = [runs.folder, runs.submissions, *(path.parent for path in runs.folder.glob("*/*"))]
    assert {folder.stat().st_mode & 0o077 for folder in folders} == {0}
    assert os.listdir(runs.submissions)


def test_weights_that_are_missing_stop_a_submission_before_anything_is_queued(
    give, cluster, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    spec = finetune(Setting(scale="paper"), "mask_rcnn_X101_FPN", NO_LOSS)
    paper = table_grid("t", Layout("", ("mAP",)), [Cell("t", "X101", spec, {})])
    with pytest.raises(DataError, match=r"X-101-32x8d\.safetensors is missing.*harness prepare"):
        give(grid=paper)
    assert cluster.calls("sbatch") == []
