"""The worker as a process, as srun starts it, around a stand-in trainer."""

import json
import os
import signal
import subprocess
import sys
import time
import zipfile
from dataclasses import asdict, replace
from pathlib import Path

import pytest

from harness.errors import LaunchError
from harness.files import write_json
from harness.grid import NO_LOSS, Setting, finetune
from harness.grid.spec import base_of
from harness.lease import lease
from harness.paths import RunsFolder
from harness.records import End, Outcome, read_begin, read_metrics, read_outcome
from harness.shapes import write_shapes
from harness.slurm.submissions import Submission, withdraw, write_submission
from harness.slurm.worker import task_of

ROOT = Path(__file__).parents[2]
SID = "h-0123456789ab"

# Between processes a file stands for what torch.distributed does.
STAND_IN = """
import contextlib, os, sys, time, types, zipfile
from pathlib import Path

from harness import stop
from harness.files import write_json
from harness.records import EXTENDED_METRICS, METRICS
from harness.replicates import REPLICATED_TASKS, Replicates

scene = Path(os.environ["SCENE"])
rank = os.environ.get("SLURM_PROCID", "0")

def tell(what):
    (scene / f"{what} {rank}").write_text(os.environ.get("OMP_NUM_THREADS", ""))

def train(spec, paths, runs):
    tell("trains")
    if (scene / f"rank {rank} fails").exists():
        raise MemoryError("no luck")
    with stop.deferred():
        tell("waits")
        while (scene / "wait").exists() and not stop.requested():
            time.sleep(0.01)
        if stop.requested():
            tell("saves")
            raise stop.Stopped("as asked")
    if rank == "0":
        checkpoint = paths.checkpoint(spec.last_iteration)
        checkpoint.parent.mkdir(exist_ok=True)
        with zipfile.ZipFile(checkpoint, "w") as file:
            file.writestr("weights", b"")
    print("trained")
    return types.SimpleNamespace(order_hash="0" * 8, annotations={spec.train_split: "1" * 8})

def predict(spec, paths):
    assert rank == "0"
    assert os.environ["SLURM_NTASKS"] == "1" or (scene / "left 0").exists()
    write_json(paths.results, {})
    return "2" * 8

def coco_ap(gt_json, results_json, *, task):
    return dict.fromkeys(METRICS, 34.5)

def replicate(run_id, gt_json, results_json):
    ap = dict.fromkeys(EXTENDED_METRICS, 34.5)
    drawn = dict.fromkeys(EXTENDED_METRICS, (34.5, 34.5))
    return Replicates(
        run_id=run_id,
        annotations="2" * 8,
        results="3" * 8,
        drawn="4" * 8,
        evaluator="harness 0.1.0",
        ap=dict.fromkeys(REPLICATED_TASKS, ap),
        draws=dict.fromkeys(REPLICATED_TASKS, drawn),
    )

@contextlib.contextmanager
def process_group(rank, world_size, local_rank, meeting):
    tell(f"meets {rank} {world_size} {local_rank} {meeting.name}")
    yield
    tell("left")

def agree(go):
    if rank == "0":
        write_json(scene / "agreed", {"go": go})
        return go
    import json
    while not (scene / "agreed").exists():
        time.sleep(0.01)
    return json.loads((scene / "agreed").read_text())["go"]

for name, functions in {
    "detection": (),
    "detection.train": (train,),
    "detection.predict": (predict,),
    "detection.processes": (process_group, agree),
    "evaluation": (coco_ap,),
    "evaluation.replicates": (replicate,),
}.items():
    module = types.ModuleType(f"harness.{name}")
    for function in functions:
        setattr(module, function.__name__, function)
    sys.modules[module.__name__] = module
sys.modules["harness.detection"].processes = sys.modules["harness.detection.processes"]
logs = types.ModuleType("harness.detection.logs")
logs.print_progress = lambda: None
sys.modules[logs.__name__] = logs

from harness import lease
from harness.slurm import worker

lease.POLL_S = 0.01
if "CODE_IS_CHECKED" not in os.environ:
    worker.assert_running = lambda runs, submission: None
sys.exit(worker.main())
"""


