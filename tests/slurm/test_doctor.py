"""What the doctor finds, on clusters that are a few shell scripts."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.data.weights import R50, write_record
from harness.paths import RunsFolder
from harness.slurm import doctor_job
from harness.slurm.doctor import COMMANDS, Need, examine, gpus_of
from harness.slurm.site import Site

CONFIG = "ClusterName             = jura\nMaxArraySize            = 1001\n"
NODES = (
    "gpu*|up|1-00:00:00|6|64|512000|gpu:a100:4(S:0-1)|mixed\n"
    "cpu|down|infinite|9|32|256000|(null)|idle\n"
)
GOOD_NODE = {
    "host": "node3",
    "python": "3.11.9",
    "cpus": 8,
    "driver": True,
    "torch": "2.7.1+cu126",
    "cuda": True,
    "device": "NVIDIA A100",
    "detectron2": "0.6",
    "harness": True,
    "weights": {},
    "errors": {},
}


class Cluster:
    """A folder on PATH with Slurm's commands as shell scripts."""

    def __init__(self, folder: Path):
        self.folder = folder
        folder.mkdir()
        for command in (*COMMANDS, "sacct"):
            self.say(command, f'echo "$@" >> {folder}/{command}.calls')
        self.say("scontrol", f"cat {self.keep('config', CONFIG)}")
        self.say("sinfo", f"cat {self.keep('nodes', NODES)}")
        self.say("squeue", 'echo "COMPLETED|None"')
        self.job_runs()
        self.node_has(GOOD_NODE)

    def keep(self, name: str, text: str) -> Path:
        (self.folder / name).write_text(text)
        return self.folder / name

    def say(self, command: str, text: str) -> None:
        self.keep(command, f"#!/bin/bash\n{text}\n").chmod(0o755)

    def job_runs(self, test_only: str = "echo 'sbatch: Job 1 to start at noon' >&2") -> None:
        """Sbatch does what the script says at once; srun starts the command after its options."""
        self.say(
            "sbatch",
            f'if [ "$1" = --test-only ]; then {test_only}; exit; fi\n'
            'cd "$(dirname "$1")"; bash "$1" > 7_0_log.out 2> 7_0_log.err\n'
            'echo "Submitted batch job 7"',
        )
        self.say("srun", 'until [[ "$1" == --cpus-per-task=* ]]; do shift; done; shift; exec "$@"')

    def node_has(self, seen: dict) -> None:
        """The site's Python writes `seen` where the doctor's job should."""
        found = self.keep("seen.json", json.dumps(seen))
        self.say("python", f'cp {found} "${{@: -1}}"')

    def called(self, command: str) -> str:
        calls = self.folder / f"{command}.calls"
        return calls.read_text() if calls.exists() else ""


@pytest.fixture
def cluster(tmp_path, monkeypatch) -> Cluster:
    made = Cluster(tmp_path / "bin")
    # Nothing else is on PATH: a machine that runs these tests may have a Slurm of its own.
    for tool in ("bash", "cat", "cp", "dirname", "env", "mkdir", "rm", "sleep", "timeout"):
        (made.folder / tool).symlink_to(str(shutil.which(tool)))
    monkeypatch.setenv("PATH", str(made.folder))
    return made


@pytest.fixture
def look(cluster, tmp_path):
    """A function that examines a site; the checks by name."""

    def checks(
        disk_gb=0.001, hours=20.0, wait_s=0.0, most_gpus=4, weights=(), splits=frozenset(), **keys
    ):
        least = {"name": "jura", "gpus_per_node": 4, "cpus_per_gpu": 8, "time_limit_min": 480}
        site = Site(**least | {"python": str(cluster.folder / "python")} | keys)
        runs = RunsFolder(tmp_path / "runs")
        need = Need(disk_gb, hours, most_gpus, weights, splits)
        found = examine(site, runs, need, wait_s=wait_s, pause=lambda: None)
        return {check.what: check for check in found}

    return checks


JOB = "a small job runs and writes into the runs folder"
TAKEN = "a job as large as a node, as long as the time limit"
SEES = "torch sees the GPU"


def test_a_cluster_in_order_has_every_check_in_order(look, tmp_path):
    checks = look()
    assert [check.what for check in checks.values() if check.ok is not True] == []
    assert checks["Slurm answers"].found == "cluster jura"
    assert checks["partition"].found == "gpu is up, nodes: 6"
    assert checks["nodes"].found == "6 of 6 have 4 GPUs, 32 CPUs"
    assert checks["time limit of the partition"].found == "1440 minutes"
    assert checks[JOB].found == "job 7 on node3, Python 3.11.9, 8 CPUs"
    assert checks[SEES].found == "NVIDIA A100"
    # Nothing is left behind but the folder itself, which is private.
    assert [path for path in (tmp_path / "runs").rglob("*") if path.is_file()] == []
    assert (tmp_path / "runs").stat().st_mode & 0o777 == 0o700


