"""What becomes of a job whose processes have ended: told as stories, then against fake commands."""

import json
import os
import shlex
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harness.errors import LaunchError
from harness.files import write_json
from harness.grid import NO_LOSS, Setting, finetune
from harness.grid.spec import base_of, identity_of
from harness.launch.attempt import JobName, new_attempt
from harness.lease import lease
from harness.paths import RunsFolder
from harness.records import (
    METRICS,
    End,
    Metrics,
    Outcome,
    read_outcome,
    write_metrics,
    write_outcome,
)
from harness.slurm.aftermath import (
    ENDS_BADLY,
    WHY,
    Decision,
    Story,
    Then,
    attempts_without_progress,
    decide,
    settle,
)
from harness.slurm.submissions import Submission, read_submission, withdraw, write_submission

ROOT = Path(__file__).parents[2]
SID = "h-0123456789ab"
CHILD = "h-ba9876543210"
JOB = JobName(SID, "123_1", restart=0)
IN_JOB = {
    "SLURM_JOB_ID": "123",  # as the array itself: the last task to start gets that number
    "SLURM_ARRAY_JOB_ID": "123",
    "SLURM_ARRAY_TASK_ID": "1",
}
RUNNING = "JobId=123 ArrayJobId=123 ArrayTaskId=1\n   JobState=RUNNING Reason=None\n"


STORIES = {
    "done": (Story(done=True), Decision(Then.ENDS_WELL, "done")),
    "withdrawn": (
        Story(withdrawn=True),
        Decision(Then.ENDS_WELL, "its submission was withdrawn"),
    ),
    "cancelled": (
        Story(state="COMPLETING", ended=End.ASKED),
        Decision(Then.ENDS_BADLY, "left to Slurm, which says COMPLETING"),
    ),
    "requeued by Slurm": (
        Story(state="PENDING", ended=End.ASKED),
        Decision(Then.ENDS_BADLY, "left to Slurm, which says PENDING"),
    ),
    "no answer": (
        Story(state="", ended=End.KILLED),
        Decision(Then.ENDS_BADLY, "left to Slurm, which says nothing: it does not answer"),
    ),
    "could not start": (
        Story(ended=End.NOT_STARTED, error="python: not found", without_progress=1),
        Decision(Then.ELSEWHERE, "could not start: python: not found"),
    ),
    "could not start anywhere": (
        Story(ended=End.NOT_STARTED, error="python: not found", without_progress=3),
        Decision(
            Then.ENDS_BADLY,
            "could not start: python: not found",
            "3 attempts in a row brought no new checkpoint",
        ),
    ),
    "no GPU": (
        Story(ended=End.BAD_NODE, error="torch sees no GPU", without_progress=2),
        Decision(Then.ELSEWHERE, "bad node: torch sees no GPU"),
    ),
    "failed": (
        Story(ended=End.FAILED, error="nan"),
        Decision(Then.ENDS_BADLY, "failed: nan"),
    ),
    "memory": (
        Story(ended=End.OUT_OF_MEMORY, error="bad_alloc"),
        Decision(Then.ENDS_BADLY, "out of memory: bad_alloc"),
    ),
    "memory of the GPU": (
        Story(ended=End.OUT_OF_GPU_MEMORY, error="CUDA"),
        Decision(Then.ENDS_BADLY, "out of GPU memory: CUDA"),
    ),
    "base": (
        Story(ended=End.NO_BASE, error="not trained"),
        Decision(Then.ENDS_BADLY, "no base: not trained"),
    ),
    "time limit": (
        Story(ended=End.ASKED, error=WHY[End.ASKED]),
        Decision(Then.AGAIN, WHY[End.ASKED]),
    ),
    "time limit, no progress": (
        Story(ended=End.ASKED, error="asked", without_progress=3),
        Decision(Then.ENDS_BADLY, "asked", "3 attempts in a row brought no new checkpoint"),
    ),
    "preempted": (
        Story(ended=End.PREEMPTED, error="preempted"),
        Decision(Then.AGAIN, "preempted"),
    ),
    "preempted, no progress": (
        Story(ended=End.PREEMPTED, error="preempted", without_progress=3),
        Decision(Then.AGAIN, "preempted"),
    ),
    "killed": (
        Story(ended=End.KILLED, error="killed by signal 9", without_progress=2),
        Decision(Then.AGAIN, "killed by signal 9"),
    ),
    "killed, no progress": (
        Story(ended=End.KILLED, error="killed by signal 9", without_progress=3),
        Decision(
            Then.ENDS_BADLY,
            "killed by signal 9",
            "3 attempts in a row brought no new checkpoint",
        ),
    ),
    "taken over": (
        Story(ended=End.ASKED, superseded=True),
        Decision(Then.ENDS_BADLY, "another process has taken the run over"),
    ),
}


