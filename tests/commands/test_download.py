"""A whole COCO in small, fetched from a file server on this machine into an empty folder."""

import hashlib
import io
import os
import shutil
import signal
import tarfile
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.commands.download import prepare_with_download
from harness.commands.prepare import prepare
from harness.data.archives import PUBLISHED, Archive, Source
from harness.data.checksum import Checksum
from harness.shapes import write_shapes
from harness.workplace import workplace
from tests.data.small_coco import (
    MINIVAL_2014,
    SMALL,
    TRAIN_2014,
    TRAIN_2017,
    VAL_2017,
    VALMINUSMINIVAL_2014,
    write_coco,
)

# Minival as 2014's files alone, so that they are not left for val2017, the smaller download.
LAYOUTS = {**SMALL, "coco_2014_minival": SMALL["coco_2014_minival"][:1]}
FETCHED = {  # by name, what is fetched for the three tables
    "annotations_trainval2014.zip",
    "annotations_trainval2017.zip",
    "coco_annotations_minival.tgz",
    "stuffthingmaps_trainval2017.zip",
    "train2014.zip",
    "train2017.zip",
    "val2014.zip",
    "val2017.zip",
}


def packed(archive: Archive, coco: Path) -> bytes:
    """What the archive gives of `coco`, under the paths that the real one has."""
    above = coco / archive.unpack_in
    files = sorted(
        file
        for given in archive.gives
        for file in ([coco / given] if (coco / given).is_file() else (coco / given).rglob("*.*"))
    )
    buffer = io.BytesIO()
    if archive.name.endswith(".tgz"):
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for file in files:
                tar.add(file, file.relative_to(above))
    else:
        with zipfile.ZipFile(buffer, "w") as opened:
            for file in files:
                opened.write(file, file.relative_to(above))
    return buffer.getvalue()


@pytest.fixture(scope="module")
def original(tmp_path_factory) -> Path:
    coco = tmp_path_factory.mktemp("original") / "coco"
    write_coco(coco, TRAIN_2014, MINIVAL_2014, VALMINUSMINIVAL_2014, VAL_2017)
    return write_coco(coco, TRAIN_2017, stuff_maps=True)


@pytest.fixture
def source(original, server) -> Source:
    """The published table, its files on the server: small ones, with MD5s of their own."""
    archives = []
    for archive in PUBLISHED.archives:
        content = server.files[archive.name] = packed(archive, original)
        md5 = Checksum("md5", hashlib.md5(content).hexdigest()) if archive.checksum else None
        archives.append(replace(archive, url=server.url(archive.name), checksum=md5))
    for image in original.rglob("*.jpg"):
        server.files[str(image.relative_to(original))] = image.read_bytes()
    return Source(tuple(archives), server.url("").rstrip("/"))


@pytest.fixture
def coco(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path / "datasets"))
    return tmp_path / "datasets" / "coco"


@pytest.fixture
def place(tmp_path):
    return workplace("paper", None, tmp_path / "runs")


@pytest.fixture
def fetch_all(coco, place, source):
    """A function that gives the command for the three tables: whether nothing is wrong then."""
    return lambda: prepare_with_download(place.grid(), place, LAYOUTS, source)


def content_of(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def test_all_of_coco_is_fetched_into_an_empty_folder_once(
    fetch_all, coco, original, server, place, capsys
):
    assert not prepare(place.grid(), place, LAYOUTS)
    capsys.readouterr()
    assert fetch_all()
    assert content_of(coco) == content_of(original)
    assert len(server.asked) == len(FETCHED)
    out, err = capsys.readouterr()
    assert out.endswith(" in order, 0 to look at, 0 wrong.\n")
    for name in FETCHED:
        assert f"{server.url(name)} (" in err
    assert f"GB) to {coco / 'stuffthingmaps'}\n" in err

    assert fetch_all()
    assert len(server.asked) == len(FETCHED)
    assert prepare(place.grid(), place, LAYOUTS)


def test_the_smallest_comes_first(fetch_all, server, capsys):
    fetch_all()
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("http")]
    sizes = [float(line.partition("(")[2].partition(" GB")[0]) for line in told]
    assert sizes == sorted(sizes)
    assert (sizes[0], sizes[-1]) == (0.07, 19.3)


