"""What is found in image files; detectron2 reads them with Pillow, too."""

import os
import random
from pathlib import Path

import pytest
from PIL import Image

from harness.data.image_files import ImageFile, Look, look_at, read_image_file, read_stuff_map
from harness.paths import CheckedData

NOISE = random.Random(0).randbytes(60 * 40 * 3)


def picture(width: int = 60, height: int = 40) -> Image.Image:
    return Image.frombytes("RGB", (60, 40), NOISE).resize((width, height))


@pytest.fixture
def folder(tmp_path) -> Path:
    (tmp_path / "images").mkdir()
    return tmp_path / "images"


@pytest.fixture
def look(folder, tmp_path):
    """A function that looks at files of the folder, with one memory."""

    def look(*names: str) -> Look:
        return look_at(folder, names, CheckedData(tmp_path / "checked"), read_image_file)

    return look


@pytest.mark.parametrize("name", ["a.jpg", "a.png", "a.bmp"])
def test_a_whole_image_tells_its_size_and_mode(folder, name):
    picture().save(folder / name)
    assert read_image_file(str(folder / name)) == ImageFile(60, 40, "RGB")


@pytest.mark.parametrize(("orientation", "size"), [(1, (60, 40)), (3, (60, 40)), (6, (40, 60))])
@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_an_image_is_turned_as_its_exif_says(folder, name, orientation, size):
    # Orientation 6 is a quarter turn: 60 x 40 px lie in the file, 40 x 60 px are seen.
    exif = Image.Exif()
    exif[0x0112] = orientation
    picture().save(folder / name, exif=exif)
    found = read_image_file(str(folder / name))
    assert (found.width, found.height) == size


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
@pytest.mark.parametrize("kept", [0.4, 0.99])
def test_an_image_cut_short_is_unreadable(folder, name, kept):
    picture().save(folder / name)
    whole = (folder / name).read_bytes()
    (folder / name).write_bytes(whole[: int(kept * len(whole))])
    assert "truncated" in read_image_file(str(folder / name))


def test_bytes_after_the_end_of_a_jpeg_do_no_harm(folder):
    picture().save(folder / "a.jpg")
    with (folder / "a.jpg").open("ab") as file:
        file.write(b"made by a camera" * 10)
    assert read_image_file(str(folder / "a.jpg")) == ImageFile(60, 40, "RGB")


def test_a_download_whose_rest_is_zeros_is_unreadable_where_pillow_cannot_decode_it(folder):
    picture().save(folder / "a.png")
    whole = (folder / "a.png").read_bytes()
    (folder / "a.png").write_bytes(whole[:200] + bytes(len(whole) - 200))
    assert isinstance(read_image_file(str(folder / "a.png")), str)


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_an_image_damaged_in_the_middle_is_unreadable_where_pillow_cannot_decode_it(folder, name):
    picture(600, 400).save(folder / name)
    whole = (folder / name).read_bytes()
    generator = random.Random(0)
    told = []
    for _ in range(20):
        damaged = bytearray(whole)
        begin = generator.randrange(700, len(whole) - 300)
        damaged[begin : begin + 256] = generator.randbytes(256)
        (folder / name).write_bytes(damaged)
        told.append(isinstance(read_image_file(str(folder / name)), str))
        assert told[-1] != can_be_decoded(folder / name)
    assert any(told)


def test_a_stuff_map_with_a_class_that_coco_stuff_has_not_is_unreadable(folder):
    def classes(*values: int) -> str | ImageFile:
        Image.frombytes("L", (len(values), 1), bytes(values)).save(folder / "a.png")
        return read_stuff_map(str(folder / "a.png"))

    assert classes(0, 182, 255) == ImageFile(3, 1, "L")
    assert classes(0, 183) == "it has class 183, and classes are 0 to 182 or 255"


@pytest.mark.parametrize("text", [b"", b"<html>Not found</html>"])
def test_a_file_that_is_no_image_is_told(folder, text):
    (folder / "a.jpg").write_bytes(text)
    assert read_image_file(str(folder / "a.jpg")) == "it is no image that Pillow knows"


def test_missing_unreadable_and_whole_files_are_told_apart(folder, look):
    picture().save(folder / "a.jpg")
    (folder / "b.jpg").write_bytes(b"")
    found = look("a.jpg", "b.jpg", "c.jpg")
    assert list(found.whole) == ["a.jpg"]
    assert list(found.unreadable) == ["b.jpg"]
    assert found.missing == ["c.jpg"]


def test_all_are_missing_where_there_is_no_folder(folder, look):
    folder.rmdir()
    assert look("a.jpg", "b/c.jpg").missing == ["a.jpg", "b/c.jpg"]


def test_more_files_than_a_thread_takes_at_once_are_all_looked_at(folder, look):
    picture().save(folder / "a.jpg")
    names = [f"{number}.jpg" for number in range(200)]
    for name in names:
        os.link(folder / "a.jpg", folder / name)
    assert list(look(*names).whole) == names


def test_a_file_that_passed_is_not_read_again_until_it_changes(folder, look):
    file = folder / "a.jpg"
    picture().save(file)
    first = look("a.jpg")
    # Other bytes under the same size and time: only who reads them sees them.
    stat = file.stat()
    file.write_bytes(b"x" * stat.st_size)
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert look("a.jpg") == first
    os.utime(file, ns=(stat.st_atime_ns, stat.st_mtime_ns + 1))
    assert list(look("a.jpg").unreadable) == ["a.jpg"]


def test_what_passed_is_remembered_also_where_another_file_is_damaged(folder, look):
    picture().save(folder / "a.jpg")
    (folder / "b.jpg").write_bytes(b"")
    look("a.jpg", "b.jpg")
    stat = (folder / "a.jpg").stat()
    (folder / "a.jpg").write_bytes(b"x" * stat.st_size)
    os.utime(folder / "a.jpg", ns=(stat.st_atime_ns, stat.st_mtime_ns))
    picture().save(folder / "b.jpg")
    assert list(look("a.jpg", "b.jpg").whole) == ["a.jpg", "b.jpg"]


@pytest.mark.parametrize("damage", ["", "[]", '{"checks": 2, "files": {"a.jpg": [1]}}', "{}"])
def test_a_memory_that_is_damaged_is_made_again(folder, look, tmp_path, damage):
    picture().save(folder / "a.jpg")
    look("a.jpg")
    [memory] = (tmp_path / "checked").iterdir()
    whole = memory.read_text()
    memory.write_text(damage)
    assert list(look("a.jpg").whole) == ["a.jpg"]
    assert memory.read_text() == whole


def can_be_decoded(path: Path) -> bool:
    with Image.open(path) as image:
        try:
            image.load()
        except (OSError, SyntaxError):
            return False
    return True


@pytest.mark.parametrize("name", ["a.jpg", "a.png"])
def test_a_file_that_lacks_a_few_bytes_is_judged_as_pillow_judges_it(folder, name):
    # Without its last bytes a file may hold every pixel still; detectron2 then reads it well.
    file = folder / name
    picture().save(file)
    whole = file.read_bytes()
    verdicts = set()
    for cut in range(1, 200):
        file.write_bytes(whole[:-cut])
        verdicts.add(can_be_decoded(file))
        assert isinstance(read_image_file(str(file)), ImageFile) == can_be_decoded(file)
    assert False in verdicts