def test_without_slurms_commands_nothing_is_asked_of_it(look, cluster):
    (cluster.folder / "squeue").unlink()
    checks = look()
    assert checks["Slurm's commands"].found == "not on PATH: squeue"
    assert "login node" in checks["Slurm's commands"].advice
    assert "free disk" in checks  # what needs no Slurm is looked at all the same
    assert JOB not in checks


def test_accounting_is_not_needed(look, cluster):
    (cluster.folder / "sacct").unlink()
    checks = look()
    assert checks["Slurm's commands"].ok is None
    assert checks[JOB].ok


def test_a_controller_that_is_down_ends_the_questions(look, cluster):
    cluster.say("scontrol", "echo 'Unable to contact slurm controller' >&2; exit 1")
    checks = look()
    assert checks["Slurm answers"].found == "Unable to contact slurm controller"
    assert checks["Slurm answers"].ok is False
    assert "partition" not in checks
    assert JOB not in checks


@pytest.mark.parametrize(
    ("keys", "what", "found", "advice"),
    [
        (
            {"partition": "gpus"},
            "partition",
            "no partition gpus; there are: cpu, gpu",
            "Set the key",
        ),
        ({"partition": "cpu"}, "partition", "cpu is down", "takes no jobs now"),
        ({"gpus_per_node": 8}, "nodes", "0 of 6 have 8 GPUs", "Correct gpus_per_node"),
        ({"gpu_type": "h100"}, "nodes", "0 of 6 have 4 h100 GPUs", "gpu_type"),
        ({"cpus_per_gpu": 17}, "nodes", "0 of 6 have 4 GPUs, 68 CPUs", "cpus_per_gpu"),
        ({"mem_gb_per_gpu": 200.0}, "nodes", "32 CPUs, 800 GB; there are: gpu:a100:4", "mem_gb"),
        (
            {"time_limit_min": 1441},
            "time limit of the partition",
            "1440 minutes",
            "Set time_limit_min = 1440 or less.",
        ),
        (
            {"max_array_size": 1002},
            "arrays",
            "Slurm's MaxArraySize is 1001",
            "Set max_array_size = 1001.",
        ),
    ],
)
def test_what_the_cluster_has_not_is_told_with_the_key_to_correct(keys, what, found, advice, look):
    check = look(**keys)[what]
    assert check.ok is False
    assert found in check.found
    assert advice in check.advice


def test_a_site_without_a_partition_goes_to_the_default_one(look, cluster):
    assert look()["partition"].found == "gpu is up, nodes: 6"
    cluster.keep("nodes", NODES.replace("*", ""))
    check = look()["partition"]
    assert check.found == "the cluster has no default partition; there are: cpu, gpu"


def test_a_limit_of_jobs_that_the_site_file_does_not_know_is_told(look, cluster):
    cluster.say("sacctmgr", "echo 200; echo; echo 50")
    check = look()["jobs in the queue"]
    assert (check.ok, check.found) == (False, "you may have 50")
    assert "Set max_submitted = 50" in check.advice
    assert look(max_submitted=50)["jobs in the queue"].ok
    cluster.say("sacctmgr", "echo")
    assert "jobs in the queue" not in look()


def test_a_node_without_what_requeues_runs_is_told(look, cluster):
    assert look()["what requeues runs on the node"].ok
    cluster.say("scontrol", f"[ $2 = config ] && cat {cluster.folder}/config || no-scontrol")
    check = look()["what requeues runs on the node"]
    assert check.ok is False
    assert "no-scontrol: command not found" in check.found
    assert "Slurm's commands on PATH" in check.advice


def test_an_account_that_slurm_refuses_is_told_in_its_words(look, cluster):
    cluster.job_runs("echo 'allocation failure: Invalid account or partition' >&2; exit 1")
    checks = look(account="nobody")
    assert checks[TAKEN].ok is False
    assert checks[TAKEN].found == "allocation failure: Invalid account or partition"
    assert "sacctmgr show assoc" in checks[TAKEN].advice
    assert JOB not in checks


def test_a_disk_that_is_too_small_is_told(look):
    check = look(disk_gb=1e9)["free disk"]
    assert check.ok is False
    assert "the plan needs 1,000,000,000.0 GB" in check.found


@pytest.mark.parametrize(
    ("mode", "ok", "found"),
    [(0o755, None, "can be read by others"), (0o775, False, "can be written by others")],
)
def test_a_folder_that_others_can_enter_is_told(mode, ok, found, look, tmp_path):
    (tmp_path / "runs").mkdir()
    (tmp_path / "runs").chmod(mode)
    check = look()["runs folder"]
    assert check.ok is ok
    assert found in check.found
    assert "chmod" in check.advice