@pytest.fixture(scope="module")
def spec(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "shapes"
    write_shapes(folder, train_images=2, val_images=2)
    return finetune(Setting(scale="demo", shapes_dir=folder), "mask_rcnn_R50_FPN", NO_LOSS)


@pytest.fixture
def runs(tmp_path, spec) -> RunsFolder:
    made = RunsFolder(tmp_path / "ru ns'")
    write_json(made.run(spec.run_id).spec, asdict(spec))
    base = base_of(spec)
    trained = made.run(base.run_id).checkpoint(base.last_iteration)
    trained.parent.mkdir(parents=True)
    with zipfile.ZipFile(trained, "w") as file:
        file.writestr("weights", b"")
    return made


@pytest.fixture
def paths(runs, spec):
    return runs.run(spec.run_id)


@pytest.fixture
def scene(tmp_path):
    folder = tmp_path / "scene"
    folder.mkdir()
    return folder


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
        fake_gpus=True,
    )
    write_submission(runs, made)
    return made


def slurm(**changes) -> dict[str, str]:
    """What Slurm puts into a task's environment."""
    of_task = {
        "SLURM_JOB_ID": "126",
        "SLURM_ARRAY_JOB_ID": "123",
        "SLURM_ARRAY_TASK_ID": "1",
        "SLURM_PROCID": "0",
        "SLURM_NTASKS": "1",
        "SLURM_LOCALID": "0",
    }
    return of_task | changes


@pytest.fixture
def start(runs, scene, submission):
    """Starts the worker; what is left of it ends with the test."""
    started = []

    def start(**environment):
        command = [sys.executable, "-P", "-u", "-c", STAND_IN, str(runs.folder), SID]
        own = {name: value for name, value in os.environ.items() if not name.startswith("SLURM_")}
        worker = subprocess.Popen(
            command,
            env=own | slurm() | {"SCENE": str(scene), "PYTHONPATH": str(ROOT)} | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=scene,
        )
        started.append(worker)
        return worker

    yield start
    for worker in started:
        worker.kill()
        worker.communicate()


def ended(worker) -> tuple[int, str]:
    """The exit code, and what it printed on stderr."""
    _, printed = worker.communicate(timeout=60)
    return worker.returncode, printed


def wait_until(true, within_s=60.0):
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_job_trains_and_scores_its_run_and_says_which_job_it_is(start, paths, spec):
    code, printed = ended(start(SLURM_RESTART_COUNT="2"))
    # The only line in Slurm's own file: the output goes into the attempt's.
    assert (code, printed) == (0, f"{paths.attempt(1).folder}\n")
    assert read_metrics(paths.metrics, spec.run_id).ap["segm"]["AP"] == 34.5
    begin = read_begin(paths.attempt(1).begin)
    assert (begin.sid, begin.job_id, begin.restart) == (SID, "123_1", 2)
    assert paths.attempt(1).stdout.read_text() == "trained\n"
    assert not paths.lease.exists()


def test_a_done_run_is_left_alone(start, paths):
    assert ended(start())[0] == 0
    assert ended(start()) == (0, "")
    assert paths.attempt_numbers() == [1]


def test_where_gpus_are_fake_a_process_computes_with_one_thread(start, scene):
    ended(start(OMP_NUM_THREADS="8"))
    assert (scene / "trains 0").read_text() == "1"


def test_a_node_whose_gpu_torch_does_not_see_trains_nothing(start, scene, paths, submission, runs):
    write_submission(runs, replace(submission, fake_gpus=False))
    code, printed = ended(start())  # the stand-in brings no torch, so no GPU is seen
    assert code == 2
    assert "NodeError: torch sees no GPU on " in printed
    assert read_outcome(paths.attempt(1).outcome).ended is End.BAD_NODE
    assert not list(scene.glob("trains *"))


@pytest.mark.parametrize("signum", [signal.SIGUSR2, signal.SIGTERM])
def test_a_signal_of_slurm_in_training_asks_for_a_checkpoint(start, scene, paths, signum):
    (scene / "wait").touch()
    worker = start()
    wait_until((scene / "waits 0").exists)
    worker.send_signal(signum)
    assert ended(worker)[0] == 143
    assert (scene / "saves 0").exists()
    outcome = read_outcome(paths.attempt(1).outcome)
    assert (outcome.ended, outcome.error) == ("interrupted", "")
    assert not paths.lease.exists()


def test_a_lost_lease_ends_a_training_without_a_checkpoint(start, scene, paths):
    (scene / "wait").touch()
    worker = start()
    wait_until((scene / "trains 0").exists)
    worker.send_signal(signal.SIGUSR1)
    assert ended(worker)[0] == 138  # 128 + 10
    assert read_outcome(paths.attempt(1).outcome).ended == "interrupted"
    assert not (scene / "saves 0").exists()


