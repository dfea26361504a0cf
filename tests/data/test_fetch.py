import fcntl
import hashlib
import re
from pathlib import Path
from types import SimpleNamespace

import pytest

from harness.data.checksum import Checksum
from harness.data.fetch import fetch
from harness.errors import DownloadError, HarnessError

CONTENT = bytes(range(256)) * 40  # 10,240 bytes
DIGITS = hashlib.sha256(CONTENT).hexdigest()
SHA256 = Checksum("sha256", DIGITS)
FIRST_DIGITS = Checksum("sha256", DIGITS[:8])


@pytest.fixture
def url(server):
    server.files["weights.pth"] = CONTENT
    return server.url("weights.pth")


@pytest.fixture
def target(tmp_path) -> Path:
    return tmp_path / "weights" / "weights.pth"


def part_of(target: Path) -> Path:
    return target.with_name("weights.pth.part")


def left_behind(target: Path, content: bytes) -> None:
    target.parent.mkdir()
    part_of(target).write_bytes(content)


def test_a_file_arrives_whole_and_nothing_else_is_left(url, target):
    heard = []
    fetch(url, target, checksum=SHA256, progress=lambda *now: heard.append(now))
    assert target.read_bytes() == CONTENT
    assert list(target.parent.iterdir()) == [target]
    assert heard == [(0, 10240), (10240, 10240)]


def test_a_connection_that_drops_is_opened_again_for_the_rest_alone(server, url, target):
    server.drops = [4000, 1000]
    fetch(url, target, checksum=SHA256)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["", "bytes=4000-", "bytes=5000-"]


def test_what_an_earlier_call_brought_is_not_fetched_again(server, url, target):
    left_behind(target, CONTENT[:7000])
    fetch(url, target, checksum=SHA256)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["bytes=7000-"]


def test_a_file_that_had_come_whole_before_the_process_was_killed_is_taken(server, url, target):
    left_behind(target, CONTENT)
    fetch(url, target, checksum=SHA256)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["bytes=10240-"]


def test_a_part_longer_than_the_file_is_of_another_and_starts_anew(server, url, target):
    left_behind(target, CONTENT + b"more")
    fetch(url, target, checksum=SHA256)
    assert target.read_bytes() == CONTENT
    assert server.asked == ["bytes=10244-", ""]


def test_a_server_that_sends_whole_files_only_starts_anew(server, url, target):
    server.ranges = False
    left_behind(target, b"old")
    fetch(url, target, checksum=SHA256)
    assert target.read_bytes() == CONTENT


def test_a_server_that_says_no_length_is_believed_at_the_end(server, url, target):
    server.says_length = False
    fetch(url, target, checksum=SHA256)
    assert target.read_bytes() == CONTENT


def test_connections_that_bring_nothing_more_end_it_and_what_came_is_kept(server, url, target):
    server.drops = [3000, 0]
    with pytest.raises(
        DownloadError,
        match=rf"{url} cannot be fetched: the connection ended too early\. The first 3,000 bytes "
        rf"are kept\. Give the same command again, or fetch it with `curl -fL -C - -O {url}` on a "
        rf"machine with internet and copy it to {target.parent}\.",
    ):
        fetch(url, target)
    assert not target.exists()
    assert part_of(target).read_bytes() == CONTENT[:3000]


def test_a_server_that_begins_anew_and_breaks_at_the_same_byte_is_not_asked_forever(
    server, url, target
):
    server.ranges = False
    server.drops = [3000] * 9
    with pytest.raises(DownloadError, match="ended too early"):
        fetch(url, target)
    assert len(server.asked) == 2


def test_without_a_network_the_way_by_hand_is_told(server, url, target):
    server.stop()
    with pytest.raises(DownloadError, match=r"Connection refused.*`curl -fL -C - -O http"):
        fetch(url, target)


@pytest.mark.parametrize(
    ("status", "match"),
    [
        (404, r"answers 404 \(Not Found\)\. It may have moved, or a proxy"),
        (503, r"answers 503 \(Service Unavailable\)\. Give the same command again later, or fetch"),
    ],
)
def test_a_server_that_refuses_is_told_with_its_answer(status, match, server, url, target):
    server.status = status
    with pytest.raises(DownloadError, match=match):
        fetch(url, target)
    assert len(server.asked) == 1


def test_other_bytes_than_asked_for_are_not_kept(server, url, target):
    server.files["weights.pth"] = b"<html>Log in to the network</html>"
    begins = hashlib.sha256(b"<html>Log in to the network</html>").hexdigest()[:8]
    with pytest.raises(
        DownloadError, match=rf"its sha256 begins {begins}, not {DIGITS[:8]}\. It was not kept"
    ):
        fetch(url, target, checksum=FIRST_DIGITS)
    assert list(target.parent.iterdir()) == []


def test_a_file_is_held_against_whichever_checksum_is_published(url, target):
    md5 = hashlib.md5(CONTENT).hexdigest()
    fetch(url, target, checksum=Checksum("md5", md5))
    assert target.read_bytes() == CONTENT
    with pytest.raises(DownloadError, match=rf"its md5 begins {md5}, not {'0' * 32}\. Delete it"):
        fetch(url, target, checksum=Checksum("md5", "0" * 32))


def test_a_file_that_was_put_there_by_hand_is_checked_and_not_fetched(server, url, target):
    left_behind(target, CONTENT[:7000])
    target.write_bytes(CONTENT)
    fetch(url, target, checksum=FIRST_DIGITS)
    assert list(target.parent.iterdir()) == [target]
    target.write_bytes(CONTENT[:-1])
    with pytest.raises(DownloadError, match=rf"{target} is not the file of {url}: .*Delete it"):
        fetch(url, target, checksum=FIRST_DIGITS)
    assert server.asked == []
    assert target.exists()  # it is the user's


def test_two_processes_do_not_write_one_file(url, target):
    left_behind(target, b"")
    with part_of(target).open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(DownloadError, match=rf"Another process fetches {target} already"):
            fetch(url, target)


def test_a_disk_that_is_too_small_is_told_before_anything_comes(url, target, monkeypatch):
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=10_239))
    with pytest.raises(DownloadError, match=r"needs 0\.0 GB more in .*weights, where 0\.0 GB"):
        fetch(url, target)
    assert part_of(target).read_bytes() == b""


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_disk_that_fills_up_on_the_way_is_told(url, target):
    target.parent.mkdir()
    part_of(target).symlink_to("/dev/full")
    with pytest.raises(
        HarnessError, match=re.escape(f"No space left on the disk of {target.parent}")
    ):
        fetch(url, target)
