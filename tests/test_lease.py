import json
import os
import socket
import subprocess
import sys
import time

import pytest

from harness.errors import LaunchError
from harness.lease import STALE_AFTER_S, lease, live_holder


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
        f"^Run 3f9c1ab2 is being trained already, by process {os.getpid()} on "
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


def test_a_lease_cut_short_by_a_full_disk_counts_as_held_only_while_it_is_young(path):
    path.parent.mkdir()
    path.write_text("")
    assert live_holder(path) is not None
    os.utime(path, (time.time() - STALE_AFTER_S - 60,) * 2)
    assert live_holder(path) is None