def test_a_signal_outside_training_ends_the_process_at_once(start, paths):
    with lease(paths.lease, "it"):
        worker = start()
        assert "is held by process" in worker.stderr.readline()
        worker.send_signal(signal.SIGUSR2)
        assert ended(worker)[0] == 143
    assert paths.attempt_numbers() == []


def test_a_job_waits_for_another_holder_of_its_run(start, paths, spec):
    with lease(paths.lease, "it"):
        worker = start()
        assert worker.stderr.readline() == (
            f"Run {spec.run_id} is held by process {os.getpid()} on {os.uname().nodename}: waiting "
            "up to 210 s for it to end.\n"
        )
    assert ended(worker)[0] == 0
    assert read_outcome(paths.attempt(1).outcome).ended == "done"


def test_a_withdrawn_submission_starts_nothing(start, runs, paths, submission):
    withdraw(runs, submission, "sbatch failed")
    assert ended(start()) == (0, f"Submission {SID} was withdrawn: sbatch failed\n")
    assert paths.attempt_numbers() == []


def test_other_code_than_was_submitted_is_refused_in_one_line(start, paths):
    code, printed = ended(start(CODE_IS_CHECKED=""))
    assert code == 2
    assert printed.startswith(f"LaunchError: The code of submission {SID} is gone: ")
    assert printed.count("\n") == 1
    assert paths.attempt_numbers() == []


def test_an_index_beyond_the_submission_is_refused(start):
    code, printed = ended(start(SLURM_ARRAY_TASK_ID="2"))
    assert code == 2
    assert printed == (
        f"LaunchError: Submission {SID} has 2 runs, and this job has index 2. Cancel the job: "
        "`scancel 123_2`.\n"
    )


def test_a_failure_is_told_in_slurm_s_file_too(start, scene, paths):
    (scene / "rank 0 fails").touch()
    code, printed = ended(start())
    assert code == 1
    assert "MemoryError: no luck" in printed
    assert read_outcome(paths.attempt(1).outcome).ended == "out of memory"


def two(start):
    """Both processes of a run on two GPUs."""
    return [start(SLURM_PROCID=rank, SLURM_LOCALID=rank, SLURM_NTASKS="2") for rank in "01"]


def test_of_two_processes_both_train_and_the_first_scores(start, scene, paths):
    assert [ended(worker)[0] for worker in two(start)] == [0, 0]
    # Rank, number of processes, GPU on this node, and a file named by the job and its restarts.
    assert (scene / "meets 0 2 0 123_1_0.port 0").exists()
    assert (scene / "meets 1 2 1 123_1_0.port 1").exists()
    assert (scene / "trains 0").exists()
    assert (scene / "trains 1").exists()
    assert paths.attempt_numbers() == [1]
    assert read_outcome(paths.attempt(1).outcome).ended == "done"


def test_of_two_processes_none_trains_a_done_run(start, scene):
    assert ended(start())[0] == 0
    (scene / "trains 0").unlink()
    assert [ended(worker)[0] for worker in two(start)] == [0, 0]
    assert json.loads((scene / "agreed").read_text()) == {"go": False}
    assert not list(scene.glob("trains *"))


def test_a_process_beside_that_fails_says_why_in_the_attempt(start, scene, paths):
    (scene / "wait").touch()
    (scene / "rank 1 fails").touch()
    first, beside = two(start)
    assert ended(beside)[0] == 1
    first.kill()  # as srun does then
    outcome = read_outcome(paths.attempt(1).outcome)
    assert isinstance(outcome, Outcome)
    assert (outcome.ended, outcome.error) == ("out of memory", "MemoryError: no luck")


@pytest.mark.parametrize(
    ("missing", "told"),
    [
        ("SLURM_ARRAY_TASK_ID", "KeyError: 'SLURM_ARRAY_TASK_ID'"),
        ("SLURM_PROCID", "KeyError: 'SLURM_PROCID'"),
    ],
)
def test_outside_a_job_nothing_is_trained(missing, told, runs, submission):
    environment = slurm()
    del environment[missing]
    with pytest.raises(LaunchError, match=rf"in no job of a Slurm array \({told}\).*harness run"):
        task_of(runs, submission, environment)
