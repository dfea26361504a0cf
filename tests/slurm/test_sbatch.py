"""One array goes to Slurm: the batch script as Slurm gets it, and what sbatch's answers mean."""

import os
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import LaunchError
from harness.paths import RunsFolder, logs_in
from harness.slurm import commands
from harness.slurm.aftermath import ENDS_BADLY
from harness.slurm.batch_script import write_array_script
from harness.slurm.commands import SlurmError, call
from harness.slurm.sbatch import SbatchError, send, waits_for
from harness.slurm.site import Site
from harness.slurm.submissions import Submission

# Each keeps its arguments, one a line, beside itself. sbatch also keeps the script, what it was
# told of Slurm's variables, and the umask that jobs inherit.
KEEP = 'printf "%s\\n" "$@" > "$(dirname "$0")/$(basename "$0").arguments"\n'
SBATCH = f"""#!/bin/bash
{KEEP}
cp "${{@: -1}}" "$(dirname "$0")/script"
env | grep -E '^(SLURM|SBATCH)_' | sort > "$(dirname "$0")/environment"
umask > "$(dirname "$0")/umask"
echo "Submitted batch job 7"
"""
SRUN = f"""#!/bin/bash
{KEEP}
echo "$PYTHONPATH" > "$(dirname "$0")/pythonpath"
umask > "$(dirname "$0")/umask"
exit 3
"""


class Cluster:
    """A folder on PATH with commands that only keep what they were called with."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        self.say("sbatch", SBATCH)
        self.say("srun", SRUN)

    def say(self, command: str, text: str) -> None:
        (self.folder / command).write_text(text)
        (self.folder / command).chmod(0o755)

    def read(self, name: str) -> str:
        return (self.folder / name).read_text(encoding="utf-8")

    def arguments(self, command: str) -> list[str]:
        return self.read(f"{command}.arguments").splitlines()

    def options(self) -> dict[str, str]:
        """The #SBATCH lines of the script that sbatch got, unquoted as bash would."""
        lines = [line for line in self.read("script").splitlines() if line.startswith("#SBATCH")]
        words = subprocess.run(
            ["bash", "-c", "\n".join(f"printf '%s\\n' {line[8:]}" for line in lines)],
            capture_output=True,
            text=True,
            check=True,
        ).stdout.splitlines()
        return {word.partition("=")[0]: word.partition("=")[2] for word in words}


@pytest.fixture
def cluster(tmp_path, monkeypatch) -> Cluster:
    made = Cluster(tmp_path / "bin")
    monkeypatch.setenv("PATH", f"{made.folder}:{os.environ['PATH']}")
    return made


def site(**keys) -> Site:
    least = {"name": "here", "gpus_per_node": 4, "cpus_per_gpu": 8, "time_limit_min": 480}
    return Site(**least | keys)


def submission(**values) -> Submission:
    given = {
        "sid": "h-0123456789ab",
        "site": "here",
        "run_ids": ("aaaaaaaa", "bbbbbbbb", "cccccccc"),
        "num_gpus": 4,
        "mem_gb": None,
        "time_limit_min": 480,
        "requeue": True,
        "code": "3f9c1ab2",
        "code_hash": "",
        "created_at": 0.0,
    }
    return Submission(**given | values)


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


def submit_array(runs, submission, site, *, after):
    """As `harness submit` does it."""
    return send(write_array_script(runs, submission, site), site.name, *waits_for(after))


def test_one_sbatch_submits_the_whole_array(cluster, runs):
    assert submit_array(runs, submission(), site(), after=None) == "7"
    folder = runs.job_output("h-0123456789ab")
    assert cluster.arguments("sbatch") == [str(folder / "array_submission.sh")]
    assert cluster.options() == {
        "--array": "0-2%3",
        "--job-name": "h-0123456789ab",
        "--nodes": "1",
        "--ntasks-per-node": "4",  # one process for each GPU
        "--gpus-per-node": "4",
        "--cpus-per-task": "8",
        "--time": "480",
        "--signal": "USR2@120",
        "--requeue": "",
        "--open-mode": "append",  # a job that goes back into the queue keeps what it has printed
        "--output": f"{folder}/%A_%a_0_log.out",
        "--error": f"{folder}/%A_%a_0_log.err",
    }


