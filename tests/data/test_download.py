import hashlib
import io
import tarfile
import zipfile
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import pytest

from harness.data.archives import Archive
from harness.data.checksum import Checksum
from harness.data.download import download, download_image
from harness.errors import DownloadError

IMAGES = {"train2017/1.jpg": b"one" * 400, "train2017/2.jpg": b"two" * 300}


def zip_of(files, compression=zipfile.ZIP_STORED) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive:
        archive.mkdir("train2017")
        for name, content in files.items():
            archive.writestr(name, content)
    return buffer.getvalue()


def tgz_of(files) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
    return buffer.getvalue()


@pytest.fixture
def archive(server):
    server.files["train2017.zip"] = zip_of(IMAGES)
    return Archive(server.url("train2017.zip"), ("train2017",), size_gb=0.0)


@pytest.fixture
def tgz(server):
    server.files["images.tgz"] = tgz_of(IMAGES)
    return Archive(server.url("images.tgz"), ("train2017",), size_gb=0.0)


@pytest.fixture
def coco(tmp_path):
    return tmp_path / "datasets" / "coco"


def content_of(folder):
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_an_archive_is_unpacked_and_removed(archive, coco):
    download(archive, coco)
    assert content_of(coco) == IMAGES


def test_a_download_that_broke_goes_on_where_it_was(server, archive, coco):
    server.drops = [500, 0]
    with pytest.raises(DownloadError, match="The first 500 bytes are kept"):
        download(archive, coco)
    download(archive, coco)
    assert content_of(coco) == IMAGES
    assert server.asked[-1] == "bytes=500-"


def test_an_archive_put_there_by_hand_is_unpacked_without_the_network(server, archive, coco):
    coco.mkdir(parents=True)
    (coco / "train2017.zip").write_bytes(zip_of(IMAGES))
    download(archive, coco)
    assert content_of(coco) == IMAGES
    assert server.asked == []


def test_unpacking_goes_on_after_what_is_there_and_mends_a_file_cut_short(archive, coco):
    (coco / "train2017").mkdir(parents=True)
    whole, cut = coco / "train2017" / "1.jpg", coco / "train2017" / "2.jpg"
    whole.write_bytes(IMAGES["train2017/1.jpg"])
    cut.write_bytes(IMAGES["train2017/2.jpg"][:-1])
    before = whole.stat().st_ino, cut.stat().st_ino
    download(archive, coco)
    assert content_of(coco) == IMAGES
    assert whole.stat().st_ino == before[0]  # not written again
    assert cut.stat().st_ino != before[1]


def test_what_else_lies_in_the_folder_stays(archive, coco):
    (coco / "train2017").mkdir(parents=True)
    (coco / "train2017" / "mine.jpg").write_bytes(b"mine")
    download(archive, coco)
    assert content_of(coco) == {**IMAGES, "train2017/mine.jpg": b"mine"}


@pytest.mark.parametrize("compression", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_a_damaged_member_is_found_by_its_checksum(compression, server, archive, coco):
    # The content of 2.jpg, or the stream that it is packed in, lies before the list of members.
    damaged = bytearray(zip_of(IMAGES, compression))
    name = damaged.index(b"train2017/2.jpg") + len(b"train2017/2.jpg")
    damaged[name] ^= 0xFF
    server.files["train2017.zip"] = bytes(damaged)
    with pytest.raises(
        DownloadError, match=r"train2017\.zip is damaged, or no ZIP file: .*It was deleted\."
    ):
        download(archive, coco)
    # No half of it is taken for an image, and the next call fetches it anew.
    assert content_of(coco) == {"train2017/1.jpg": IMAGES["train2017/1.jpg"]}


def test_a_page_in_place_of_an_archive_is_told(server, archive, coco):
    server.files["train2017.zip"] = b"<html>Log in to the network</html>"
    with pytest.raises(DownloadError, match="no ZIP file: File is not a zip file"):
        download(archive, coco)
    assert content_of(coco) == {}


@pytest.mark.parametrize("name", ["../../planted", "/planted", "a/../../planted"])
def test_an_archive_that_would_write_outside_is_refused_whole(name, server, archive, coco):
    server.files["train2017.zip"] = zip_of({**IMAGES, name: b"planted"})
    with pytest.raises(DownloadError, match=rf"outside of its folder: its member '{name}'"):
        download(archive, coco)
    assert set(content_of(coco)) == {"train2017.zip"}


def test_a_disk_too_small_for_what_is_packed_is_told_before_unpacking(archive, coco, monkeypatch):
    # The archive, of 2,100 bytes and a little, still finds room; what is in it, of 2,100, does not.
    free = iter([10_000, 2_099])
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=next(free)))
    with pytest.raises(
        DownloadError, match=r"train2017\.zip needs 0\.0 GB in .*coco when unpacked"
    ):
        download(archive, coco)
    assert set(content_of(coco)) == {"train2017.zip"}


