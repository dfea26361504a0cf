"""What is told of a disk that is full, or a folder that is closed; and what gzip holds."""

import errno
import gzip

import pytest

from harness.files import unpacked, what_to_do, write_text


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


def test_gzip_is_told_by_its_first_bytes():
    assert unpacked(gzip.compress(b"[1, 2]")) == b"[1, 2]"
    assert unpacked(b"[1, 2]") == b"[1, 2]"
    assert unpacked(b"") == b""


def damaged_at(position: int) -> bytes:
    packed = bytearray(gzip.compress(b"[1, 2]" * 100, mtime=0))
    packed[position] ^= 0xFF
    return bytes(packed)


@pytest.mark.parametrize(
    "content",
    [
        gzip.compress(b"[1, 2]")[:-1],
        gzip.compress(b"[1, 2]")[:2],
        gzip.compress(b"[1, 2]") + b"more",
        damaged_at(3),  # its flags
        damaged_at(12),  # the packed data
        damaged_at(-8),  # the checksum: a gzip file ends in CRC32 and length, 4 bytes each
    ],
)
def test_damaged_gzip_is_a_value_error(content):
    with pytest.raises(ValueError, match=r"^it is gzip, and does not unpack: "):
        unpacked(content)


def test_a_folder_in_the_place_of_a_file_is_named_and_not_the_file_beside_it(tmp_path):
    (tmp_path / "report.html").mkdir()
    with pytest.raises(IsADirectoryError) as caught:
        write_text(tmp_path / "report.html", "page")
    told = what_to_do(caught.value)
    assert told.startswith(f"{tmp_path / 'report.html'}: there is a folder where harness needs a")
