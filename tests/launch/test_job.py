import errno
import json
import os
import signal
import subprocess
import sys
import time
import types
import zipfile
from dataclasses import asdict, replace

import pytest

from harness.errors import HarnessError, ResultsError, SpecError, TrainingError
from harness.grid.state import State, is_done, run_state
from harness.launch.attempt import new_attempt, one_line, output_into_files, recorded
from harness.launch.environment import describe_commit, describe_device
from harness.launch.job import read_spec, run_here
from harness.lease import lease
from harness.paths import RunPaths, disk_full, reserved_for, write_json
from harness.records import Outcome, read_metrics, read_outcome, write_outcome


@pytest.fixture
def ready(grid, runs):
    """The folder of a run with its spec.json."""

    def make(run_id):
        paths = runs.run(run_id)
        write_json(paths.spec, asdict(grid.runs[run_id]))
        return paths

    return make


def test_a_finetune_leaves_metrics_environment_and_an_outcome(grid, ids, ready, here):
    paths = ready(ids["table1/k=2"])
    here(paths.folder)

    assert is_done(grid.runs[ids["table1/k=2"]], paths)
    metrics = read_metrics(paths.metrics, ids["table1/k=2"])
    assert metrics.parent == ids["base mask_rcnn_R50_FPN"]
    assert metrics.ap["segm"]["AP"] == 34.5
    assert metrics.ap["bbox"]["APl"] is None  # NaN: no ground truth of that size
    assert metrics.annotations == {"shapes_train": "1" * 8, "shapes_val": "2" * 8}
    assert metrics.evaluator.startswith("pycocotools 2")
    environment = json.loads(paths.environment.read_text())
    # Metrics are made to be shared: where the run took place stays in its folder.
    assert set(environment) - set(metrics.environment) == {"host", "platform"}
    assert metrics.environment["threads"] == "1"
    assert read_outcome(paths.attempt(1).outcome).ended == "done"
    assert not paths.lease.exists()


def test_a_base_has_metrics_without_ap(grid, ids, ready, here):
    paths = ready(ids["base mask_rcnn_R50_FPN"])
    here(paths.folder)
    metrics = read_metrics(paths.metrics, ids["base mask_rcnn_R50_FPN"])
    assert (metrics.ap, metrics.evaluator, metrics.parent) == ({}, "", None)


def test_a_done_run_is_left_alone(ids, ready, here, story):
    paths = ready(ids["table1/k=2"])
    here(paths.folder)
    here(paths.folder)
    assert story.begun() == [ids["table1/k=2"]]
    assert paths.attempt_numbers() == [1]


def test_a_failure_is_recorded_in_a_line_and_raised(grid, runs, ids, ready, here):
    paths = ready(ids["table1/k=2"])
    with pytest.raises(TrainingError, match="loss_mask became nan at iteration 7"):
        here(paths.folder, failing=[ids["table1/k=2"]])
    outcome = read_outcome(paths.attempt(1).outcome)
    assert (outcome.ended, outcome.error) == ("failed", "loss_mask became nan at iteration 7")
    assert paths.attempt(1).stderr.exists()
    assert run_state(grid.runs[ids["table1/k=2"]], runs).state is State.FAILED