@pytest.mark.parametrize(("story", "decision"), STORIES.values(), ids=STORIES)
def test_what_becomes_of_a_job(story, decision):
    assert decide(story) == decision


@pytest.fixture
def spec():
    return finetune(Setting(scale="demo"), "mask_rcnn_R50_FPN", NO_LOSS)


@pytest.fixture
def runs(tmp_path, spec) -> RunsFolder:
    made = RunsFolder(tmp_path / "ru ns'%j")
    write_json(made.run(spec.run_id).spec, asdict(spec))
    return made


@pytest.fixture
def paths(runs, spec):
    return runs.run(spec.run_id)


@pytest.fixture
def submission(runs, spec) -> Submission:
    made = Submission(
        sid=SID,
        site="fake",
        run_ids=("00000000", spec.run_id),
        num_gpus=1,
        mem_gb=None,
        time_limit_min=60,
        requeue=True,
        code="0" * 12,
        code_hash="1" * 64,
        created_at=1.0,
    )
    write_submission(runs, made)
    return made


@pytest.fixture
def forbidden(runs, submission) -> Submission:
    """The site forbids requeue."""
    made = replace(submission, requeue=False)
    write_submission(runs, made)
    runs.job_output(SID).mkdir()
    runs.batch_script(SID).touch()
    return made


FAKE = """
import json, os, sys
from pathlib import Path
folder, *call = sys.argv[1:]
given = [name for name in os.environ if name.startswith(("SLURM_", "CUDA_VISIBLE"))]
with (Path(folder) / "calls").open("a") as file:
    print(json.dumps([call, given]), file=file)
answers = json.loads((Path(folder) / "answers").read_text())
for start, said in answers.items():
    if " ".join(call).startswith(start):
        code, out, err = said.pop(0) if len(said) > 1 else said[0]
        (Path(folder) / "answers").write_text(json.dumps(answers))
        sys.stdout.write(out)
        sys.stderr.write(err)
        sys.exit(code)
"""