def test_the_folder_of_an_array_is_private_whatever_the_umask_is(cluster, runs):
    before = os.umask(0o002)
    try:
        submit_array(runs, submission(), site(), after=None)
    finally:
        os.umask(before)
    folder = runs.job_output("h-0123456789ab")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert cluster.read("umask").strip() == "0077"  # Slurm hands it on to the job
    assert not list(runs.folder.rglob("*.pkl"))


def test_everything_that_a_site_says_reaches_sbatch(cluster, runs):
    here = site(
        partition="gpu,long",
        account="lab",
        qos="high",
        constraint="a100&ib",
        gpu_type="a100",
        mem_gb_per_gpu=7.5,
        signal_before_end_s=300,
        max_running=2,
        sbatch={"nice": 100, "exclusive": True, "contiguous": False, "comment": "it's ours"},
    )
    submit_array(runs, submission(mem_gb=here.mem_gb(4)), here, after=None)
    options = cluster.options()
    assert options["--partition"] == "gpu,long"
    assert (options["--account"], options["--qos"]) == ("lab", "high")
    assert options["--constraint"] == "a100&ib"
    assert options["--gpus-per-node"] == "a100:4"
    assert options["--mem"] == "30720M"  # 4 * 7.5 GB
    assert options["--signal"] == "USR2@300"
    assert options["--array"] == "0-2%2"
    assert (options["--nice"], options["--exclusive"]) == ("100", "")
    assert options["--comment"] == "it's ours"
    assert "--contiguous" not in options
    assert "--wckey" not in options  # clusters that enforce wckeys know none of submitit's


def test_gpus_can_be_asked_for_as_gres(cluster, runs):
    submit_array(runs, submission(num_gpus=2), site(gpu_option="gres", gpu_type="h100"), after=None)
    assert cluster.options()["--gres"] == "gpu:h100:2"
    assert "--gpus-per-node" not in cluster.options()


def test_memory_asked_for_anew_goes_before_the_sites(cluster, runs):
    # harness retry RUN --mem-gb 64
    submit_array(runs, submission(mem_gb=64.0), site(mem_gb_per_gpu=8.0), after=None)
    assert cluster.options()["--mem"] == "65536M"


def test_fine_tunes_wait_for_the_job_of_their_base_and_leave_the_queue_if_it_fails(cluster, runs):
    submit_array(runs, submission(requeue=False), site(), after="123_4")
    *words, _script = cluster.arguments("sbatch")
    assert words == ["--dependency=afterok:123_4", "--kill-on-invalid-dep=yes"]
    options = cluster.options()
    assert "--no-requeue" in options
    assert "--requeue" not in options


WEIRD = [
    "with space",
    'it\'s "quoted"',
    "100%j %A_%a %%t",
    "$HOME `id` $(id) ; # & | *",
    "größe 漢字",
    "~tilde -dash",
]


@pytest.mark.parametrize("name", WEIRD)
def test_a_weird_path_arrives_in_one_piece(name, cluster, tmp_path):
    runs = RunsFolder(tmp_path / name)
    aftermath_of(runs)
    submit_array(runs, submission(), site(), after=None)
    done = run_script(cluster)
    folder = str(runs.folder)
    patterns = folder.replace("%", "%%")  # Slurm puts one % for two
    assert cluster.options()["--output"].startswith(
        f"{patterns}/submissions/h-0123456789ab/%A_%a_0"
    )
    assert cluster.arguments("srun") == [
        "--unbuffered",
        "--output",
        f"{patterns}/submissions/h-0123456789ab/%A_%a_%t_log.out",
        "--error",
        f"{patterns}/submissions/h-0123456789ab/%A_%a_%t_log.err",
        "--kill-on-bad-exit=1",
        "--wait=0",
        "--cpus-per-task=8",
        *(sys.executable, "-P", "-u", "-m", "harness.slurm.worker", folder, "h-0123456789ab"),
    ]
    assert cluster.read("pythonpath").strip() == f"{folder}/code/3f9c1ab2"
    assert done.stdout.strip() == str([folder, "h-0123456789ab", "3"])


def run_script(cluster, **environment):
    """The script that sbatch got, run by bash with the fake srun on PATH; python is as it is."""
    variables = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    return subprocess.run(
        ["bash", str(cluster.folder / "script")],
        capture_output=True,
        text=True,
        check=False,
        cwd=cluster.folder,
        env=variables | environment,
    )


