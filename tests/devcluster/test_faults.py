"""Each fault does to a real job what it says. A job with the worker's name stands in for it."""

import shlex
import subprocess
import sys

import pytest

from tests.devcluster import faults
from tests.devcluster.faults import FaultMissedError, until

pytestmark = pytest.mark.slow


def submit(cluster, script, *options):
    """The id of a job that runs `script` in bash."""
    words = ["sbatch", "--parsable", "--chdir=/", "--output=/dev/null", *options]
    return cluster.ask(*words, f"--wrap=exec bash -c {shlex.quote(script)}").strip()


def state(cluster, job):
    return cluster.ask("squeue", "-h", "-t", "all", "-j", job, "-o", "%T").strip()


@pytest.fixture
def start_worker(devcluster, tmp_path):
    """Starts a job whose worker runs Python code; the job's id, as soon as it is there.

    The batch script ends with srun's exit code.
    """

    def start(code="import time; time.sleep(60)", *options):
        command = shlex.join([sys.executable, "-c", code, faults.WORKER])
        job = submit(devcluster, f"srun --kill-on-bad-exit=1 {command}", *options)
        until(lambda: faults.workers(devcluster, job), 20, f"the worker of job {job}")
        return job

    return start


def test_a_killed_worker_fails_its_job(devcluster, start_worker):
    job = start_worker()
    faults.kill_worker(devcluster, job)
    until(lambda: state(devcluster, job) == "FAILED", 10)
    with pytest.raises(FaultMissedError, match=rf"job {job} has no worker of rank 0 now"):
        faults.kill_worker(devcluster, job)


def test_each_rank_has_its_worker_and_srun_is_none(devcluster, start_worker):
    job = start_worker("import time; time.sleep(60)", "--ntasks=2")
    until(lambda: len(faults.workers(devcluster, job)) == 2, 10)
    first, second = (faults.worker(devcluster, job, rank) for rank in (0, 1))
    assert first.pid != second.pid
    # With --kill-on-bad-exit the death of one ends the other as well.
    faults.kill_worker(devcluster, job, rank=1)
    until(lambda: not faults.processes_of_job(devcluster, job), 10)


def test_a_starved_worker_gets_no_more_memory(devcluster, start_worker, tmp_path):
    go, found = tmp_path / "go", tmp_path / "found"
    code = (
        "import pathlib, time\n"
        f"while not pathlib.Path({str(go)!r}).exists(): time.sleep(0.02)\n"
        "try: bytes(2**28)\n"
        f"except MemoryError: pathlib.Path({str(found)!r}).touch()\n"
    )
    job = start_worker(code)
    # 256 MB more than it has are asked for, 64 MB are left.
    faults.starve_worker(devcluster, job, spare_mb=64)
    go.touch()
    until(found.exists, 10)


@pytest.mark.parametrize(("fault", "name"), [(faults.warn, "USR2"), (faults.terminate, "TERM")])
def test_a_signal_reaches_the_worker_and_leaves_the_rest_to_it(
    devcluster, start_worker, tmp_path, fault, name
):
    ready, told = tmp_path / "ready", tmp_path / "told"
    code = (
        "import pathlib, signal\n"
        f"signal.signal(signal.SIG{name}, lambda *_: pathlib.Path({str(told)!r}).touch())\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "signal.pause()\n"
    )
    job = start_worker(code)
    until(ready.exists, 10)
    fault(devcluster, job)
    until(told.exists, 10)
    # No SIGKILL follows, and the batch script has not heard of it.
    until(lambda: state(devcluster, job) == "COMPLETED", 10)
    with pytest.raises(FaultMissedError, match=rf"job {job} is not running"):
        fault(devcluster, job)


def test_a_time_limit_is_cut_to_a_minute_and_cancel_ends_the_job(devcluster, start_worker):
    job = start_worker()
    faults.shorten(devcluster, job)
    assert devcluster.ask("squeue", "-h", "-j", job, "-o", "%l") == "1:00\n"
    faults.cancel(devcluster, job)
    until(lambda: state(devcluster, job) == "CANCELLED", 10)
    for fault in (faults.cancel, faults.requeue, faults.shorten):
        with pytest.raises(FaultMissedError, match=rf"job {job} is not"):
            fault(devcluster, job)