class Slurm:
    """Commands that note their arguments and answer by the first of `answers` that they begin."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.answers = {"scontrol show job 123_1": [(0, RUNNING, "")]}
        self.write()

    def write(self):
        (self.folder / "answers").write_text(json.dumps(self.answers))

    def says(self, command, *answers):
        """What `command` answers, one (exit code, stdout, stderr) a call, the last for ever."""
        self.answers[command] = answers
        self.write()

    def noted(self):
        file = self.folder / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def calls(self, *but):
        """All calls but those of these beginnings."""
        told = [" ".join(call) for call, _ in self.noted()]
        return [call for call in told if not call.startswith(("scontrol show", *but))]


@pytest.fixture
def slurm(tmp_path, monkeypatch) -> Slurm:
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name in ("scontrol", "sbatch", "squeue", "scancel"):
        words = [sys.executable, "-I", "-S", "-c", FAKE, str(folder), name]
        (folder / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("harness.slurm.again.RETRY_EVERY_S", 0.0)
    return Slurm(folder)


def leave_attempt(paths, ended="", error="", job=JOB):
    attempt = new_attempt(paths, job)
    if ended:
        write_outcome(attempt.outcome, Outcome(ended=ended, error=error, seconds=9, trained_s=8))
    return attempt


def leave_checkpoint(paths, iteration):
    paths.checkpoints.mkdir(exist_ok=True)
    paths.checkpoint(iteration).touch()


def test_a_killed_process_is_recorded_and_its_job_goes_back(runs, paths, submission, slurm, capsys):
    attempt = leave_attempt(paths)
    assert settle(runs, SID, 137, IN_JOB) == ENDS_BADLY
    outcome = read_outcome(attempt.outcome)
    assert (outcome.ended, outcome.error) == ("killed", "killed by signal 9")  # 128 + 9
    # Never by the plain number 123: that would put back all of the array.
    assert slurm.calls() == ["scontrol requeue 123_1"]
    assert capsys.readouterr().err == (
        "harness: 123_1 goes back into the queue (killed by signal 9)\n"
    )


def test_a_job_that_was_asked_to_stop_goes_back_and_says_why(runs, paths, submission, slurm):
    attempt = leave_attempt(paths, "interrupted")
    assert settle(runs, SID, 143, IN_JOB) == ENDS_BADLY
    outcome = read_outcome(attempt.outcome)
    assert (outcome.ended, outcome.error) == (End.ASKED, WHY[End.ASKED])
    assert slurm.calls() == ["scontrol requeue 123_1"]


def test_a_preempted_job_goes_back_and_is_known_as_preempted(runs, paths, submission, slurm):
    shown = RUNNING + "   PreemptEligibleTime=Unknown PreemptTime=2026-07-01T12:00:00\n"
    slurm.says("scontrol show job 123_1", (0, shown, ""))
    attempt = leave_attempt(paths, "interrupted")
    settle(runs, SID, 143, IN_JOB)
    assert read_outcome(attempt.outcome).ended is End.PREEMPTED
    assert slurm.calls() == ["scontrol requeue 123_1"]


def test_a_job_that_slurm_takes_away_is_left_alone(runs, paths, submission, slurm):
    slurm.says("scontrol show job 123_1", (0, "JobId=123\n   JobState=CANCELLED\n", ""))
    attempt = leave_attempt(paths)
    assert settle(runs, SID, 137, IN_JOB) == ENDS_BADLY
    assert read_outcome(attempt.outcome) is None  # the next attempt finds it lost
    assert slurm.calls() == []


@pytest.mark.parametrize("ended", ["failed", "out of memory"])
def test_what_another_attempt_would_not_mend_is_not_tried_again(
    runs, paths, submission, slurm, ended
):
    leave_attempt(paths, ended, "no luck")
    assert settle(runs, SID, 1, IN_JOB) == ENDS_BADLY
    assert slurm.calls() == []


def test_a_run_that_is_done_lets_its_job_end_well_without_a_word_to_slurm(
    runs, paths, submission, slurm, spec
):
    metrics = Metrics(
        run_id=spec.run_id,
        parent=None,
        spec=identity_of(spec),
        ap={"segm": dict.fromkeys(METRICS, 34.5)},
        annotations={},
        order_hash="",
        evaluator="",
        environment={},
        gpu_hours=0.0,
    )
    write_metrics(paths.metrics, metrics)
    assert settle(runs, SID, 137, IN_JOB) == 0  # killed after its last word
    assert slurm.noted() == []


def test_a_withdrawn_submission_ends_well(runs, submission, slurm):
    withdraw(runs, submission, "sbatch failed")
    assert settle(runs, SID, 0, IN_JOB) == 0


def test_a_job_that_could_not_start_is_tried_on_other_nodes_and_says_why(
    runs, paths, submission, slurm, capsys
):
    leave_attempt(paths, "interrupted", job=replace(JOB, restart=7))  # of another start
    # A site that itself excludes a node: said to sbatch anew, the option replaces the script's.
    runs.job_output(SID).mkdir()
    runs.batch_script(SID).write_text("#!/bin/bash\n#SBATCH --exclude='node[7,9]'\n")
    printed = "ImportError: libfoo.so: I/O error\nsrun: error: node3: task 0: Exited with code 1\n"
    runs.job_log(SID, "123_1").write_text(printed)
    slurm.says("sbatch", (0, "140\n", ""))
    assert settle(runs, SID, 2, IN_JOB | {"SLURMD_NODENAME": "node3"}) == ENDS_BADLY
    outcome = read_outcome(paths.attempt(2).outcome)
    assert (outcome.ended, outcome.error) == (
        End.NOT_STARTED,
        "ImportError: libfoo.so: I/O error",
    )
    [call] = slurm.calls("squeue")
    assert "--dependency=afterany:123_1 --exclude=node[7,9],node3 " in call
    assert "is followed by 140_1 not on node3" in capsys.readouterr().err


def test_where_there_is_no_other_node_the_job_goes_back_into_the_queue(
    runs, paths, submission, slurm
):
    runs.job_output(SID).mkdir()
    runs.batch_script(SID).touch()
    refusal = "sbatch: error: Batch job submission failed: Requested node configuration is not"
    slurm.says("sbatch", (1, "", refusal))
    leave_attempt(paths, End.BAD_NODE, "torch sees no GPU")
    settle(runs, SID, 2, IN_JOB | {"SLURMD_NODENAME": "node3"})
    assert slurm.calls("squeue")[-1] == "scontrol requeue 123_1"


def test_a_job_that_ends_makes_way_for_runs_that_wait_for_room(
    runs, paths, submission, slurm, spec, capsys
):
    base = base_of(spec)
    write_json(runs.run(base.run_id).spec, asdict(base))
    those = (base.run_id, "11111111")
    waiting = replace(submission, sid=CHILD, run_ids=those, waiting=(0, 1), most_jobs=4)
    write_submission(runs, waiting)
    slurm.says("squeue", (0, "123|1|mine|RUNNING|None|n1|0:01|1:00\n" * 3, ""))  # room for one
    slurm.says("sbatch", (0, "Submitted batch job 150\n", ""))
    leave_attempt(paths, "failed", "no luck")
    settle(runs, SID, 1, IN_JOB)
    script = runs.batch_script(CHILD)
    assert slurm.calls("squeue") == [f"sbatch --array=0 {script}"]
    kept = read_submission(runs.submission(CHILD))
    assert (kept.waiting, kept.job_id) == ((1,), "150")
    assert "submitted, now that there is room: " in capsys.readouterr().err


def test_a_run_that_could_not_start_anywhere_stops(runs, paths, submission, slurm):
    for restart in range(3):
        settle(runs, SID, 2, IN_JOB | {"SLURM_RESTART_COUNT": str(restart)})
    assert slurm.calls() == ["scontrol requeue 123_1"] * 2


def test_a_process_killed_on_its_way_to_an_attempt_is_tried_again_three_times(
    runs, paths, submission, slurm
):
    for restart in range(4):
        settle(runs, SID, 137, IN_JOB | {"SLURM_RESTART_COUNT": str(restart)})
    # The third in a row ends it; a fourth start by hand does not begin a new row.
    assert read_outcome(paths.attempt(3).outcome).error == (
        "killed by signal 9, and 3 attempts in a row brought no new checkpoint"
    )
    assert slurm.calls() == ["scontrol requeue 123_1"] * 2
    assert paths.attempt_numbers() == [1, 2, 3, 4]


def test_a_run_that_another_process_trains_by_now_is_left_to_it(runs, paths, submission, slurm):
    leave_attempt(paths, "interrupted")
    paths.lease.write_text('{"host": "node7", "pid": 1, "started": "1", "token": "theirs"}')
    assert settle(runs, SID, 138, IN_JOB) == ENDS_BADLY
    assert slurm.calls() == []


def test_a_job_that_waited_in_vain_for_another_process_is_no_attempt(
    runs, paths, submission, slurm
):
    paths.lease.write_text('{"host": "node7", "pid": 1, "started": "1", "token": "theirs"}')
    assert settle(runs, SID, 2, IN_JOB) == ENDS_BADLY
    assert paths.attempt_numbers() == []
    assert slurm.calls() == []


def test_the_lease_of_the_own_dead_process_stops_nothing(runs, paths, submission, slurm):
    with lease(paths.lease, "it"):  # of this process, which stands for the worker
        leave_attempt(paths)
        settle(runs, SID, 137, IN_JOB)
    assert slurm.calls() == ["scontrol requeue 123_1"]


@pytest.mark.parametrize(
    "said",
    [
        "slurmstepd: error: Detected 1 oom_kill event in StepId=123.0.",
        "slurmstepd: error: Detected 1 oom-kill event(s) in step 123.0 cgroup.",
        "srun: error: node1: task 0: Out Of Memory",
        "slurmstepd: error: StepId=123.0 exceeded memory limit (9 > 8), being killed",
    ],
)
def test_a_process_that_slurm_killed_for_its_memory_is_not_tried_again(
    runs, paths, submission, slurm, said
):
    attempt = leave_attempt(paths)
    printed = runs.job_output(SID) / "123_1_0_log.err"
    printed.parent.mkdir()
    printed.write_text(f"{attempt.folder}\n{said}\n")
    settle(runs, SID, 137, IN_JOB)
    assert read_outcome(attempt.outcome).ended == "out of memory"
    assert slurm.calls() == []


def test_a_run_that_lost_one_of_its_processes_to_want_of_memory_says_so(
    runs, paths, submission, slurm
):
    # What rank 0 could say is only that another ended; Slurm's file says why.
    attempt = leave_attempt(paths, "killed", "another process of this run ended without a word")
    printed = runs.job_log(SID, "123_1")
    printed.parent.mkdir()
    printed.write_text(f"{attempt.folder}\nslurmstepd: error: Detected 1 oom_kill event\n")
    settle(runs, SID, 143, IN_JOB)
    assert read_outcome(attempt.outcome).ended == "out of memory"
    assert slurm.calls() == []


def test_a_run_whose_other_process_was_killed_was_not_asked_to_stop(runs, paths, submission, slurm):
    # srun asks the first process to end as soon as another is gone.
    attempt = leave_attempt(paths, "interrupted")
    printed = runs.job_log(SID, "123_1")
    printed.parent.mkdir()
    printed.write_text(f"{attempt.folder}\nsrun: error: node2: task 1: Killed\n")
    settle(runs, SID, 143, IN_JOB)
    outcome = read_outcome(attempt.outcome)
    assert (outcome.ended, outcome.error) == (
        End.KILLED,
        "process 1 of the run was killed (Killed)",
    )
    assert slurm.calls() == ["scontrol requeue 123_1"]


def test_what_an_earlier_start_printed_of_memory_is_not_held_against_this_one(
    runs, paths, submission, slurm
):
    attempt = leave_attempt(paths)
    printed = runs.job_output(SID) / "123_1_0_log.err"
    printed.parent.mkdir()
    printed.write_text(f"Out Of Memory\n{attempt.folder}\nsrun: error: node1: task 0: Killed\n")
    settle(runs, SID, 137, IN_JOB)
    assert read_outcome(attempt.outcome).ended == "killed"


def test_a_controller_that_is_away_for_a_while_is_asked_again(runs, paths, submission, slurm):
    away = (1, "", "slurm_load_jobs error: Unable to contact slurm controller (connect failure)")
    slurm.says("scontrol show job 123_1", away, away, (0, RUNNING, ""))
    slurm.says("scontrol requeue", away, (0, "", ""))
    leave_attempt(paths, "interrupted")
    settle(runs, SID, 143, IN_JOB)
    assert slurm.calls() == ["scontrol requeue 123_1"] * 2


def test_a_controller_that_stays_away_is_told(runs, paths, submission, slurm, monkeypatch):
    monkeypatch.setattr("harness.slurm.again.RETRY_FOR_S", 0.0)
    slurm.says("scontrol requeue", (1, "", "Unable to contact slurm controller"))
    leave_attempt(paths, "interrupted")
    with pytest.raises(LaunchError, match="scontrol requeue 123_1 failed: Unable to contact"):
        settle(runs, SID, 143, IN_JOB)


def sbatch_call(runs):
    script = runs.batch_script(SID)
    return f"sbatch --array=1 --dependency=afterany:123_1 {script}"


def test_where_requeue_is_forbidden_a_successor_follows_and_children_wait_for_it(
    runs, paths, forbidden, slurm, capsys
):
    slurm.says("sbatch", (0, "140;cluster\n", ""))
    pending = [
        f"130|{CHILD}|afterok:123_1(unfulfilled)",
        f"131|{CHILD}|afterok:123_11(unfulfilled)",  # of another base
        f"132|{CHILD}|afterok:1123_1(unfulfilled)",
        "133|postprocess|afterok:123_1(unfulfilled)",  # not ours
        f"140|{SID}|afterany:123_1(unfulfilled)",
    ]
    slurm.says("squeue -h -t PENDING", (0, "\n".join(pending), ""))
    leave_attempt(paths, "interrupted")
    assert settle(runs, SID, 143, IN_JOB) == ENDS_BADLY
    assert slurm.calls("squeue") == [
        sbatch_call(runs),
        "scontrol update JobId=130 Dependency=afterok:140_1",
    ]
    assert capsys.readouterr().err == (
        f"harness: 123_1 is followed by 140_1, for which 130 waits now ({WHY[End.ASKED]})\n"
    )


def test_a_successor_takes_over_nothing_that_slurm_set_for_this_job(
    runs, paths, forbidden, slurm, monkeypatch
):
    for name in ("SLURM_RESTART_COUNT", "SLURM_NTASKS", "CUDA_VISIBLE_DEVICES", "SLURM_CONF"):
        monkeypatch.setenv(name, "1")
    slurm.says("sbatch", (0, "140\n", ""))
    leave_attempt(paths, "interrupted")
    settle(runs, SID, 143, IN_JOB)
    given = [names for call, names in slurm.noted() if call[0] == "sbatch"]
    # The first is harness's own, for squeue.
    assert sorted(given[0]) == ["SLURM_BITSTR_LEN", "SLURM_CONF"]


def test_a_cluster_that_turns_out_to_forbid_requeue_gets_a_successor_too(
    runs, paths, forbidden, slurm
):
    write_submission(runs, replace(forbidden, requeue=True))
    refusal = "Requested operation is presently disabled"
    slurm.says("scontrol requeue", (1, "", refusal))
    slurm.says("sbatch", (0, "140\n", ""))
    leave_attempt(paths, "interrupted")
    settle(runs, SID, 143, IN_JOB)
    assert slurm.calls("squeue") == ["scontrol requeue 123_1", sbatch_call(runs)]


def test_a_successor_that_is_there_already_is_not_made_twice(runs, paths, forbidden, slurm):
    slurm.says("squeue -h -r", (0, "123_0\n123_1\n140_1\n", ""))
    leave_attempt(paths, "interrupted")
    settle(runs, SID, 143, IN_JOB)
    assert slurm.calls("squeue") == []


def test_a_successor_whose_answer_was_lost_is_not_made_twice(runs, paths, forbidden, slurm):
    slurm.says("sbatch", (1, "", "sbatch: error: Socket timed out on send/recv operation"))
    slurm.says("squeue -h -r", (0, "123_1\n", ""), (0, "123_1\n140_1\n", ""))
    leave_attempt(paths, "interrupted")
    settle(runs, SID, 143, IN_JOB)
    assert slurm.calls("squeue") == [sbatch_call(runs)]


def test_a_job_cancelled_meanwhile_takes_its_successor_along(runs, paths, forbidden, slurm, capsys):
    cancelled = RUNNING.replace("RUNNING", "CANCELLED")
    slurm.says("scontrol show job 123_1", (0, RUNNING, ""), (0, cancelled, ""))
    slurm.says("sbatch", (0, "140\n", ""))
    leave_attempt(paths, "interrupted")
    settle(runs, SID, 143, IN_JOB)
    assert slurm.calls("squeue") == [sbatch_call(runs), "scancel 140_1"]
    assert "was taken away by Slurm meanwhile" in capsys.readouterr().err


def test_a_successor_that_slurm_refuses_is_told(runs, paths, forbidden, slurm):
    slurm.says("sbatch", (1, "", "sbatch: error: QOSMaxSubmitJobPerUserLimit"))
    leave_attempt(paths, "interrupted")
    with pytest.raises(LaunchError, match=r"No successor for 123_1: .*QOSMaxSubmitJobPerUserLimit"):
        settle(runs, SID, 143, IN_JOB)
    # And it is told where `harness fails` looks.
    assert "QOSMaxSubmitJobPerUserLimit" in read_outcome(paths.attempt(1).outcome).error


def test_without_a_batch_script_there_is_no_successor(runs, paths, forbidden, slurm):
    runs.batch_script(SID).unlink()
    leave_attempt(paths, "interrupted")
    with pytest.raises(LaunchError, match=r"There is no .*/array_submission\.sh"):
        settle(runs, SID, 143, IN_JOB)


def test_attempts_count_until_one_made_progress(paths):
    leave_attempt(paths, "killed")  # from 0 to 40
    leave_checkpoint(paths, 40)
    leave_attempt(paths, "killed")  # from 40, no further
    leave_attempt(paths, End.ASKED)  # nor this
    assert attempts_without_progress(paths, SID) == 2
    leave_checkpoint(paths, 80)
    assert attempts_without_progress(paths, SID) == 0


def test_attempts_that_slurm_ended_do_not_count(paths):
    leave_attempt(paths, "killed")
    leave_attempt(paths, End.PREEMPTED)
    leave_attempt(paths, "interrupted")  # by Slurm's own requeue: no aftermath said why
    leave_attempt(paths, "lost")
    leave_attempt(paths, "killed")
    assert attempts_without_progress(paths, SID) == 2


def test_a_new_submission_starts_a_new_row(paths):
    for _ in range(3):
        leave_attempt(paths, "killed", job=replace(JOB, sid=CHILD))
    leave_attempt(paths, "killed")
    assert attempts_without_progress(paths, SID) == 1


def start(runs, code):
    # As in the batch script; --dirty trees and checkouts play no part: PYTHONPATH says where.
    return subprocess.run(
        [sys.executable, "-P", "-m", "harness.slurm.aftermath", str(runs.folder), SID, code],
        env=os.environ | IN_JOB | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_as_a_process_it_says_in_a_line_what_it_decided(runs, paths, submission, slurm):
    leave_attempt(paths, "failed", "loss_mask became nan")
    done = start(runs, "1")
    assert (done.returncode, done.stdout) == (ENDS_BADLY, "")
    assert done.stderr == "harness: 123_1 ends (failed: loss_mask became nan)\n"


def test_as_a_process_it_says_in_a_line_what_it_cannot_read(runs, slurm):
    done = start(runs, "1")
    assert done.returncode == ENDS_BADLY
    assert done.stderr.startswith("harness: ")
    assert done.stderr.count("\n") == 1


def test_it_starts_without_what_takes_long_to_load():
    code = "import sys, harness.slurm.aftermath; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not {"torch", "pydantic", "submitit", "numpy"} & set(done.stdout.split())