def aftermath_of(runs: RunsFolder, code: int = ENDS_BADLY) -> None:
    """A snapshot whose aftermath prints its arguments and ends with `code`."""
    package = runs.code("3f9c1ab2") / "harness" / "slurm"
    package.mkdir(parents=True)
    for folder in (package.parent, package):
        (folder / "__init__.py").touch()
    (package / "aftermath.py").write_text(f"import sys\nprint(sys.argv[1:])\nsys.exit({code})\n")


def test_the_aftermath_hears_sruns_exit_code_and_its_own_is_the_jobs(cluster, runs):
    aftermath_of(runs)
    submit_array(runs, submission(), site(), after=None)
    done = run_script(cluster)
    assert done.stdout.strip() == str([str(runs.folder), "h-0123456789ab", "3"])
    assert done.returncode == ENDS_BADLY


@pytest.mark.parametrize("sruns", [0, 3])
def test_an_aftermath_that_breaks_leaves_sruns_exit_code_to_the_job(cluster, runs, sruns):
    # A run that is done lets its children start even where the node has no Python for more.
    aftermath_of(runs, code=1)
    cluster.say("srun", f"#!/bin/bash\nexit {sruns}\n")
    submit_array(runs, submission(), site(), after=None)
    assert run_script(cluster).returncode == sruns


def test_setup_lines_that_end_the_shell_at_an_error_do_not_end_it_before_the_aftermath(
    cluster, runs
):
    aftermath_of(runs)
    here = site(setup=["set -euo pipefail", "trap 'exit 9' ERR EXIT"])
    submit_array(runs, submission(), here, after=None)
    done = run_script(cluster)
    assert "'3'" in done.stdout
    assert done.returncode == ENDS_BADLY


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a folder to another user")
def test_code_that_is_anothers_by_now_is_not_run(cluster, runs):
    # Whoever may write above the runs folder can put another folder in its place.
    aftermath_of(runs)
    submit_array(runs, submission(), site(), after=None)
    os.chown(runs.code("3f9c1ab2"), 65534, -1)
    done = run_script(cluster)
    assert done.returncode == 1
    assert "is gone or another user's: nothing is run" in done.stderr
    assert not (cluster.folder / "srun.arguments").exists()


def test_a_job_that_is_told_to_end_still_has_its_aftermath(cluster, runs):
    # Slurm's SIGTERM reaches the batch script too; srun ends of it, and the script goes on.
    aftermath_of(runs)
    cluster.say("srun", "#!/bin/bash\nkill -TERM $PPID\nkill -USR2 $PPID\nexit 143\n")
    submit_array(runs, submission(), site(), after=None)
    done = run_script(cluster)
    assert "'143'" in done.stdout
    assert done.returncode == ENDS_BADLY


def test_setup_lines_come_first_and_cannot_undo_what_jobs_need(cluster, runs):
    here = site(setup=["umask 000", "export PYTHONPATH=/modules/torch", "export GREETING='a b'"])
    cluster.say("srun", SRUN.replace("exit 3", 'echo "$GREETING"'))
    aftermath_of(runs)
    submit_array(runs, submission(), here, after=None)
    done = run_script(cluster)
    assert done.stdout.startswith("a b\n")
    assert cluster.read("pythonpath").strip() == f"{runs.folder}/code/3f9c1ab2:/modules/torch"
    assert cluster.read("umask").strip() == "0077"


def test_a_container_stands_before_the_sites_python(cluster, runs):
    here = site(container=["apptainer", "exec", "--nv", "my image.sif"], python="/opt/python")
    aftermath_of(runs)
    submit_array(runs, submission(), here, after=None)
    run_script(cluster)
    words = cluster.arguments("srun")
    start = words.index("apptainer")
    assert words[start : start + 6] == [*here.container, "/opt/python", "-P"]


@pytest.mark.parametrize("letter", ["\\", "\n", "\t", "\x1b", ":"])
def test_a_path_that_slurm_would_misread_is_refused(letter, cluster, tmp_path):
    with pytest.raises(LaunchError, match="Give --runs another folder") as error:
        submit_array(RunsFolder(tmp_path / f"a{letter}b"), submission(), site(), after=None)
    assert repr(letter) in str(error.value)
    assert not list(tmp_path.glob("a*"))
    assert not (cluster.folder / "sbatch.arguments").exists()