def test_a_connection_that_drops_in_the_middle_is_opened_again(fetch_all, server):
    server.drops = [100, 50]
    assert fetch_all()
    assert server.asked[:3] == ["", "bytes=100-", "bytes=150-"]


def test_what_cannot_be_fetched_stops_nothing_else_and_is_told_at_the_end(
    fetch_all, server, coco, capsys
):
    del server.files["val2014.zip"]
    server.files["val2017.zip"] += b"."  # its MD5 is another now
    assert not fetch_all()
    out, err = capsys.readouterr()
    head, one, other = err.splitlines()[-3:]
    assert head == "2 not fetched:"
    assert "val2017.zip is not what was asked for: its md5 begins" in one
    assert f"{server.url('val2014.zip')} cannot be fetched: the server answers 404" in other
    assert f"`curl -fL -C - -O {server.url('val2014.zip')}`" in other
    assert (coco / "train2017").exists()
    commands = [line for line in out.splitlines() if line.startswith("mkdir")]
    assert [
        server.url(name) in line
        for name, line in zip(("val2014.zip", "val2017.zip"), commands, strict=True)
    ] == [True, True]


def test_a_few_missing_or_damaged_images_come_one_by_one(fetch_all, coco, original, server, capsys):
    shutil.copytree(original, coco)
    (coco / "val2014/000000000139.jpg").unlink()
    (coco / "train2017/000000000009.jpg").write_bytes(b"")
    assert fetch_all()
    assert content_of(coco) == content_of(original)
    assert len(server.asked) == 2
    assert (
        f"{server.url('val2014/000000000139.jpg')} to {coco / 'val2014'}" in capsys.readouterr().err
    )


def test_images_that_lack_are_known_once_their_annotations_are_there(
    fetch_all, coco, original, server
):
    shutil.copytree(original, coco)
    (coco / "annotations/instances_train2017.json").unlink()
    (coco / "train2017/000000000009.jpg").unlink()
    assert fetch_all()
    assert content_of(coco) == content_of(original)
    assert len(server.asked) == 2


def interrupted(server):
    """Let Ctrl-C come while the next file is on its way."""
    answer = server.answer

    def stop(request):
        server.answer = answer
        server.drops = [100]
        answer(request)
        os.kill(os.getpid(), signal.SIGINT)

    server.answer = stop


def test_stopped_on_the_way_the_same_command_goes_on(fetch_all, coco, original, server, capsys):
    interrupted(server)
    with pytest.raises(KeyboardInterrupt):
        fetch_all()
    assert capsys.readouterr().err.endswith(
        "Stopped. What has come is kept: give the same command again to go on from it.\n"
    )
    assert fetch_all()
    assert content_of(coco) == content_of(original)


def test_stopped_near_the_end_of_unpacking_the_archive_at_hand_gives_the_rest(
    fetch_all, coco, original, server
):
    shutil.copytree(original, coco)
    (coco / "train2017.zip").write_bytes(server.files["train2017.zip"])
    (coco / "train2017/000000000009.jpg").unlink()
    assert fetch_all()
    assert content_of(coco) == content_of(original)
    assert server.asked == []


def test_an_archive_that_is_left_is_told_and_not_deleted(fetch_all, coco, original, server, capsys):
    shutil.copytree(original, coco)
    (coco / "train2017.zip").write_bytes(b"of the user, perhaps")
    assert fetch_all()
    assert capsys.readouterr().err == (
        f"{coco / 'train2017.zip'} is unpacked, it seems, and no longer needed: delete it to gain "
        "room.\n"
    )
    assert (coco / "train2017.zip").exists()


def test_an_archive_that_is_still_needed_is_not_told_as_left(fetch_all, coco, server, capsys):
    coco.mkdir(parents=True)
    (coco / "train2017.zip").write_bytes(b"another file")  # its MD5 is wrong, and it is the user's
    assert not fetch_all()
    err = capsys.readouterr().err
    assert f"{coco / 'train2017.zip'} is not the file of {server.url('train2017.zip')}" in err
    assert "no longer needed" not in err


def test_for_data_of_the_users_own_nothing_is_fetched(tmp_path, source, server):
    write_shapes(tmp_path / "own", train_images=2, val_images=2)
    next((tmp_path / "own").glob("val*/*")).unlink()
    place = workplace("demo", tmp_path / "own", tmp_path / "runs")
    assert not prepare_with_download(place.grid(), place, LAYOUTS, source)
    assert server.asked == []
