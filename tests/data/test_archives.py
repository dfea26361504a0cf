import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from harness.data.archives import (
    ARCHIVES,
    archives_of,
    fetch_command,
    fetch_commands,
    in_no_archive,
    least_download,
)
from harness.data.checksum import Checksum
from harness.data.coco import COCO


def test_every_file_and_folder_of_coco_is_in_one_archive():
    parts = {
        path
        for layouts in COCO.values()
        for layout in layouts
        for file in layout
        for path in (file.annotations, file.images)
    }
    assert in_no_archive(parts) == []
    given = [path for archive in ARCHIVES for path in archive.gives]
    assert len(given) == len(set(given))


def test_what_is_lacking_is_in_these_archives_each_named_once():
    lacks = ["annotations/instances_train2017.json", "annotations/instances_val2017.json"]
    assert [archive.name for archive in archives_of(lacks)] == ["annotations_trainval2017.zip"]


def test_stuff_maps_of_2014_are_in_no_archive():
    lacks = ["stuffthingmaps/train2014", "train2014"]
    assert in_no_archive(lacks) == ["stuffthingmaps/train2014"]


def test_a_single_image_is_fetched_by_itself_unless_its_folder_is(tmp_path):
    lacks = ["val2017/000000000139.jpg", "annotations/instances_val2017.json"]
    annotations, image = fetch_commands(lacks, tmp_path)
    assert "annotations_trainval2017.zip" in annotations
    assert image == (
        f"wget -O {tmp_path}/val2017/000000000139.jpg "
        "http://images.cocodataset.org/val2017/000000000139.jpg"
    )
    [folder] = fetch_commands(["val2017/000000000139.jpg", "val2017"], tmp_path)
    assert "zips/val2017.zip" in folder
    assert in_no_archive(lacks) == []


def test_commands_hold_wherever_the_one_before_has_led(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    [command] = fetch_commands(["val2017"], Path("datasets/coco"))
    assert f"cd {tmp_path}/datasets/coco &&" in command


def test_of_several_layouts_the_smallest_download_is_taken():
    # val2014 is 6.6 GB, val2017 0.8; train2014, fetched anyway, costs nothing more.
    assert least_download([["val2014"], ["val2017"]], []) == ["val2017"]
    assert least_download([["train2014"], ["val2017"]], ["train2014"]) == ["train2014"]


def test_a_name_that_would_be_a_command_is_quoted_in_place_and_address():
    (command,) = fetch_commands(["val2017/a.jpg; touch b"], Path("/coco"))
    assert command == (
        "wget -O '/coco/val2017/a.jpg; touch b' "
        "http://images.cocodataset.org/val2017/a.jpg%3B%20touch%20b"
    )


def test_the_command_fetches_compares_unpacks_and_tidies_up(tmp_path):
    archive = next(archive for archive in ARCHIVES if archive.name == "val2017.zip")
    assert fetch_command(archive, tmp_path / "my data").replace(str(tmp_path), "") == (
        "mkdir -p '/my data' && cd '/my data' "
        "&& wget -c http://images.cocodataset.org/zips/val2017.zip "
        "&& { echo '442b8da7639aecaf257c1dceb8ba8c80  val2017.zip' | md5sum -c "
        "|| { rm val2017.zip; false; }; } && unzip -q -o val2017.zip && rm val2017.zip"
    )


def test_stuff_maps_are_unpacked_beside_the_images(tmp_path):
    archive = next(archive for archive in ARCHIVES if archive.unpack_in)
    assert f"cd {tmp_path}/stuffthingmaps && wget" in fetch_command(archive, tmp_path)


@pytest.fixture
def on_this_machine(tmp_path, monkeypatch):
    """A packed folder, and a `wget` that finds it here."""
    (tmp_path / "val2017").mkdir()
    (tmp_path / "val2017" / "a.jpg").write_bytes(b"a photograph")
    shutil.make_archive(str(tmp_path / "val2017"), "zip", tmp_path, "val2017")
    shutil.make_archive(str(tmp_path / "val2017"), "gztar", tmp_path, "val2017")
    wget = tmp_path / "bin" / "wget"
    wget.parent.mkdir()
    wget.write_text(f'#!/bin/sh\ncp "{tmp_path}/$(basename "$2")" .\n')
    wget.chmod(0o755)
    monkeypatch.setenv("PATH", str(wget.parent), prepend=":")
    return tmp_path


def fetched(archive, folder) -> subprocess.CompletedProcess:
    return subprocess.run(
        fetch_command(archive, folder), shell=True, capture_output=True, text=True
    )


@pytest.mark.parametrize("name", ["val2017.zip", "val2017.tar.gz"])
def test_the_command_leaves_what_was_in_the_archive_and_nothing_else(on_this_machine, name):
    if name.endswith(".zip") and shutil.which("unzip") is None:
        pytest.skip("no unzip here")
    archive = replace(ARCHIVES[0], url=f"http://somewhere/{name}", checksum=None)
    done = fetched(archive, on_this_machine / "coco")
    assert done.returncode == 0, done.stderr
    coco = on_this_machine / "coco"
    assert (coco / "val2017" / "a.jpg").read_bytes() == b"a photograph"
    assert [path.name for path in coco.iterdir()] == ["val2017"]


def test_an_archive_with_another_md5_is_not_unpacked(on_this_machine):
    archive = replace(
        ARCHIVES[0], url="http://somewhere/val2017.zip", checksum=Checksum("md5", "0" * 32)
    )
    assert fetched(archive, on_this_machine / "coco").returncode != 0
    assert not (on_this_machine / "coco" / "val2017").exists()