def test_a_folder_that_cannot_be_made_stops_the_job(look, tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "elsewhere" / "gone" / "deeper")
    checks = look()
    assert checks["runs folder"].ok is False
    assert JOB not in checks


@pytest.mark.parametrize(
    ("hours", "keys", "ok", "found"),
    [
        (0.0, {}, True, "no run is left to train"),
        (7.9, {}, True, "the longest run takes about 7.9 h: one job"),
        # 8 h less 2 minutes: 20 h are three of them.
        (20.0, {}, True, "3 jobs one after the other: each writes a checkpoint and goes back into"),
        (20.0, {"requeue": False}, True, "a checkpoint and submits its successor"),
        (20.0, {"time_limit_min": 30}, None, "43 jobs one after the other"),
    ],
)
def test_hours_are_held_against_the_time_limit(hours, keys, ok, found, look):
    check = look(hours=hours, **keys)["hours against time_limit_min"]
    assert check.ok is ok
    assert found in check.found


def test_a_job_that_does_not_start_is_cancelled_and_slurms_reason_told(look, cluster):
    cluster.say("sbatch", "echo 'Submitted batch job 7'")
    cluster.say("squeue", 'echo "PENDING|Priority"')
    check = look()[JOB]
    assert check.ok is False
    assert check.found == (
        "job 7 did not start within 0 s (Slurm's reason: Priority) and was cancelled"
    )
    assert cluster.called("scancel") == "7\n"


def test_a_job_that_slurm_has_forgotten_has_ended(look, cluster):
    cluster.say("squeue", "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1")
    assert look()[JOB].ok


def test_a_setup_that_fails_is_told_with_its_last_lines(look, cluster):
    check = look(setup=["echo no such module >&2", "exit 1"])[JOB]
    assert check.ok is False
    assert check.found == "job 7 failed: no such module"
    assert "setup, python or container" in check.advice
    assert Path(check.advice.split()[-1]).read_text() == "no such module\n"


def test_a_folder_that_nodes_do_not_share_is_told(look, cluster):
    cluster.say("sbatch", "echo 'Submitted batch job 7'")
    check = look()[JOB]
    assert "left nothing in" in check.found
    assert "shared file system" in check.advice


def test_a_gpu_that_torch_does_not_see_is_wrong(look, cluster):
    cluster.node_has(GOOD_NODE | {"cuda": False, "device": ""})
    check = look()[SEES]
    assert check.ok is False
    assert "CPU build of torch" in check.advice


def test_a_node_without_a_driver_is_right_only_where_gpus_are_fake(look, cluster):
    cluster.node_has(GOOD_NODE | {"cuda": False, "device": "", "driver": False})
    check = look()[SEES]
    assert check.ok is False
    assert "fake_gpus = true" in check.advice
    assert look(fake_gpus=True)[SEES].ok


def test_packages_that_a_node_lacks_are_told_with_their_errors(look, cluster):
    lacks = {"torch": "ModuleNotFoundError: No module named 'torch'", "harness.launch.job": "oh"}
    cluster.node_has(GOOD_NODE | {"torch": "", "harness": False, "errors": lacks})
    checks = look()
    assert checks["torch on the node"].found == "ModuleNotFoundError: No module named 'torch'"
    assert checks["harness on the node"].found == "harness.launch.job: oh"
    assert checks["detectron2 on the node"].ok
    assert SEES not in checks


def test_a_path_that_slurm_would_misread_is_a_check_that_fails(look, cluster, tmp_path):
    runs = RunsFolder(tmp_path / "a\\b")
    site = Site(name="jura", gpus_per_node=4, cpus_per_gpu=8, time_limit_min=480)
    *_, last = examine(site, runs, Need(0.0, 0.0, 0))
    assert last.ok is False
    assert "Give --runs another folder" in last.found


