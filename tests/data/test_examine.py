"""Each fault of data is told in a line of its own, before anything trains."""

from contextlib import contextmanager
from dataclasses import replace

import pytest
from PIL import Image

from harness.data.examine import Need, examine
from harness.paths import CheckedData
from tests.data.small_coco import (
    HEIGHT,
    MINIVAL_2014,
    SMALL,
    TRAIN_2014,
    TRAIN_2017,
    VAL_2017,
    VALMINUSMINIVAL_2014,
    WIDTH,
    rewrite,
    write_coco,
)

TRAINVAL = Need("coco_2014_trainval35k", None, for_training=True)
MINIVAL = Need("coco_2014_minival", None)
TRAIN = Need("coco_2017_train", None, for_training=True, stuff_maps=True)


@pytest.fixture
def coco(tmp_path, monkeypatch):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    return tmp_path / "coco"


@pytest.fixture
def found(tmp_path):
    """A function that examines splits, the first as trained on and the last as tested on."""

    def look(*needs: Need, coco=SMALL):
        pairs = {(needs[0].split, needs[-1].split, needs[0].data_dir)} if len(needs) > 1 else ()
        return list(examine(needs, pairs, CheckedData(tmp_path / "checked"), coco))

    return look


@pytest.fixture
def fault(found):
    """A function that examines splits and returns the only fault, and what is to be fetched."""

    def look(*needs: Need, **options):
        findings = [finding for finding in found(*needs, **options) if finding.faults]
        assert [len(finding.faults) for finding in findings] == [1]
        assert "\n" not in findings[0].faults[0]
        return findings[0].faults[0], findings[0].lacks

    return look


# Nothing is wrong


def test_2014s_files_pass_as_trainval35k_and_minival(coco, found):
    write_coco(coco, TRAIN_2014, VALMINUSMINIVAL_2014, MINIVAL_2014)
    findings = found(TRAINVAL, MINIVAL)
    assert not any(finding.faults or finding.lacks for finding in findings)
    looked_at = [finding.what.removeprefix(f"{coco}/") for finding in findings]
    assert looked_at == [
        "annotations/instances_train2014.json",
        "train2014",
        "annotations/instances_valminusminival2014.json",
        "val2014",
        "instances_train2014.json and instances_valminusminival2014.json",
        "annotations/instances_minival2014.json",
        "val2014",
        "coco_2014_trainval35k and coco_2014_minival",
    ]


def test_2017s_files_pass_as_trainval35k_and_minival(coco, found):
    write_coco(coco, TRAIN_2017, VAL_2017)
    findings = found(TRAINVAL, MINIVAL)
    assert not any(finding.faults for finding in findings)
    size = (coco / TRAIN_2017.annotations).stat().st_size
    assert findings[0].found == f"{size:,} bytes, 5 images"


def test_a_file_that_serves_two_splits_is_told_once(coco, found):
    write_coco(coco, TRAIN_2017, VAL_2017)
    val = Need("coco_2017_val", None)
    looked_at = [finding.what.removeprefix(f"{coco}/") for finding in found(TRAINVAL, MINIVAL, val)]
    assert looked_at.count("annotations/instances_val2017.json") == 1
    assert looked_at.count("val2017") == 1


def test_stuff_maps_beside_the_images_pass(coco, found):
    write_coco(coco, TRAIN_2017, stuff_maps=True)
    findings = found(TRAIN)
    assert not any(finding.faults for finding in findings)
    assert findings[-1].what == str(coco / "stuffthingmaps" / "train2017")


def test_real_images_of_coco_pass(coco_mini, found):
    own = [Need(split, str(coco_mini), for_training=True) for split in ("own_train", "own_val")]
    findings = found(*own)
    assert not any(finding.faults for finding in findings)
    assert len(findings) == 5  # annotations and images of each, and how they fit each other


def test_each_look_is_heard_of_by_name(coco, tmp_path):
    write_coco(coco, TRAIN_2017, stuff_maps=True)
    heard = []

    @contextmanager
    def watch(name):
        heard.append(name)
        yield lambda done, total: heard.append((done, total))

    list(examine([TRAIN], (), CheckedData(tmp_path / "checked"), SMALL, watch))
    # Five images, and five maps: each is asked for, and then read, as it is new.
    assert heard == [
        "instances_train2017.json",
        "train2017",
        (5, 5),
        (5, 5),
        "train2017, stuff maps",
        (5, 5),
        (5, 5),
    ]