def test_an_unpacked_file_of_the_right_size_and_other_bytes_is_mended(archive, coco):
    (coco / "train2017").mkdir(parents=True)
    (coco / "train2017" / "1.jpg").write_bytes(bytes(len(IMAGES["train2017/1.jpg"])))
    download(archive, coco)
    assert content_of(coco) == IMAGES


def test_an_archive_is_unpacked_where_it_belongs(archive, coco):
    download(replace(archive, unpack_in="stuffthingmaps"), coco)
    assert content_of(coco) == {f"stuffthingmaps/{name}": IMAGES[name] for name in IMAGES}


def test_an_archive_with_another_md5_than_published_is_not_unpacked(archive, coco):
    with pytest.raises(
        DownloadError, match=rf"its md5 begins \w+, not {'0' * 32}\. It was not kept"
    ):
        download(replace(archive, checksum=Checksum("md5", "0" * 32)), coco)
    assert content_of(coco) == {}


def test_an_archive_with_the_published_md5_is_unpacked(server, archive, coco):
    md5 = hashlib.md5(server.files["train2017.zip"]).hexdigest()
    download(replace(archive, checksum=Checksum("md5", md5)), coco)
    assert content_of(coco) == IMAGES


def test_fetching_and_unpacking_are_heard_in_bytes(server, archive, coco):
    heard = []

    @contextmanager
    def watch(name):
        yield lambda done, total: heard.append((name, done, total))

    download(archive, coco, watch)
    size = len(server.files["train2017.zip"])
    assert heard == [
        ("train2017.zip", 0, size),
        ("train2017.zip", size, size),
        ("train2017.zip, unpacking", 1200, 2100),  # 1.jpg has 1,200 bytes, 2.jpg 900
        ("train2017.zip, unpacking", 2100, 2100),
    ]


def test_a_tgz_is_unpacked_and_removed(tgz, coco):
    download(tgz, coco)
    assert content_of(coco) == IMAGES


def test_of_a_tgz_cut_short_or_damaged_nothing_is_unpacked(server, tgz, coco):
    whole = server.files["images.tgz"]
    wrong_checksum = bytearray(whole)
    wrong_checksum[-8] ^= 0xFF  # a gzip file ends in its CRC32 and its length, 4 bytes each
    for damaged in (whole[:-20], bytes(wrong_checksum), b"<html>Log in</html>"):
        server.files["images.tgz"] = damaged
        with pytest.raises(DownloadError, match=r"images\.tgz is damaged, or no tar file: "):
            download(tgz, coco)
        assert content_of(coco) == {}


def test_a_tgz_that_would_write_outside_is_refused_whole(server, tgz, coco):
    server.files["images.tgz"] = tgz_of({**IMAGES, "../../planted": b"planted"})
    with pytest.raises(DownloadError, match=r"outside of its folder: its member '../../planted'"):
        download(tgz, coco)
    assert set(content_of(coco)) == {"images.tgz"}


def test_an_absolute_path_in_a_tgz_is_taken_below_the_folder(server, tgz, coco):
    server.files["images.tgz"] = tgz_of({"/train2017/1.jpg": b"one"})
    download(tgz, coco)
    assert content_of(coco) == {"train2017/1.jpg": b"one"}


def test_a_damaged_image_stays_until_the_new_one_is_whole(server, coco):
    server.files["train2017/1.jpg"] = b"whole"
    url, image = server.url("train2017/1.jpg"), coco / "train2017" / "1.jpg"
    image.parent.mkdir(parents=True)
    image.write_bytes(b"damaged")
    server.drops = [2, 0]
    with pytest.raises(DownloadError, match="The first 2 bytes are kept"):
        download_image(url, image)
    assert image.read_bytes() == b"damaged"
    download_image(url, image)
    assert content_of(coco) == {"train2017/1.jpg": b"whole"}
    assert server.asked[-1] == "bytes=2-"