def test_the_nodes_side_needs_nothing_but_python(tmp_path):
    # -S: without any installed package.
    result = tmp_path / "found.json"
    command = [sys.executable, "-I", "-S", doctor_job.__file__, str(result)]
    subprocess.run(command, check=True, cwd=tmp_path, env={"PATH": os.environ["PATH"]})
    seen = json.loads(result.read_text())
    assert set(seen) == set(GOOD_NODE)
    assert (seen["torch"], seen["cuda"], seen["detectron2"], seen["harness"]) == (
        "",
        False,
        "",
        False,
    )
    assert seen["errors"]["torch"] == "ModuleNotFoundError: No module named 'torch'"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with R-50, whole."""
    made = tmp_path / "weights"
    made.mkdir()
    monkeypatch.setenv("HARNESS_WEIGHTS", str(made))
    (made / R50.file).write_bytes(b"weights")
    write_record(R50, made, R50.sha256)
    return made


HERE = "ImageNet weights"
THERE = "ImageNet weights on the node"


def test_weights_that_a_base_needs_are_looked_for_here_and_on_the_node(look, cluster, folder):
    cluster.node_has(GOOD_NODE | {"weights": {"R-50": ""}})
    checks = look(weights=(R50,))
    assert (checks[HERE].ok, checks[HERE].found) == (True, f"R-50.safetensors in {folder}")
    assert (checks[THERE].ok, checks[THERE].found) == (True, "R-50")
    cluster.node_has(GOOD_NODE)
    assert not {HERE, THERE} & set(look())


def test_weights_that_the_node_does_not_see_are_wrong(look, cluster, folder):
    cluster.node_has(GOOD_NODE | {"weights": {"R-50": "/home/me/R-50.safetensors is missing"}})
    check = look(weights=(R50,))[THERE]
    assert (check.ok, check.found) == (False, "/home/me/R-50.safetensors is missing")
    assert "file system that the nodes share" in check.advice


def test_weights_that_are_damaged_here_are_told_with_the_command(look, cluster, folder):
    (folder / R50.file).write_bytes(b"weighty")
    os.utime(folder / R50.file, ns=(0, 0))
    checks = look(weights=(R50,))
    assert checks[HERE].ok is False
    assert "R-50.safetensors is damaged" in checks[HERE].found
    assert "harness prepare --weights" in checks[HERE].advice
    assert JOB in checks  # all else is looked at all the same


def test_a_job_looks_for_weights_where_its_environment_says(look, cluster, folder):
    # The node's own answer: a setup that sends jobs to another folder is found out.
    cluster.say("python", f'exec {sys.executable} -S "$@"')
    assert look(weights=(R50,))[THERE].ok
    check = look(weights=(R50,), setup=["export HARNESS_WEIGHTS=/nowhere"])[THERE]
    assert (check.ok, check.found) == (False, "/nowhere/R-50.safetensors is missing")


@pytest.mark.slow
def test_the_nodes_side_finds_what_is_here():
    seen = doctor_job.look_around()
    assert seen["errors"] == {}
    assert seen["harness"] is True
    assert seen["torch"]


@pytest.mark.parametrize(
    ("gres", "kind", "number"),
    [
        ("gpu:4", None, 4),
        ("gpu:4", "a100", 0),
        ("gpu:a100:4(S:0-1),shard:a100:8", "a100", 4),
        ("gpu:a100:2,gpu:v100:1", None, 3),
        ("(null)", None, 0),
    ],
)
def test_gpus_of_a_node_are_counted(gres, kind, number):
    assert gpus_of(gres, kind) == number


def test_runs_that_ask_for_more_gpus_than_a_node_has_are_told(look):
    check = look(gpus_per_node=2)["GPUs of a run against gpus_per_node"]
    assert (check.ok, check.found) == (False, "runs ask for up to 4, gpus_per_node is 2")
    assert "--scale demo" in check.advice


@pytest.mark.parametrize("state", ["drained", "down*", "idle*"])
def test_nodes_that_take_no_jobs_are_told_before_a_job_is_sent(look, cluster, state):
    cluster.keep("nodes", NODES.replace("mixed", state))
    checks = look()
    assert checks["partition"].found == f"of the 6 nodes of gpu none takes jobs ({state})"
    assert JOB not in checks
    some = NODES.replace("mixed", state) + NODES.replace("|6|", "|1|")
    cluster.keep("nodes", some)
    assert look()["partition"].found == "gpu is up, nodes: 7, 6 of them down or drained"


def test_what_the_small_job_printed_is_shown(look, cluster):
    checks = look(setup=["echo no module cuda/99 >&2"])
    assert checks["what the small job printed"].found == "no module cuda/99"
    assert checks["what the small job printed"].ok is None
    assert "what the small job printed" not in look()


def test_a_small_job_without_enough_memory_names_the_key(look, cluster):
    cluster.say("srun", "echo 'slurmstepd: error: Exceeded job memory limit' >&2; exit 1")
    check = look()[JOB]
    assert check.ok is False
    assert "Raise mem_gb_per_gpu" in check.advice


def test_coco_is_looked_for_where_the_plan_needs_it(look, tmp_path, monkeypatch):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    assert "COCO" not in look()
    (tmp_path / "coco" / "annotations").mkdir(parents=True)
    (tmp_path / "coco" / "val2017").mkdir()
    check = look(splits=frozenset({"coco_2017_val"}))["COCO"]
    assert check.ok is False
    assert check.found == (
        f"coco_2017_val: {tmp_path}/coco/annotations/instances_val2017.json is missing"
    )
    assert "`harness prepare` tells how to fetch it" in check.advice
    (tmp_path / "coco" / "annotations" / "instances_val2017.json").touch()
    assert look(splits=frozenset({"coco_2017_val"}))["COCO"].ok is True
