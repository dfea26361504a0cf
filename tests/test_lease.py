import errno
import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from harness.errors import HarnessError, LaunchError
from harness.lease import LEASE_LOST, STALE_AFTER_S, lease, live_holder


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run" / "lease"


def dead_process():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def write_lease(path, *, host, pid, started, age_s=0.0):
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"host": host, "pid": pid, "started": started}))
    os.utime(path, (time.time() - age_s,) * 2)


@pytest.fixture
def quick(monkeypatch):
    """A heart that beats a hundred times a second."""
    monkeypatch.setattr("harness.lease.HEARTBEAT_S", 0.01)


@pytest.fixture
def loss_is_an_exception():
    """As in an attempt."""

    def stop(signum, frame):
        raise SystemExit(128 + signum)

    before = signal.signal(LEASE_LOST, stop)
    yield
    signal.signal(LEASE_LOST, before)


def wait_until(true, within_s=10.0):
    deadline = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_lease_is_held_in_the_block_and_gone_after_it(path):
    with lease(path, "Run 3f9c1ab2"):
        assert live_holder(path).pid == os.getpid()
    assert live_holder(path) is None
    assert list(path.parent.iterdir()) == []


def test_a_lease_is_gone_after_an_error(path):
    with pytest.raises(ZeroDivisionError), lease(path, "Run 3f9c1ab2"):
        _ = 1 / 0
    assert not path.exists()


def test_a_lease_of_a_live_process_is_respected(path):
    message = (
        f"^Run 3f9c1ab2 is under way already, by process {os.getpid()} on "
        rf"{socket.gethostname()} \({path}\). Wait for it, or end that process first.$"
    )
    with (
        lease(path, "Run 3f9c1ab2"),
        pytest.raises(LaunchError, match=message),
        lease(path, "Run 3f9c1ab2"),
    ):
        pass


def test_a_lease_of_a_dead_process_is_taken_over(path):
    write_lease(path, host=socket.gethostname(), pid=dead_process(), started="12345")
    with lease(path, "Run 3f9c1ab2"):
        assert live_holder(path).pid == os.getpid()
    assert list(path.parent.iterdir()) == []


def test_a_later_process_of_the_same_number_does_not_hold_it(path):
    write_lease(path, host=socket.gethostname(), pid=os.getpid(), started="not my start")
    assert live_holder(path) is None


def test_a_lease_of_another_host_lives_as_long_as_it_is_touched(path):
    write_lease(path, host="node7", pid=1, started="1", age_s=STALE_AFTER_S - 60)
    with pytest.raises(LaunchError, match="by process 1 on node7"), lease(path, "Run 3f9c1ab2"):
        pass


def test_a_lease_of_another_host_that_is_not_touched_is_taken_over(path):
    write_lease(path, host="node7", pid=1, started="1", age_s=STALE_AFTER_S + 60)
    with lease(path, "Run 3f9c1ab2"):
        assert live_holder(path).pid == os.getpid()


def test_a_host_whose_clock_is_ahead_takes_no_lease_from_a_live_holder(path, monkeypatch):
    # The file's age is told by the clock that stamps both files, and here that is not this host's.
    write_lease(path, host="node7", pid=1, started="1")
    monkeypatch.setattr("harness.lease.time.time", lambda: 4e9)
    with pytest.raises(LaunchError, match="by process 1 on node7"), lease(path, "Run 3f9c1ab2"):
        pass
    assert [one.name for one in path.parent.iterdir()] == ["lease"]


def test_a_process_that_was_stopped_for_long_can_make_sure_of_its_lease(path):
    with lease(path, "A submission") as make_sure:
        make_sure()
        path.write_text(json.dumps({"host": "node7", "pid": 1, "started": "1"}))  # meanwhile
        with pytest.raises(LaunchError, match="A submission: its lease was lost while"):
            make_sure()


def test_a_lease_cut_short_by_a_full_disk_counts_as_held_only_while_it_is_young(path):
    path.parent.mkdir()
    path.write_text("")
    assert live_holder(path) is not None
    os.utime(path, (time.time() - STALE_AFTER_S - 60,) * 2)
    assert live_holder(path) is None


def test_a_holder_that_lost_its_lease_is_ended_and_leaves_the_new_one(
    path, quick, loss_is_an_exception, capfd
):
    theirs = json.dumps({"host": "node7", "pid": 1, "started": "1", "token": "theirs"})

    def lose():
        path.unlink()
        path.write_text(theirs)
        os.utime(path, (1, 1))
        time.sleep(10)

    with pytest.raises(SystemExit), lease(path, "Run 3f9c1ab2"):
        lose()
    assert path.read_text() == theirs
    assert path.stat().st_mtime == 1  # nor was it kept alive
    assert (
        "Run 3f9c1ab2: its lease was taken over by process 1 on node7, so this process ends."
        in (capfd.readouterr().err)
    )


def test_a_holder_whose_lease_was_removed_is_ended(path, quick, loss_is_an_exception, capfd):
    def lose():
        path.unlink()
        time.sleep(10)

    with pytest.raises(SystemExit), lease(path, "Run 3f9c1ab2"):
        lose()
    assert "Run 3f9c1ab2: its lease was removed, so this process ends." in capfd.readouterr().err


def test_a_lease_lost_just_before_the_end_is_left_to_its_new_holder(path):
    with lease(path, "Run 3f9c1ab2"):
        path.write_text('{"host": "node7", "pid": 1, "started": "1", "token": "theirs"}')
    assert live_holder(path).host == "node7"