def test_a_job_or_a_profile_around_the_launcher_says_nothing_to_sbatch(cluster, runs, monkeypatch):
    monkeypatch.setenv("SLURM_CONF", "/etc/other/slurm.conf")  # which cluster: that is kept
    monkeypatch.setenv("SLURM_JOB_ID", "99")
    monkeypatch.setenv("SBATCH_PARTITION", "debug")
    submit_array(runs, submission(), site(), after=None)
    # The first is harness's own, for squeue.
    assert cluster.read("environment") == "SLURM_BITSTR_LEN=0\nSLURM_CONF=/etc/other/slurm.conf\n"


def refusal(cluster, runs, text: str) -> SbatchError:
    cluster.say("sbatch", text)
    with pytest.raises(SbatchError) as error:
        submit_array(runs, submission(), site(), after=None)
    return error.value


@pytest.mark.parametrize(
    ("said", "advice"),
    [
        ("Invalid partition name specified", "`sinfo -o %P` lists them"),
        ("Invalid account or account/partition combination specified", "sacctmgr show assoc"),
        ("Invalid qos specification", "Correct qos"),
        ("Job violates accounting/QOS policy (job submit limit, user's size)", "max_submitted"),
        ("Requested node configuration is not available", "No node has that many GPUs"),
        ("Requested time limit is invalid (missing or exceeds some limit)", "Lower time_limit_min"),
        ("Invalid job array specification", "Lower max_array_size"),
        ("A new kind of error", "Correct the site file"),
    ],
)
def test_what_slurm_refuses_is_certain_and_has_a_way_out(said, advice, cluster, runs):
    line = f"sbatch: error: Batch job submission failed: {said}"
    error = refusal(cluster, runs, f'#!/bin/bash\necho "{line}" >&2\nexit 1\n')
    assert error.certain
    assert f"Slurm refuses the jobs of site 'here': Batch job submission failed: {said}. " in str(
        error
    )
    assert advice in str(error)
    assert "harness doctor --site here" in str(error)


@pytest.mark.parametrize(
    "end",
    [
        "fail 'Batch job submission failed: Socket timed out on send/recv operation'",
        "fail 'Batch job submission failed: Unable to contact slurm controller (connect failure)'",
        "fail 'Zero Bytes were transmitted or received'",
        "kill -9 $$",
        "exit 0",
        "echo 'welcome to the cluster'",
    ],
)
def test_where_the_answer_was_lost_the_job_may_exist(end, cluster, runs):
    fail = 'fail() { echo "sbatch: error: $1" >&2; exit 1; }'
    error = refusal(cluster, runs, f"#!/bin/bash\n{fail}\n{end}\n")
    assert not error.certain
    assert "The job may exist" in str(error)
    assert "finds the job by" in str(error)


def test_an_sbatch_that_hangs_is_ended_with_its_children(cluster, runs, tmp_path, monkeypatch):
    # The child would hold a pipe open, and is what a wrapper script leaves behind.
    pid = tmp_path / "pid"
    monkeypatch.setattr(commands, "TIMEOUT_S", 0.5)
    error = refusal(cluster, runs, f"#!/bin/bash\nsleep 600 &\necho $! > {pid}\nwait\n")
    assert not error.certain
    assert "did not answer within" in str(error)
    give_up_s = time.monotonic() + 10  # a busy machine takes its time to end what was killed
    while is_alive(Path(f"/proc/{pid.read_text().strip()}/stat")):
        assert time.monotonic() < give_up_s


def is_alive(stat: Path) -> bool:
    try:
        return ") Z " not in stat.read_text()
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_without_slurm_it_is_said_that_this_is_no_login_node(runs, tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(LaunchError, match="srun is not on PATH, so this is no login node"):
        submit_array(runs, submission(), site(), after=None)
    with pytest.raises(SlurmError, match="squeue is not on this machine's PATH"):
        call(["squeue"])


def test_logs_are_where_slurm_was_told_to_write_them(runs):
    folder = runs.job_output("h-0123456789ab")
    assert logs_in(folder, "7_2") == (folder / "7_2_0_log.out", folder / "7_2_0_log.err")