# What is missing is fetched as the smallest download


def test_where_there_is_nothing_2017s_folders_are_fetched_for_trainval35k_and_minival(coco, found):
    trainval, minival = found(TRAINVAL, MINIVAL)
    assert trainval.lacks == ("annotations/instances_train2017.json", "train2017")
    assert minival.lacks == ("annotations/instances_val2017.json", "val2017")
    assert "coco_2014_trainval35k is not here" in trainval.faults[0]


def test_where_2014s_are_there_only_their_annotations_are_fetched(coco, found):
    write_coco(coco, TRAIN_2014, VALMINUSMINIVAL_2014)
    (coco / VALMINUSMINIVAL_2014.annotations).unlink()
    [trainval, minival] = found(TRAINVAL, MINIVAL)
    assert trainval.lacks == ("annotations/instances_valminusminival2014.json",)
    assert minival.lacks == ("annotations/instances_minival2014.json",)


def test_what_is_fetched_anyway_counts_for_the_next_split(coco, found):
    # With train2014 (13.5 GB) fetched anyway, val2014 (6.6) is less than train2017 (19.3).
    _, trainval = found(Need("coco_2014_train", None), TRAINVAL)
    assert "val2014" in trainval.lacks


def test_stuff_maps_are_fetched_with_the_images_that_need_them(coco, fault):
    _, lacks = fault(TRAIN)
    assert lacks == (
        "annotations/instances_train2017.json",
        "train2017",
        "stuffthingmaps/train2017",
    )


def test_stuff_maps_that_are_there_are_not_fetched_with_the_images(coco, fault):
    write_coco(coco, TRAIN_2017, stuff_maps=True)
    (coco / TRAIN_2017.annotations).unlink()
    _, lacks = fault(TRAIN)
    assert lacks == ("annotations/instances_train2017.json",)


# Annotation files that are not COCO's


def test_another_number_of_images_is_told(coco, fault):
    write_coco(coco, TRAIN_2017)
    rewrite(
        coco / TRAIN_2017.annotations,
        lambda content: content["images"].append(content["images"][0] | {"id": 99}),
    )
    message, lacks = fault(TRAINVAL)
    assert f"{coco / TRAIN_2017.annotations}: lists 6 images, not 5. Fetch COCO's own" in message
    assert lacks == ("annotations/instances_train2017.json",)


@pytest.mark.parametrize("file", [MINIVAL_2014, VAL_2017])
def test_another_5000_images_under_the_name_of_minival_are_told(coco, fault, file):
    write_coco(coco, file)

    def other(content):
        content["images"][0]["id"] = content["annotations"][0]["image_id"] = 164

    rewrite(coco / file.annotations, other)
    message, _ = fault(MINIVAL)
    assert "its 2 image ids are not those of COCO's minival, which are val2017's" in message


def test_category_ids_beyond_1_to_90_are_told(coco, fault):
    write_coco(coco, TRAIN_2017)

    def shift(content):
        content["categories"] += [{"id": 0, "name": "sky"}, {"id": 91, "name": "hair brush"}]

    rewrite(coco / TRAIN_2017.annotations, shift)
    message, _ = fault(TRAINVAL)
    assert "COCO's category ids are 1 to 90, and 2 of its 4 are not" in message
    assert "the first are 0 (sky), 91 (hair brush)" in message


def test_any_category_ids_are_allowed_in_ones_own_data(coco, found):
    write_coco(coco, TRAIN_2017, VAL_2017)
    rewrite(
        coco / TRAIN_2017.annotations,
        lambda content: content["categories"].append({"id": 4711, "name": "gear"}),
    )
    assert not any(finding.faults for finding in found(Need("own_train", str(coco))))


def test_a_file_cut_short_is_told_and_its_images_are_not_looked_at(coco, found):
    write_coco(coco, TRAIN_2017)
    file = coco / TRAIN_2017.annotations
    file.write_text(file.read_text()[:100])
    [finding] = found(TRAINVAL)
    assert "cut short or damaged" in finding.faults[0]
    assert finding.found == "100 bytes"
    assert finding.lacks == ("annotations/instances_train2017.json",)


