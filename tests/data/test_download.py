import io
import zipfile
from types import SimpleNamespace

import pytest

from harness.data.download import download
from harness.errors import DownloadError

IMAGES = {"train2017/1.jpg": b"one" * 400, "train2017/2.jpg": b"two" * 300}


def zip_of(files, compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.mkdir("train2017")
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


@pytest.fixture
def url(server):
    server.files["train2017.zip"] = zip_of(IMAGES)
    return server.url("train2017.zip")


@pytest.fixture
def coco(tmp_path):
    return tmp_path / "datasets" / "coco"


def content_of(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_an_archive_is_unpacked_and_removed(url, coco):
    download(url, coco)
    assert content_of(coco) == IMAGES


def test_a_download_that_broke_goes_on_where_it_was(server, url, coco):
    server.drops = [500, 0]
    with pytest.raises(DownloadError, match="The first 500 bytes are kept"):
        download(url, coco)
    download(url, coco)
    assert content_of(coco) == IMAGES
    assert server.asked[-1] == "bytes=500-"


def test_an_archive_put_there_by_hand_is_unpacked_without_the_network(server, url, coco):
    coco.mkdir(parents=True)
    (coco / "train2017.zip").write_bytes(zip_of(IMAGES))
    download(url, coco)
    assert content_of(coco) == IMAGES
    assert server.asked == []


def test_unpacking_goes_on_after_what_is_there_and_mends_a_file_cut_short(url, coco):
    (coco / "train2017").mkdir(parents=True)
    whole, cut = coco / "train2017" / "1.jpg", coco / "train2017" / "2.jpg"
    whole.write_bytes(IMAGES["train2017/1.jpg"])
    cut.write_bytes(IMAGES["train2017/2.jpg"][:-1])
    before = whole.stat().st_ino, cut.stat().st_ino
    download(url, coco)
    assert content_of(coco) == IMAGES
    assert whole.stat().st_ino == before[0]  # not written again
    assert cut.stat().st_ino != before[1]


def test_what_else_lies_in_the_folder_stays(url, coco):
    (coco / "train2017").mkdir(parents=True)
    (coco / "train2017" / "mine.jpg").write_bytes(b"mine")
    download(url, coco)
    assert content_of(coco) == {**IMAGES, "train2017/mine.jpg": b"mine"}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_found_by_its_checksum(compression, server, url, coco):
    # The content of 2.jpg, or the stream that it is packed in, lies before the list of members.
    damaged = bytearray(zip_of(IMAGES, compression))
    name = damaged.index(b"train2017/2.jpg") + len(b"train2017/2.jpg")
    damaged[name] ^= 0xFF
    server.files["train2017.zip"] = bytes(damaged)
    with pytest.raises(
        DownloadError, match=r"train2017\.zip is damaged, or no ZIP file: .*It was deleted\."
    ):
        download(url, coco)
    # No half of it is taken for an image, and the next call fetches it anew.
    assert content_of(coco) == {"train2017/1.jpg": IMAGES["train2017/1.jpg"]}


def test_a_page_in_place_of_an_archive_is_told(server, url, coco):
    server.files["train2017.zip"] = b"<html>Log in to the network</html>"
    with pytest.raises(DownloadError, match="no ZIP file: File is not a zip file"):
        download(url, coco)
    assert content_of(coco) == {}


@pytest.mark.parametrize("name", ["../../planted", "/planted", "a/../../planted"])
def test_an_archive_that_would_write_outside_is_refused_whole(name, server, url, coco):
    server.files["train2017.zip"] = zip_of({**IMAGES, name: b"planted"})
    with pytest.raises(DownloadError, match=rf"outside of its folder: its member '{name}'"):
        download(url, coco)
    assert set(content_of(coco)) == {"train2017.zip"}


def test_a_disk_too_small_for_what_is_packed_is_told_before_unpacking(url, coco, monkeypatch):
    # The archive, of 2,100 bytes and a little, still finds room; what is in it, of 2,100, does not.
    free = iter([10_000, 2_099])
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=next(free)))
    with pytest.raises(
        DownloadError, match=r"train2017\.zip needs 0\.0 GB in .*coco when unpacked"
    ):
        download(url, coco)
    assert set(content_of(coco)) == {"train2017.zip"}
