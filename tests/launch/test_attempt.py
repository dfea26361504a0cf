import errno
import os
import signal
import subprocess
import sys
import time

import pytest

from harness.errors import HarnessError, NodeError, TrainingError
from harness.files import disk_full
from harness.launch.attempt import (
    JobName,
    new_attempt,
    one_line,
    output_into_files,
    recorded,
    recorded_beside,
)
from harness.launch.error_class import class_of
from harness.lease import LEASE_LOST, lease
from harness.paths import RunPaths
from harness.records import End, read_begin, read_outcome
from harness.stop import PeerLost


@pytest.mark.parametrize("way", [KeyboardInterrupt, SystemExit])
def test_what_a_person_ends_is_interrupted_not_failed(runs, way):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(way), recorded(attempt):
        raise way
    assert read_outcome(attempt.outcome).ended == "interrupted"


def test_the_loss_of_a_process_beside_is_no_request_to_stop(runs):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(PeerLost), recorded(attempt):
        raise PeerLost("another process of this run ended without a word")
    outcome = read_outcome(attempt.outcome)
    assert (outcome.ended, outcome.error) == (
        "killed",
        "another process of this run ended without a word",
    )


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGHUP, LEASE_LOST])
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


class OutOfMemoryError(RuntimeError):
    """As torch's is called."""


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate"),
        RuntimeError("std::bad_alloc: bad allocation"),
        RuntimeError("std::bad_alloc"),
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("could not create a primitive"),
        ImportError("/lib/_linalg.so: failed to map segment from shared object"),
        SystemError("error return without exception set"),
    ],
    ids=repr,
)
def test_what_more_memory_can_help_is_out_of_memory(runs, error):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(type(error)), recorded(attempt):
        raise error
    assert read_outcome(attempt.outcome).ended == "out of memory"


@pytest.mark.parametrize(
    "error",
    [
        OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB."),
        RuntimeError("CUDA error: out of memory"),
    ],
    ids=repr,
)
def test_want_of_memory_on_a_gpu_is_told_apart(error):
    # More memory on the host is no help there.
    assert class_of(error) is End.OUT_OF_GPU_MEMORY


@pytest.mark.parametrize(
    "error",
    [
        NodeError("torch sees no GPU"),
        OSError(errno.EIO, "Input/output error"),
        OSError(errno.ESTALE, "Stale file handle"),
        RuntimeError("CUDA error: uncorrectable ECC error encountered"),
        RuntimeError("rank 1: AcceleratorError: CUDA error: no CUDA-capable device is detected"),
    ],
    ids=repr,
)
def test_a_fault_of_the_node_is_no_bug_of_the_run(error):
    assert class_of(error) is End.BAD_NODE


@pytest.mark.parametrize(
    "error",
    [
        RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
        OSError(errno.ENOSPC, "No space left on device"),
        TrainingError("ran out of memory of better days"),
    ],
    ids=repr,
)
def test_what_more_memory_does_not_help_is_failed(error):
    assert class_of(error) == "failed"


def test_the_kernels_kill_of_a_loaders_process_is_no_bug_of_the_run():
    error = RuntimeError("DataLoader worker (pid 4711) is killed by signal: Killed. ")
    assert class_of(error) == "killed"


def test_an_attempt_begins_with_where_and_from_which_iteration(runs):
    paths = runs.run("r")
    paths.checkpoints.mkdir(parents=True)
    for name in ("iteration_0000040.pth", "iteration_0000120.pth", ".iteration_0000160.pth.x.tmp"):
        (paths.checkpoints / name).touch()
    begin = read_begin(new_attempt(paths).begin)
    assert (begin.pid, begin.iteration) == (os.getpid(), 120)
    assert (begin.sid, begin.job_id, begin.restart) == ("", "", 0)
    assert begin.started_at == pytest.approx(time.time(), abs=60)


def test_an_attempt_of_a_slurm_job_says_which(runs):
    begin = read_begin(new_attempt(runs.run("r"), JobName("h-0", "123_4", restart=2)).begin)
    assert (begin.sid, begin.job_id, begin.restart) == ("h-0", "123_4", 2)
    assert begin.iteration == 0


def test_an_attempt_is_private(runs):
    attempt = new_attempt(runs.run("r"))
    for folder in (attempt.folder, attempt.folder.parent, runs.folder):
        assert folder.stat().st_mode & 0o077 == 0


def test_a_process_beside_that_fails_first_says_why(runs):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(MemoryError), recorded_beside(attempt):
        raise MemoryError("on the second GPU")
    # The first process loses its peer a moment later.
    with pytest.raises(RuntimeError), recorded(attempt):
        raise RuntimeError("Connection closed by peer")
    outcome = read_outcome(attempt.outcome)
    assert (outcome.ended, outcome.error) == ("out of memory", "MemoryError: on the second GPU")


def test_a_process_beside_that_fails_last_says_nothing(runs):
    attempt = new_attempt(runs.run("r"))
    with pytest.raises(TrainingError), recorded(attempt):
        raise TrainingError("loss_mask became nan")
    with pytest.raises(RuntimeError), recorded_beside(attempt):
        raise RuntimeError("Connection closed by peer")
    assert read_outcome(attempt.outcome).error == "loss_mask became nan"
