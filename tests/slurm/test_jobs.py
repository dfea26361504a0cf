"""What squeue and sacct print, and what is made of it."""

import os
from dataclasses import replace

import pytest

from harness.slurm.commands import SlurmError, output_of, seconds_of
from harness.slurm.jobs import ask
from harness.slurm.submissions import Submission

SID = "h-00000000000a"
OTHER = "h-00000000000b"


def submission(sid=SID, runs=("r0", "r1", "r2"), **changes) -> Submission:
    made = Submission(
        sid=sid,
        site="fake",
        run_ids=tuple(runs),
        num_gpus=1,
        mem_gb=None,
        time_limit_min=60,
        requeue=True,
        code="c",
        code_hash="d",
        created_at=1e9,
    )
    return replace(made, **changes)


@pytest.fixture
def says(tmp_path, monkeypatch):
    """Puts commands on PATH that print a text, and keeps the arguments that they get."""
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")

    def says(command, text, code=0):
        (tmp_path / f"{command}.out").write_text(text)
        path = tmp_path / command
        path.write_text(
            f'#!/bin/sh\nprintf "%s\\n" "$*" >> "$0.calls"\nenv > "$0.env"\n'
            f'cat "$0.out"\nif [ {code} != 0 ]; then echo "no controller" >&2; fi\nexit {code}\n'
        )
        path.chmod(0o755)

    says.calls = lambda command: (
        path.read_text().splitlines() if (path := tmp_path / f"{command}.calls").exists() else []
    )
    says.environment = lambda command: dict(
        line.split("=", 1) for line in (tmp_path / f"{command}.env").read_text().splitlines()
    )
    return says


def test_a_running_job_is_told_with_node_and_times(says):
    says("squeue", f"12|0|{SID}|RUNNING|None|node3|1-02:03:04|10:00\n")
    says("sacct", "")
    job = ask([submission()]).jobs[SID, 0]
    assert (job.job_id, job.array_id, job.node, job.reason) == ("12_0", "12", "node3", "")
    assert job.elapsed_s == 86400 + 2 * 3600 + 3 * 60 + 4
    assert job.left_s == 600


@pytest.mark.parametrize("told", ["UNLIMITED", "NOT_SET", "INVALID"])
def test_a_time_that_is_no_number_is_not_known(says, told):
    says("squeue", f"12|0|{SID}|RUNNING|None|node3|INVALID|{told}\n")
    job = ask([submission(runs=["r0"])]).jobs[SID, 0]
    assert (job.elapsed_s, job.left_s) == (0.0, None)


def test_a_job_that_waits_has_no_time_left(says):
    says("squeue", f"12|0|{SID}|PENDING|Priority||0:00|1:00:00\n")
    assert ask([submission(runs=["r0"])]).jobs[SID, 0].left_s is None


@pytest.mark.parametrize("state", ["SUSPENDED", "POWER_UP_NODE", "A_STATE_OF_2031"])
def test_a_job_is_live_unless_slurm_says_in_a_known_word_that_it_has_ended(says, state):
    # Taken for ended, its run would get a second job.
    says("squeue", f"12|0|{SID}|{state}|None||0:00|INVALID\n")
    answer = ask([submission(runs=("r0",))])
    assert answer.jobs[SID, 0].live
    assert answer.live_total == 1


def test_foreign_jobs_count_and_are_otherwise_left_alone(says):
    says(
        "squeue",
        "CLUSTER: main\n"
        "7|N/A|a|b|RUNNING|RUNNING|None|n1|0:01|INVALID\n"  # a name with bars
        "8|[0-3%2]|x|PENDING|Priority||0:00|1:00\n"  # an array of 4 in a line
        "9|1|h-0|COMPLETED|None|n1|0:01|1:00\n"
        "10|1|h-ffffffffffff|PENDING|Priority||0:00|1:00\n",  # of another runs folder
    )
    says("sacct", "")
    answer = ask([submission()])
    assert answer.jobs == {}
    assert answer.live_total == 1 + 4 + 1
    assert [job.job_id for job in answer.live] == ["10_1"]


def test_tasks_that_wait_in_one_line_are_told_one_by_one(says):
    says("squeue", f"12|[0,2-6:2%2]|{SID}|PENDING|Priority||0:00|1:00\n")
    says("sacct", "")
    jobs = ask([submission(runs="abcdefg")]).jobs
    assert [index for _, index in jobs] == [0, 2, 4, 6]


@pytest.mark.parametrize(
    "text",
    [
        f"12|0|{SID}|PENDING|Priority||0:00|1:00",  # no end of line
        f"12|0|{SID}|PEND\n",
        f"12|0,2,...|{SID}|PENDING|Priority||0:00|1:00\n",
    ],
)
def test_an_answer_cut_short_is_no_answer(says, text):
    # Whoever took it for one would submit the runs that it leaves out a second time.
    says("squeue", text)
    with pytest.raises(SlurmError, match=r"cut short|cannot be understood|leaves indices out"):
        ask([submission()])