def test_jobs_run_again_after_a_requeue_and_after_their_node_is_lost(devcluster, tmp_path):
    # Restarts as Slurm counts them; both jobs wait 5 s in the queue, together.
    script = "touch {}.$SLURM_RESTART_COUNT; exec -a harness.slurm.worker sleep 60"
    asked, lost = tmp_path / "asked", tmp_path / "lost"
    jobs = {
        name: submit(devcluster, f"srun bash -c {shlex.quote(script.format(name))}", f"-w{node}")
        for name, node in [(asked, "node1"), (lost, "node2")]
    }
    until(lambda: all(faults.workers(devcluster, job) for job in jobs.values()), 10)

    faults.requeue(devcluster, jobs[asked])
    faults.lose_node(devcluster, "node2")
    assert not faults.processes_of_job(devcluster, jobs[lost])
    assert state(devcluster, jobs[lost]) == "PENDING"
    faults.bring_back(devcluster, "node2")
    until(tmp_path.joinpath("asked.1").exists, 20)
    until(tmp_path.joinpath("lost.1").exists, 20)


def test_a_lost_node_ends_a_job_that_may_not_be_requeued(devcluster, start_worker):
    job = start_worker("import time; time.sleep(60)", "--no-requeue", "--nodelist=node2")
    faults.lose_node(devcluster, "node2")
    assert state(devcluster, job) == "NODE_FAIL"
    faults.bring_back(devcluster, "node2")


def test_preemption_warns_the_worker_and_gives_its_node_away(devcluster, start_worker, tmp_path):
    ready, warned = tmp_path / "ready", tmp_path / "warned"
    code = (
        "import pathlib, signal\n"
        f"signal.signal(signal.SIGUSR2, lambda *_: pathlib.Path({str(warned)!r}).touch())\n"
        f"pathlib.Path({str(ready)!r}).touch()\n"
        "signal.pause()\n"
    )
    job = start_worker(code, "--signal=USR2@60", "--nodelist=node1", "--time=60")
    until(ready.exists, 10)
    other = faults.preempt(devcluster, "node1", seconds=0.1)
    until(warned.exists, 20)
    # The worker left within its 5 s of grace, and so the job ended as any other.
    until(lambda: state(devcluster, other) == "COMPLETED", 20)
    assert state(devcluster, job) == "COMPLETED"


def test_what_does_not_leave_within_its_grace_is_requeued(devcluster, start_worker):
    # Without --signal it is SIGTERM that says so.
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    job = start_worker(code, "--nodelist=node1")
    other = faults.preempt(devcluster, "node1", seconds=30)
    # 5 s of grace, which Slurm looks at late, and 2 s of KillWait.
    until(lambda: state(devcluster, other) == "RUNNING", 40)
    assert state(devcluster, job) == "PENDING"


def test_jobs_outlive_the_controller(devcluster, start_worker):
    job = start_worker()
    faults.until_controller_has_saved(devcluster, job)
    faults.kill_controller(devcluster)
    with pytest.raises(subprocess.CalledProcessError):
        devcluster.ask("scontrol", "ping")
    assert faults.workers(devcluster, job)
    devcluster.start_controller()
    assert state(devcluster, job) == "RUNNING"


def test_accounting_goes_and_comes_back(devcluster, accounting):
    faults.kill_accounting(devcluster)
    assert devcluster.answers("sacct", "-X", "-n") is None
    # Slurm goes on without it, and tells it afterwards.
    job = submit(devcluster, "true")
    until(lambda: state(devcluster, job) == "COMPLETED", 10)
    devcluster.start_accounting()
    query = ("sacct", "-X", "-n", "-P", "-j", job, "-o", "State")
    until(lambda: devcluster.ask(*query) == "COMPLETED\n", 30)