def test_in_the_foreground_the_output_stays_on_the_terminal(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    here(paths.folder, entry=run_here)
    assert [path.name for path in paths.attempt(1).folder.iterdir()] == ["outcome.json"]


def test_gpu_hours_count_the_training_of_earlier_attempts(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    earlier = new_attempt(paths)
    write_outcome(earlier.outcome, Outcome(ended="failed", error="x", seconds=9000, trained_s=7200))
    here(paths.folder)
    assert read_metrics(paths.metrics, ids["table1/k=2"]).gpu_hours == pytest.approx(2, abs=0.01)


def test_gpu_hours_count_a_killed_attempt_from_its_begin_to_its_last_logged_line(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    killed = new_attempt(paths)
    reserved_for(killed.outcome).write_text(" ")
    paths.metrics_log.write_text("")
    now = time.time()
    os.utime(reserved_for(killed.outcome), (now - 9000,) * 2)
    os.utime(paths.metrics_log, (now - 1800,) * 2)
    here(paths.folder)
    # 9000 s - 1800 s = 2 h.
    assert read_metrics(paths.metrics, ids["table1/k=2"]).gpu_hours == pytest.approx(2, abs=0.01)
    outcome = read_outcome(killed.outcome)
    assert (outcome.ended, outcome.error) == ("killed", "killed: the attempt ended without a word")


def test_an_attempt_killed_before_its_first_line_has_trained_no_time(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    killed = new_attempt(paths)
    paths.metrics_log.write_text("")
    os.utime(paths.metrics_log, (1, 1))  # of an earlier attempt
    reserved_for(killed.outcome).write_text(" ")
    here(paths.folder)
    assert read_outcome(killed.outcome).trained_s == 0


def test_a_new_attempt_removes_what_a_killed_one_was_writing(ids, ready, here):
    paths = ready(ids["table1/k=2"])
    paths.checkpoints.mkdir()
    left = paths.checkpoints / ".iteration_0000004.pth.node7.12.tmp"
    left.touch()
    here(paths.folder)
    assert not left.exists()


@pytest.mark.parametrize(
    ("change", "part"),
    [
        ({"recipe_revision": 7}, "recipe revision 7"),
        ({"data_revision": 7}, "data revision 7"),
        ({"loss": 7}, "losses revision 7"),
    ],
)
def test_a_run_of_other_code_is_not_trained_under_its_old_id(grid, ids, runs, here, change, part):
    spec = grid.runs[ids["table1/k=2"]]
    if "loss" in change:
        change = {"loss": replace(spec.loss, revision=7)}
    spec = replace(spec, **change)
    paths = runs.run(spec.run_id)
    write_json(paths.spec, asdict(spec))
    message = rf"^Run {spec.run_id} is of {part}, this harness has 1\. .*harness submit"
    with pytest.raises(SpecError, match=message):
        here(paths.folder)
    assert paths.attempt_numbers() == []


def test_a_run_of_other_code_that_is_trained_is_still_scored(grid, ids, runs, here):
    spec = replace(grid.runs[ids["table1/k=2"]], recipe_revision=7)
    paths = runs.run(spec.run_id)
    write_json(paths.spec, asdict(spec))
    paths.checkpoints.mkdir()
    with zipfile.ZipFile(paths.checkpoint(spec.last_iteration), "w") as file:
        file.writestr("weights", b"")
    here(paths.folder)
    assert is_done(spec, paths)


def test_a_baseline_has_no_revision_of_the_losses(grid, ids, ready, here):
    here(ready(ids["table1/R50"]).folder)  # its loss has revision 0


def test_a_missing_spec_is_told_with_a_command_that_can_be_pasted(runs):
    with pytest.raises(ResultsError, match=r"is missing\. .*`harness submit --site local`"):
        read_spec(runs.run("3f9c1ab2"))


def test_a_spec_of_another_run_is_refused(grid, ids, ready, here):
    paths = ready(ids["table1/k=2"])
    write_json(paths.spec, asdict(grid.runs[ids["table1/R50"]]))
    with pytest.raises(ResultsError, match=f"spec.json is of run {ids['table1/R50']}"):
        here(paths.folder)


@pytest.mark.parametrize("way", [KeyboardInterrupt, SystemExit])
def test_what_a_person_ends_is_interrupted_not_failed(runs, way):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(way), recorded(attempt):
        raise way
    assert read_outcome(attempt.outcome).ended == "interrupted"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_to_end_interrupts_and_the_old_handler_comes_back(runs, signum):
    before = signal.getsignal(signum)
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(SystemExit), recorded(attempt):
        os.kill(os.getpid(), signum)
    assert read_outcome(attempt.outcome).ended == "interrupted"
    assert signal.getsignal(signum) is before


def test_under_nohup_a_closed_terminal_ends_nothing(runs):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with recorded(new_attempt(runs.run("r"))):
            os.kill(os.getpid(), signal.SIGHUP)
    finally:
        signal.signal(signal.SIGHUP, before)


def test_an_attempt_that_lost_its_lease_ends_as_interrupted(runs, monkeypatch):
    monkeypatch.setattr("harness.lease.HEARTBEAT_S", 0.01)
    paths = runs.run("r")
    attempt = new_attempt(paths)

    def lose():
        paths.lease.write_text('{"host": "node7", "pid": 1, "started": "1", "token": "theirs"}')
        time.sleep(10)

    with pytest.raises(SystemExit), lease(paths.lease, "Run r"), recorded(attempt):
        lose()
    assert read_outcome(attempt.outcome).ended == "interrupted"


@pytest.fixture
def full_disk(tmp_path):
    """A disk of 256 KiB, soon full."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(disk)]
    if subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("a small disk can be mounted by root only")

    yield disk
    subprocess.run(["umount", str(disk)], check=True)


FILL_THE_DISK = """
import sys
from pathlib import Path
from harness.launch.attempt import new_attempt, output_into_files, recorded
from harness.paths import RunPaths

paths = RunPaths(Path(sys.argv[1]))
attempt = new_attempt(paths)
with recorded(attempt), output_into_files(attempt):
    with (paths.folder / "filler").open("wb", buffering=0) as file:
        try:
            while file.write(bytes(4096)):
                pass
        except OSError:
            print("this cannot be printed", flush=True)
"""


def test_on_a_full_disk_the_reason_is_recorded_though_nothing_else_can_be(full_disk):
    paths = RunPaths(full_disk / "3f9c1ab2")
    script = [sys.executable, "-c", FILL_THE_DISK, str(paths.folder)]
    assert subprocess.run(script, capture_output=True).returncode != 0
    outcome = read_outcome(paths.attempt(1).outcome)
    assert outcome.ended == "failed"
    assert outcome.error.startswith("No space left on the disk. Nothing that was there is lost.")
    assert paths.attempt(1).stderr.read_text() == ""


def test_without_room_for_its_outcome_there_is_no_attempt(runs, monkeypatch):
    def full(path):
        raise disk_full(path)

    monkeypatch.setattr("harness.launch.attempt.reserve_outcome", full)
    with pytest.raises(HarnessError, match="while writing outcome"):
        new_attempt(runs.run("r"))
    assert runs.run("r").attempt_numbers() == []


def test_an_endless_reason_is_cut_to_the_room_reserved_for_it(runs):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(RuntimeError), recorded(attempt):
        raise RuntimeError("\N{BANANA}" * 10_000)
    assert attempt.outcome.stat().st_size <= 8192
    assert read_outcome(attempt.outcome).error.startswith("RuntimeError: \N{BANANA}")


def test_output_below_python_goes_into_the_files_too_and_comes_back(runs, capfd):
    attempt = new_attempt(runs.run("r"))
    with output_into_files(attempt):
        os.write(1, b"from C\n")
        os.write(2, b"a C warning\n")
    os.write(1, b"afterwards\n")
    assert attempt.stdout.read_text() == "from C\n"
    assert attempt.stderr.read_text() == "a C warning\n"
    assert capfd.readouterr() == ("afterwards\n", "")


def test_two_attempts_never_share_a_folder(runs):
    paths = runs.run("r")
    assert [new_attempt(paths).folder.name for _ in range(3)] == ["1", "2", "3"]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (TrainingError("first.\n  second"), "first."),
        (RuntimeError("out of memory\nmore"), "RuntimeError: out of memory"),
        (MemoryError(), "MemoryError"),
        (
            OSError(errno.ENOSPC, "No space left on device", "/runs/3f9c1ab2/predictions"),
            "No space left on the disk of /runs/3f9c1ab2 while writing predictions. Nothing that "
            "was there is lost. Free some space and give the same command again: it goes on from "
            "there.",
        ),
    ],
)
def test_an_error_becomes_one_line(error, line):
    assert one_line(error) == line


def test_a_folder_that_is_no_checkout_has_no_commit(tmp_path):
    assert describe_commit(tmp_path) == {}


def test_on_a_cpu_a_run_computes_with_one_thread(monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    assert describe_device() == {"threads": "1"}


def test_on_a_gpu_its_name_cuda_and_threads_are_recorded(monkeypatch):
    torch = types.SimpleNamespace(
        cuda=types.SimpleNamespace(is_available=lambda: True, get_device_name=lambda: "Tesla P100"),
        version=types.SimpleNamespace(cuda="12.4"),
        get_num_threads=lambda: 8,
    )
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert describe_device() == {"threads": "8", "cuda": "12.4", "gpu": "Tesla P100"}