def test_of_two_jobs_of_a_task_a_live_one_counts_and_else_the_newer(says):
    says(
        "squeue",
        f"99|0|{SID}|RUNNING|None|n1|0:01|1:00\n"
        f"100|0|{SID}|FAILED|None|n1|0:01|1:00\n"
        f"99|1|{SID}|TIMEOUT|None|n1|0:01|1:00\n"
        f"100|1|{SID}|CANCELLED|None|n1|0:01|1:00\n",
    )
    jobs = ask([submission(runs=["r0", "r1"])]).jobs
    assert jobs[SID, 0].job_id == "99_0"
    assert jobs[SID, 1].job_id == "100_1"  # and not 99, though "99" > "100" as texts


def test_a_successor_that_slurm_refused_does_not_speak_for_the_job_before_it(says):
    # sbatch --exclude of the only node fails, and leaves a failed job of the next number.
    refused = f"13|0|{SID}|FAILED|BadConstraints||0:00|1:00\n"
    says("squeue", f"12|0|{SID}|FAILED|NonZeroExitCode|node1|0:09|1:00\n" + refused)
    assert ask([submission(runs=("r0",))]).jobs[SID, 0].job_id == "12_0"
    says("squeue", refused)
    assert ask([submission(runs=("r0",))]).jobs[SID, 0].job_id == "13_0"


def test_sacct_is_asked_once_and_only_for_what_squeue_has_forgotten(says):
    says("squeue", f"12|0|{SID}|RUNNING|None|n1|0:01|1:00\n")
    says(
        "sacct",
        f"12_1|{SID}|CANCELLED by 1000|0:15|n1|61|None\n"
        f"12_2|{SID}|OUT_OF_MEMORY|0:125|n1|61|None\n"
        "garbage\n"
        f"13_0|{SID}||0:0|n1|61|None\n",
    )
    jobs = ask([submission(), submission(OTHER, ["r0"], created_at=1.0)]).jobs
    assert (jobs[SID, 1].state, jobs[SID, 1].reason) == ("CANCELLED", "by 1000")
    assert jobs[SID, 2].state == "OUT_OF_MEMORY"
    assert jobs[SID, 2].elapsed_s == 61
    assert jobs[SID, 0].state == "RUNNING"
    [call] = says.calls("sacct")
    assert f"--name={SID}" in call.split()  # OTHER's run has a newer submission


def test_sacct_is_not_asked_where_squeue_knows_all_undone_runs(says):
    says("squeue", f"12|0|{SID}|RUNNING|None|n1|0:01|1:00\n")
    says("sacct", "")
    ask([submission()], undone={"r0"})
    assert says.calls("sacct") == []


def test_what_sacct_takes_for_live_and_squeue_does_not_know_is_not_live(says):
    # The database never heard of its end: the controller's word is the newer one.
    says("squeue", "")
    says("sacct", f"12_0|{SID}|RUNNING|0:0|n1|61|None\n")
    assert ask([submission()]).jobs == {}


def test_without_accounting_squeue_is_all_there_is(says):
    says("squeue", f"12|0|{SID}|FAILED|NonZeroExitCode|n1|0:01|1:00\n")
    says("sacct", "", code=1)
    assert list(ask([submission()]).jobs) == [(SID, 0)]


def test_a_squeue_that_fails_is_told_with_its_words(says):
    says("squeue", "", code=1)
    with pytest.raises(SlurmError, match=r"squeue failed: no controller\. When Slurm answers"):
        ask([submission()])


def test_a_command_that_does_not_answer_is_given_up(tmp_path):
    hangs = tmp_path / "squeue"
    hangs.write_text("#!/bin/sh\nexec sleep 60\n")
    hangs.chmod(0o755)
    with pytest.raises(SlurmError, match=r"squeue has not answered in 0\.1 s"):
        output_of([str(hangs)], timeout_s=0.1)


def test_a_machine_without_slurm_is_told_so():
    with pytest.raises(SlurmError, match=r"no-such-squeue is not on this machine's PATH"):
        output_of(["no-such-squeue"])


def test_a_users_own_settings_of_squeue_change_nothing(says, monkeypatch):
    monkeypatch.setenv("SQUEUE_STATES", "RUNNING")
    monkeypatch.setenv("SQUEUE_FORMAT", "%i")
    monkeypatch.setenv("SLURM_CLUSTERS", "other")
    monkeypatch.setenv("SLURM_CONF", "/etc/slurm.conf")
    says("squeue", "")
    says("sacct", "")
    ask([submission()])
    seen = says.environment("squeue")
    assert not {"SQUEUE_STATES", "SQUEUE_FORMAT", "SLURM_CLUSTERS"} & set(seen)
    assert seen["SLURM_CONF"] == "/etc/slurm.conf"  # that is which cluster it is
    assert seen["SLURM_BITSTR_LEN"] == "0"  # indices in full


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("infinite", None), ("30:00", 30), ("8:00:00", 480), ("1-12:00:00", 2160), ("n/a", None)],
)
def test_slurms_lengths_of_time_are_read(text, minutes):
    assert seconds_of(text) == (None if minutes is None else minutes * 60)