@pytest.mark.parametrize("number", [errno.ESTALE, errno.EIO, errno.EACCES])
def test_the_heart_outlives_a_file_system_that_fails_for_a_while(path, quick, monkeypatch, number):
    utime, read_text, failed = os.utime, Path.read_text, []

    def fail_at_first(file, *times):
        if len(failed) < 3:
            failed.append(file)
            raise OSError(number, os.strerror(number))
        utime(file, *times)

    def fail_to_read_once(file):
        if file == path and len(failed) == 2:
            failed.append(file)
            raise OSError(number, os.strerror(number))
        return read_text(file)

    monkeypatch.setattr("harness.lease.os.utime", fail_at_first)
    monkeypatch.setattr("harness.lease.Path.read_text", fail_to_read_once)
    with lease(path, "Run 3f9c1ab2"):
        utime(path, (1, 1))
        wait_until(lambda: path.stat().st_mtime > 1)
    assert len(failed) == 3


def test_a_full_disk_leaves_no_half_written_lease(path, monkeypatch):
    def full(value, file):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("harness.lease.json.dump", full)
    with pytest.raises(HarnessError, match="No space left on the disk"), lease(path, "Run 3f9c"):
        pass
    assert list(path.parent.iterdir()) == []


def test_a_lease_is_private(path):
    before = os.umask(0o022)
    try:
        with lease(path, "Run 3f9c1ab2"):
            assert path.stat().st_mode & 0o777 == 0o600
            assert path.parent.stat().st_mode & 0o777 == 0o700
    finally:
        os.umask(before)


def test_a_lost_lease_asks_for_no_checkpoint(path):
    # In a Slurm job these two do: harness.launch.signals.
    assert LEASE_LOST not in (signal.SIGTERM, signal.SIGUSR2)


def test_a_lease_that_may_not_be_read_counts_as_held_while_it_is_touched(path, monkeypatch):
    def refuse(self):
        raise PermissionError(errno.EACCES, "Permission denied", str(self))

    write_lease(path, host="node7", pid=1, started="1", age_s=STALE_AFTER_S - 60)
    monkeypatch.setattr("harness.lease.Path.read_text", refuse)
    assert live_holder(path) is not None
    os.utime(path, (time.time() - STALE_AFTER_S - 60,) * 2)
    assert live_holder(path) is None


def test_a_live_holder_is_waited_for_and_named_once(path, monkeypatch, capsys):
    monkeypatch.setattr("harness.lease.POLL_S", 0.01)
    looks = []

    def end_of_the_holder(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            path.unlink()

    monkeypatch.setattr("harness.lease.time.sleep", end_of_the_holder)
    write_lease(path, host="node7", pid=1, started="1")
    with lease(path, "Run 3f9c1ab2", wait_s=60.0):
        assert live_holder(path).pid == os.getpid()
    assert looks == [0.01] * 3
    assert capsys.readouterr().err == (
        "Run 3f9c1ab2 is held by process 1 on node7: waiting up to 60 s for it to end.\n"
    )


def test_a_holder_on_another_host_that_died_is_waited_for_until_that_is_known(path, monkeypatch):
    monkeypatch.setattr("harness.lease.POLL_S", 0.01)
    monkeypatch.setattr("harness.lease.STALE_AFTER_S", 0.2)
    write_lease(path, host="node7", pid=1, started="1")
    with lease(path, "Run 3f9c1ab2", wait_s=60.0):
        assert live_holder(path).pid == os.getpid()


def test_a_holder_that_lives_on_is_refused_after_the_wait(path, monkeypatch):
    monkeypatch.setattr("harness.lease.POLL_S", 0.01)
    write_lease(path, host="node7", pid=1, started="1")
    with (
        pytest.raises(LaunchError, match="under way already, by process 1 on node7"),
        lease(path, "Run 3f9c1ab2", wait_s=0.05),
    ):
        pass
    assert live_holder(path).host == "node7"


CONTENDER = """
import sys, time
from pathlib import Path
from harness.errors import LaunchError
from harness.lease import lease

path = Path(sys.argv[1])
print("ready", flush=True)
sys.stdin.readline()
try:
    with lease(path, "Run 3f9c1ab2"):
        print("won", flush=True)
        sys.stdin.readline()
except LaunchError:
    print("refused", flush=True)
"""


def test_of_many_that_find_a_dead_holder_exactly_one_takes_over(path):
    write_lease(path, host=socket.gethostname(), pid=dead_process(), started="12345")
    contenders = [
        subprocess.Popen(
            [sys.executable, "-c", CONTENDER, str(path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(6)
    ]
    assert [contender.stdout.readline() for contender in contenders] == ["ready\n"] * 6
    for contender in contenders:
        contender.stdin.write("go\n")
        contender.stdin.flush()
    answers = [contender.stdout.readline() for contender in contenders]
    for contender in contenders:
        contender.communicate("end\n" if contender.poll() is None else None)
    assert sorted(answers) == ["refused\n"] * 5 + ["won\n"]
    assert list(path.parent.iterdir()) == []


def test_a_takeover_broken_off_is_taken_over_too(path):
    write_lease(path, host=socket.gethostname(), pid=dead_process(), started="12345")
    path.with_name("lease.takeover").write_text(path.read_text())
    with lease(path, "Run 3f9c1ab2"):
        assert live_holder(path).pid == os.getpid()
    assert list(path.parent.iterdir()) == []
