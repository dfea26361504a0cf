"""The cluster itself: it schedules, has GPUs and accounting, and leaves nothing behind."""

import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from slurm.devcluster.cluster import down, private_cluster, up
from slurm.devcluster.processes import processes_of, until
from slurm.devcluster.settings import DevclusterError, Settings

PROJECT = Path(__file__).parents[2]
SMALL = Settings(nodes=1, cpus=1, gpus=1, accounting=False)
PYTHON = "/usr/bin/python3"  # root's own may lie where nobody else may look
COMMAND = [sys.executable, "-m", "slurm.devcluster"]
pytestmark = pytest.mark.slow


@pytest.fixture
def folder(slurm):
    """A short path, for unix sockets are short, of a folder that is not there yet."""
    parent = Path(tempfile.mkdtemp(prefix="dc-"))
    yield parent / "c"
    shutil.rmtree(parent)


def submit(cluster, script, *options):
    words = ["sbatch", "--parsable", "--chdir=/", *options]
    return cluster.ask(*words, f"--wrap={script}").strip()


def states(cluster, job):
    shown = cluster.ask("squeue", "-h", "-r", "-t", "all", "-j", job, "-o", "%T %r")
    return sorted(shown.splitlines())


def test_an_array_gets_gpus_of_its_own(devcluster, tmp_path):
    tmp_path.chmod(0o777)
    script = "srun bash -c 'echo $CUDA_VISIBLE_DEVICES'"
    options = ("--array=0-1", "--gpus-per-node=2", "--nodelist=node1")
    job = submit(devcluster, script, *options, f"--output={tmp_path}/%a")
    until(lambda: states(devcluster, job) == ["COMPLETED None"] * 2, 20)
    # Slurm renumbers a job's GPUs from 0 only with cgroups: here the node's numbers are seen.
    seen = {(tmp_path / name).read_text().strip() for name in ("0", "1")}
    assert seen == {"0,1", "2,3"}


def test_a_job_whose_base_failed_is_cancelled_and_accounted(devcluster, accounting):
    base = submit(devcluster, "exit 3", "--output=/dev/null")
    child = submit(
        devcluster,
        "true",
        "--output=/dev/null",
        f"--dependency=afterok:{base}",
        "--kill-on-invalid-dep=yes",
    )
    until(lambda: states(devcluster, child) == ["CANCELLED DependencyNeverSatisfied"], 20)
    query = ("sacct", "-X", "-n", "-P", "-j", base, "-o", "State,ExitCode")
    until(lambda: devcluster.ask(*query) == "FAILED|3:0\n", 20)


def test_two_clusters_are_up_at_once_and_know_their_own_jobs_only(devcluster, slurm):
    with private_cluster(SMALL) as other:
        job = submit(other, "sleep 60", "--output=/dev/null", "--job-name=elsewhere")
        until(lambda: states(other, job) == ["RUNNING None"], 20)
        assert "elsewhere" not in devcluster.ask("squeue", "-h", "-o", "%j")


def test_down_ends_jobs_and_daemons_and_deletes_the_folder(folder):
    cluster = up(folder, SMALL)
    job = submit(cluster, "sleep 60", "--output=/dev/null")
    until(lambda: states(cluster, job) == ["RUNNING None"], 20)
    assert processes_of(folder)
    down(folder, keep=False)
    assert processes_of(folder) == []
    assert not folder.exists()


def test_a_folder_in_use_or_too_long_for_sockets_is_refused(folder, slurm):
    folder.mkdir()
    (folder / "mine").touch()
    with pytest.raises(DevclusterError, match=r"is not empty: .*Next: python -m slurm.devcluster"):
        up(folder, SMALL)
    assert (folder / "mine").exists()
    with pytest.raises(DevclusterError, match=r"bytes long; the unix sockets in it leave room"):
        up(folder / ("x" * 80), SMALL)


def test_with_ends_as_its_command_does_and_leaves_nothing(slurm):
    script = "squeue -h && echo $SLURM_CONF && exit 7"
    words = ["with", "--nodes", "1", "--no-accounting", "--", "bash", "-c", script]
    done = subprocess.run([*COMMAND, *words], cwd=PROJECT, capture_output=True, text=True)
    assert done.returncode == 7, done.stderr
    assert not Path(done.stdout.strip()).parent.exists()


def test_with_that_is_told_to_end_takes_its_cluster_down(slurm):
    script = "echo $SLURM_CONF; exec sleep 60"
    words = ["with", "--nodes", "1", "--no-accounting", "--", "bash", "-c", script]
    process = subprocess.Popen([*COMMAND, *words], cwd=PROJECT, stdout=subprocess.PIPE, text=True)
    folder = Path(process.stdout.readline().strip()).parent
    assert folder.is_dir()
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=30)
    assert process.returncode == 128 + signal.SIGTERM
    assert not folder.exists()


@pytest.mark.skipif(
    os.getuid() != 0 or not Path(PYTHON).exists(),
    reason=f"only root can try it as somebody else, with {PYTHON}",
)
def test_an_ordinary_user_has_a_cluster_too(slurm):
    home = Path(tempfile.mkdtemp(prefix="dc-"))
    nobody = pwd.getpwnam("nobody")
    try:
        shutil.copytree(PROJECT / "slurm" / "devcluster", home / "slurm" / "devcluster")
        for path in (home, *home.rglob("*")):
            os.chown(path, nobody.pw_uid, nobody.pw_gid)
        script = "srun -n 1 id -un"
        words = ["with", "--nodes", "1", "--no-accounting", "--", "bash", "-c", script]
        done = subprocess.run(
            [PYTHON, "-m", "slurm.devcluster", *words],
            cwd=home,
            user=nobody.pw_uid,
            group=nobody.pw_gid,
            extra_groups=[],
            env={"HOME": str(home), "TMPDIR": str(home), "PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert (done.returncode, done.stdout) == (0, "nobody\n"), done.stderr
        assert sorted(path.name for path in home.iterdir()) == ["slurm"]
    finally:
        shutil.rmtree(home)