def test_a_size_that_is_not_cocos_is_noted_and_stops_nothing(coco, found):
    write_coco(coco, VAL_2017)
    [[small]] = SMALL["coco_2017_val"]
    size = (coco / VAL_2017.annotations).stat().st_size
    layouts = {"coco_2017_val": ((replace(small, size=size + 1),),)}
    finding, _ = found(Need("coco_2017_val", None), coco=layouts)
    assert finding.faults == ()
    assert f"{size:,} bytes, COCO's own has {size + 1:,}: it was written anew" in finding.notes[0]


# Two files that do not fit each other


def test_an_image_that_is_trained_and_tested_on_is_told(coco, fault):
    write_coco(coco, TRAIN_2017, VAL_2017)

    def take(content):
        content["images"][0]["id"] = content["annotations"][0]["image_id"] = 285

    rewrite(coco / TRAIN_2017.annotations, take)
    message, _ = fault(TRAINVAL, MINIVAL)
    assert "1 of its images are in instances_train2017.json too, the first is 285" in message


def test_an_image_in_both_files_of_trainval35k_is_told(coco, fault):
    write_coco(coco, TRAIN_2014, VALMINUSMINIVAL_2014)

    def take(content):
        content["images"][0]["id"] = content["annotations"][0]["image_id"] = 9

    rewrite(coco / VALMINUSMINIVAL_2014.annotations, take)
    message, _ = fault(TRAINVAL)
    assert "are in instances_train2014.json too, the first is 9" in message


def test_other_categories_in_the_split_that_is_tested_are_told(coco, fault):
    write_coco(coco, TRAIN_2017, VAL_2017)
    file = coco / VAL_2017.annotations
    rewrite(file, lambda content: content["categories"].append({"id": 2, "name": "bicycle"}))
    message, _ = fault(TRAINVAL, MINIVAL)
    assert "instances_val2017.json lists id 2 as 'bicycle'" in message


def test_a_split_in_two_files_cannot_be_tested_on(coco, fault):
    write_coco(coco, TRAIN_2014, VALMINUSMINIVAL_2014, MINIVAL_2014)
    message, _ = fault(MINIVAL, TRAINVAL)
    assert "coco_2014_trainval35k lies in 2 annotation files" in message
    assert "test on coco_2014_minival" in message


def test_crowds_alone_can_be_tested_on_but_not_trained_on(coco, found, fault):
    write_coco(coco, VAL_2017)

    def crowds(content):
        for annotation in content["annotations"]:
            annotation["iscrowd"] = 1

    rewrite(coco / VAL_2017.annotations, crowds)
    assert not any(finding.faults for finding in found(MINIVAL))
    message, _ = fault(Need("coco_2014_minival", None, for_training=True))
    assert "none of its 2 annotations is an object that is no crowd" in message


# Images


def test_missing_images_are_counted_and_the_first_named(coco, fault):
    write_coco(coco, TRAIN_2017)
    for one in (9, 25, 42, 73):
        (coco / f"train2017/{one:012d}.jpg").unlink()
    message, lacks = fault(TRAINVAL)
    assert f"4 of its 5 images are missing in {coco / 'train2017'}, the first are" in message
    assert "000000000009.jpg, 000000000025.jpg, 000000000042.jpg. Copy them" in message
    assert lacks == tuple(f"train2017/{one:012d}.jpg" for one in (9, 25, 42, 73))


def test_an_image_whose_header_disagrees_with_the_json_is_told(coco, fault):
    write_coco(coco, TRAIN_2017)
    file = coco / "train2017/000000000025.jpg"
    Image.new("RGB", (HEIGHT, WIDTH)).save(file)
    message, lacks = fault(TRAINVAL)
    assert f"image 25 is 12x8 px, its file {file} 8x12 (width x height). Masks" in message
    assert lacks == ("train2017/000000000025.jpg",)


