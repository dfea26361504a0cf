"""What is told of a disk that is full, or a folder that is closed."""

import errno

import pytest

from harness.files import what_to_do


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told_with_the_file_that_found_no_room(number):
    told = what_to_do(OSError(number, "full", "/scratch/runs/metrics.json"))
    assert told.startswith("No space left on the disk of /scratch/runs while writing metrics.json.")


@pytest.mark.parametrize("number", [errno.EACCES, errno.EPERM, errno.EROFS])
def test_a_closed_folder_is_told_with_the_way_out(number):
    told = what_to_do(OSError(number, "closed", "/scratch/runs"))
    assert told.startswith("/scratch/runs: you may not read or write there. Ask its owner")


def test_of_other_failures_nothing_is_known():
    assert what_to_do(OSError(errno.EIO, "input/output error", "/scratch/runs")) == ""