def test_an_image_that_exif_turns_is_compared_as_detectron2_turns_it(coco, found):
    write_coco(coco, TRAIN_2017)
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("RGB", (HEIGHT, WIDTH)).save(coco / "train2017/000000000025.jpg", exif=exif)
    assert not any(finding.faults for finding in found(TRAINVAL))


def test_an_image_cut_short_is_told_with_how_many_are_like_it(coco, fault):
    write_coco(coco, TRAIN_2017)
    for one in (25, 73):
        file = coco / f"train2017/{one:012d}.jpg"
        file.write_bytes(file.read_bytes()[:-10])
    message, lacks = fault(TRAINVAL)
    assert message.startswith(f"{coco / 'train2017/000000000025.jpg'}: image file is truncated")
    assert "(1 more file is wrong like it)" in message
    assert lacks == ("train2017/000000000025.jpg", "train2017/000000000073.jpg")


def test_of_many_images_the_whole_folder_is_fetched(coco, fault):
    write_coco(coco, TRAIN_2017)

    def many(content):
        first = content["images"][0]
        content["images"] = [first | {"id": one, "file_name": f"{one}.jpg"} for one in range(1, 22)]
        content["annotations"] = content["annotations"][:1]

    rewrite(coco / TRAIN_2017.annotations, many)
    [[small]] = SMALL["coco_2017_train"]
    layouts = {"coco_2017_train": ((replace(small, count=21),),)}
    _, lacks = fault(Need("coco_2017_train", None), coco=layouts)
    assert lacks == ("train2017",)


# Stuff maps


@pytest.fixture
def stuff_map(coco):
    """The stuff map of one of five training images."""
    write_coco(coco, TRAIN_2017, stuff_maps=True)
    return coco / "stuffthingmaps/train2017/000000000025.png"


def test_a_missing_stuff_map_is_told(stuff_map, fault):
    stuff_map.unlink()
    message, lacks = fault(TRAIN)
    assert f"{stuff_map.parent}: 1 of 5 stuff maps are missing, the first is {stuff_map.name}" in (
        message
    )
    assert lacks == ("stuffthingmaps/train2017",)


def test_a_stuff_map_of_another_size_than_its_image_is_told(stuff_map, fault):
    Image.new("L", (6, 4)).save(stuff_map)
    message, _ = fault(TRAIN)
    assert f"{stuff_map}: the stuff map is 6x4 px, its image 000000000025.jpg 12x8" in message


@pytest.mark.parametrize("mode", ["RGB", "P", "I;16"])
def test_a_stuff_map_of_other_than_8_bits_in_one_channel_is_told(stuff_map, fault, mode):
    Image.new(mode, (WIDTH, HEIGHT)).save(stuff_map)
    message, _ = fault(TRAIN)
    assert f"{stuff_map}: a stuff map has one channel of 8 bits" in message
    assert f"this file has mode {mode}." in message


def test_a_stuff_map_cut_short_is_told(stuff_map, fault):
    stuff_map.write_bytes(stuff_map.read_bytes()[:-30])
    message, _ = fault(TRAIN)
    assert message.startswith(f"{stuff_map}: ")
    assert "Copy or fetch it again" in message


def test_stuff_maps_are_asked_for_only_where_a_run_learns_from_them(stuff_map, found):
    stuff_map.unlink()
    assert not any(finding.faults for finding in found(TRAINVAL))


def test_faults_of_several_kinds_are_all_told(stuff_map, coco, found):
    stuff_map.unlink()
    (coco / "train2017/000000000009.jpg").unlink()
    rewrite(
        coco / TRAIN_2017.annotations,
        lambda content: content["categories"].append({"id": 91, "name": "hair brush"}),
    )
    assert [len(finding.faults) for finding in found(TRAIN)] == [1, 1, 1]


# The second look


def test_a_second_look_finds_the_same_without_reading_annotations_or_images_again(
    coco, found, tmp_path
):
    write_coco(coco, TRAIN_2017, VAL_2017)
    first = found(TRAINVAL, MINIVAL)
    memories = {path: path.stat().st_mtime_ns for path in (tmp_path / "checked").iterdir()}
    assert len(memories) == 4  # two annotation files, two image folders
    assert found(TRAINVAL, MINIVAL) == first
    assert memories == {path: path.stat().st_mtime_ns for path in memories}
