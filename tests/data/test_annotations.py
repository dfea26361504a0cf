import gzip
import json
import os
from pathlib import Path

import pytest

from harness.data.annotations import (
    Image,
    Part,
    annotations_hash,
    check_annotations,
    check_same_categories,
    find_own_data,
)
from harness.errors import DataError

TRIANGLE = [10, 10, 30, 10, 10, 30]


def content() -> dict:
    """Two images; a polygon, an RLE mask and a crowd in run lengths; nothing wrong."""
    keys = {"category_id": 1, "bbox": [10, 10, 20, 20], "area": 200, "iscrowd": 0}
    # The same run lengths twice: "0", then 4 + 3 * 32 = 100, then 28 + 7 * 32 + 2 * 1024 = 2300.
    string = {"size": [40, 60], "counts": "0T3lW2"}
    runs = {"size": [40, 60], "counts": [0, 100, 2300]}
    return {
        "categories": [{"id": 1, "name": "star"}, {"id": 7, "name": "gear"}],
        "images": [
            {"id": 1, "file_name": "one.png", "width": 60, "height": 40},
            {"id": 2, "file_name": "two.png", "width": 60, "height": 40},
        ],
        "annotations": [
            {"id": 11, "image_id": 1, "segmentation": [TRIANGLE], **keys},
            {"id": 12, "image_id": 1, "segmentation": string, **keys},
            {"id": 13, "image_id": 2, "segmentation": runs, **keys, "iscrowd": 1},
        ],
    }


def write_split(folder: Path, name: str, data: object) -> Part:
    split = Part(folder / "annotations" / f"instances_{name}.json", folder / name)
    split.annotations.parent.mkdir(parents=True, exist_ok=True)
    split.annotations.write_text(json.dumps(data))
    split.images.mkdir()
    for image in ("one.png", "two.png"):
        (split.images / image).touch()
    return split


def check(folder: Path, data: object) -> None:
    check_annotations(write_split(folder, "train", data))


@pytest.fixture
def own_data(tmp_path) -> Path:
    for name in ("train", "val"):
        write_split(tmp_path, name, content())
    return tmp_path


# Finding the files


def test_splits_are_found_under_the_names_of_the_drawn_shapes(own_data):
    data = find_own_data(own_data)
    assert data.folder == own_data
    assert data.train == Part(own_data / "annotations/instances_train.json", own_data / "train")
    assert data.val == Part(own_data / "annotations/instances_val.json", own_data / "val")


def test_splits_are_found_under_the_names_of_coco_and_pass_the_checks(coco_mini):
    data = find_own_data(coco_mini)
    assert data.train.images == coco_mini / "train2017"
    assert data.val.annotations == coco_mini / "annotations/instances_val2017.json"
    check_annotations(data.train)
    check_annotations(data.val)


def test_other_annotation_files_beside_them_do_not_matter(own_data):
    (own_data / "annotations/captions_train.json").touch()
    (own_data / "annotations/instances_test.json").touch()
    assert find_own_data(own_data).train.annotations.name == "instances_train.json"


def test_a_missing_folder_is_told_with_the_layout_it_should_have(tmp_path):
    with pytest.raises(DataError, match=r"No folder at .*nowhere.*instances_train\*\.json"):
        find_own_data(tmp_path / "nowhere")


def test_a_missing_annotation_file_is_told_with_the_place_looked_at(own_data):
    (own_data / "annotations/instances_val.json").unlink()
    with pytest.raises(DataError, match=r"for val: looked for .*annotations/instances_val\*\.json"):
        find_own_data(own_data)


def test_a_missing_image_folder_is_told_with_the_place_looked_at(own_data):
    (own_data / "val").rename(own_data / "validation")
    with pytest.raises(DataError, match=r"No image folder for .*instances_val\.json.*/val\."):
        find_own_data(own_data)


def test_several_candidates_are_all_named(own_data):
    for year in ("2014", "2017"):
        (own_data / f"annotations/instances_train{year}.json").touch()
    with pytest.raises(
        DataError,
        match=r"instances_train\.json, instances_train2014\.json, instances_train2017\.json\. "
        r"Exactly one",
    ):
        find_own_data(own_data)


# Hash


def test_hash_is_the_sha256_of_the_bytes(tmp_path):
    path = tmp_path / "instances.json"
    path.write_bytes(b"abc")
    # The test vector of FIPS 180-2.
    expected = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert annotations_hash(path) == expected


def test_hash_follows_a_change_of_the_file(tmp_path):
    path = tmp_path / "instances.json"
    path.write_bytes(b"abc")
    before = annotations_hash(path)
    path.write_bytes(b"abcd")
    assert annotations_hash(path) != before


def test_an_unchanged_file_is_not_read_again(tmp_path):
    # Same size and time, other bytes: the cache cannot know, and must not look.
    path = tmp_path / "instances.json"
    path.write_bytes(b"abc")
    stat = path.stat()
    before = annotations_hash(path)
    path.write_bytes(b"xyz")
    os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    assert annotations_hash(path) == before


def test_hash_of_a_missing_file_says_which_and_why(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read .*gone\.json: No such file"):
        annotations_hash(tmp_path / "gone.json")


# The file as a whole


def test_right_annotations_pass(tmp_path):
    check(tmp_path, content())


def test_images_without_objects_pass(tmp_path):
    data = content()
    data["annotations"].pop()
    check(tmp_path, data)


def test_a_missing_annotation_file_cannot_be_checked(tmp_path):
    with pytest.raises(DataError, match=r"Cannot read .*gone\.json: No such file"):
        check_annotations(Part(tmp_path / "gone.json", tmp_path))


def test_a_file_cut_short_is_told_with_size_and_position(tmp_path):
    split = write_split(tmp_path, "train", content())
    whole = split.annotations.read_bytes()
    split.annotations.write_bytes(whole[:200])
    with pytest.raises(
        DataError, match=r"train\.json: cut short.* its 200 bytes: .*char \d+.*copy it again"
    ):
        check_annotations(split)


def test_bytes_that_are_no_text_are_told_as_damage(tmp_path):
    split = write_split(tmp_path, "train", content())
    split.annotations.write_bytes(b"{\xff\xfe" * 100)
    with pytest.raises(DataError, match="cut short or damaged"):
        check_annotations(split)


@pytest.mark.parametrize("data", [[], {}, 3, content() | {"images": {"1": "one.png"}}])
def test_a_file_of_another_format_is_told_with_the_lists_it_needs(tmp_path, data):
    with pytest.raises(
        DataError, match=r"no list of objects called 'images'.* images, annotations, categories"
    ):
        check(tmp_path, data)


@pytest.mark.parametrize("name", ["images", "annotations", "categories"])
def test_an_empty_list_is_told_by_name(tmp_path, name):
    with pytest.raises(DataError, match=f"its list '{name}' is empty"):
        check(tmp_path, content() | {name: []})


# Ids


@pytest.mark.parametrize(
    ("table", "kind"),
    [("images", "image"), ("annotations", "annotation"), ("categories", "category")],
)
def test_an_id_used_twice_is_told(tmp_path, table, kind):
    data = content()
    used = data[table][1]["id"] = data[table][0]["id"]
    with pytest.raises(DataError, match=f"{kind} id {used} is used 2 times.*number them anew"):
        check(tmp_path, data)


@pytest.mark.parametrize("wrong", [None, "11", 1.5, [1]])
def test_an_id_that_is_no_integer_is_told_with_its_position(tmp_path, wrong):
    data = content()
    data["annotations"][1]["id"] = wrong
    with pytest.raises(DataError, match="annotation number 2 in its list has id"):
        check(tmp_path, data)


def test_annotation_id_0_is_refused_because_it_would_spoil_the_ap(tmp_path):
    data = content()
    data["annotations"][0]["id"] = 0
    with pytest.raises(DataError, match=r"annotation id 0 is not allowed.*from 1"):
        check(tmp_path, data)


# Images


@pytest.mark.parametrize("wrong", [None, 0, -3, "60", 60.5])
def test_an_image_without_a_size_is_told(tmp_path, wrong):
    data = content()
    data["images"][1]["width"] = wrong
    with pytest.raises(DataError, match=r"image 2: width is .*size in pixels"):
        check(tmp_path, data)


def test_an_image_without_a_file_name_is_told(tmp_path):
    data = content()
    del data["images"][1]["file_name"]
    with pytest.raises(DataError, match="image 2: file_name is None"):
        check(tmp_path, data)


# Annotations


def check_with(folder: Path, **changes: object) -> None:
    data = content()
    data["annotations"][0] |= changes
    check(folder, data)


@pytest.mark.parametrize(
    "key", ["image_id", "category_id", "segmentation", "bbox", "area", "iscrowd"]
)
def test_an_annotation_without_a_key_is_told(tmp_path, key):
    data = content()
    del data["annotations"][0][key]
    with pytest.raises(DataError, match=rf"train\.json: annotation 11: has no {key}\."):
        check(tmp_path, data)


@pytest.mark.parametrize("wrong", [3, "1", [1]])
def test_an_image_that_is_not_listed_is_told(tmp_path, wrong):
    with pytest.raises(DataError, match=r"annotation 11: image_id .* is not listed in images"):
        check_with(tmp_path, image_id=wrong)


def test_a_category_that_is_not_listed_is_told_with_those_that_are(tmp_path):
    with pytest.raises(
        DataError,
        match=r"annotation 11: category_id 99 is not listed in categories \(listed: 1, 7\)",
    ):
        check_with(tmp_path, category_id=99)


def test_of_many_categories_the_first_ten_are_listed(tmp_path):
    data = content()
    data["categories"] = [{"id": n, "name": str(n)} for n in range(1, 81)]
    data["annotations"][0]["category_id"] = 99
    with pytest.raises(DataError, match=r"\(listed: 1, 2, .*, 10, \.\.\. 80 in all\)"):
        check(tmp_path, data)


@pytest.mark.parametrize(
    "wrong",
    [[], [1, 2, 3], [10, 10, -20, 20], [float("nan"), 0, 1, 1], [0, 0, float("inf"), 1], "box"],
)
def test_a_box_that_is_none_is_told_with_its_rule(tmp_path, wrong):
    with pytest.raises(DataError, match=r"annotation 11: bbox is .*\[x, y, width, height\]"):
        check_with(tmp_path, bbox=wrong)


def test_a_box_without_height_passes_as_coco_itself_has_two(tmp_path):
    check_with(tmp_path, bbox=[296.65, 388.33, 1.03, 0.0], area=0.0)


@pytest.mark.parametrize("wrong", [-1, float("nan"), "200"])
def test_an_area_that_is_none_is_told(tmp_path, wrong):
    with pytest.raises(DataError, match=r"annotation 11: area is .*mask's area in pixels"):
        check_with(tmp_path, area=wrong)


@pytest.mark.parametrize("wrong", [2, "0"])
def test_iscrowd_is_0_or_1(tmp_path, wrong):
    with pytest.raises(DataError, match=r"annotation 11: iscrowd is .* It is 0, or 1 for a crowd"):
        check_with(tmp_path, iscrowd=wrong)


@pytest.mark.parametrize("wrong", [[], "mask", 3])
def test_an_annotation_without_a_mask_is_told(tmp_path, wrong):
    with pytest.raises(DataError, match=r"annotation 11: segmentation is .*draw the mask"):
        check_with(tmp_path, segmentation=wrong)


@pytest.mark.parametrize("points", [0, 1, 2])
def test_a_polygon_of_fewer_than_three_points_is_told_by_its_number(tmp_path, points):
    with pytest.raises(DataError, match=f"annotation 11: polygon 2 .* has {points} points"):
        check_with(tmp_path, segmentation=[TRIANGLE, TRIANGLE[: 2 * points]])


def test_a_polygon_with_an_odd_number_of_coordinates_is_told(tmp_path):
    with pytest.raises(DataError, match=r"polygon 1 .* has 7 coordinates, an odd number"):
        check_with(tmp_path, segmentation=[[*TRIANGLE, 5]])


@pytest.mark.parametrize("wrong", [5, "1,2,3,4,5,6", [[1, 2], [3, 4], [5, 6]], [float("nan")] * 6])
def test_a_polygon_of_anything_but_numbers_is_told(tmp_path, wrong):
    with pytest.raises(DataError, match=r"polygon 1 .* is not a list \[x1, y1.* finite numbers"):
        check_with(tmp_path, segmentation=[wrong])


def test_a_flat_polygon_which_is_a_common_slip_is_told(tmp_path):
    with pytest.raises(DataError, match=r"polygon 1 .* is not a list \[x1, y1"):
        check_with(tmp_path, segmentation=TRIANGLE)


@pytest.mark.parametrize("wrong", [[60, 40], None])
def test_a_mask_of_another_size_than_its_image_is_told_with_both(tmp_path, wrong):
    with pytest.raises(DataError, match=r"RLE mask has size .*, its image \[40, 60\] \(height"):
        check_with(tmp_path, segmentation={"size": wrong, "counts": "0T3lW2"})


@pytest.mark.parametrize("wrong", [None, "", [], [0, 100], ["a"], [-100, 2500], [0, 0.5, 2399.5]])
def test_a_mask_without_its_run_lengths_is_told(tmp_path, wrong):
    with pytest.raises(DataError, match=r"counts of its RLE mask .* 2400 pixels"):
        check_with(tmp_path, segmentation={"size": [40, 60], "counts": wrong})


# Cut in half, cut in the last number, run lengths of 1, 2 and 3, and letters that it has not.
@pytest.mark.parametrize("wrong", ["0T3", "0T3lW", "123", "0T3lW2 ", "0T3lé2"])
def test_a_compressed_mask_cut_short_is_told_because_its_scoring_would_never_end(tmp_path, wrong):
    with pytest.raises(DataError, match=r"annotation 11: the counts of its RLE mask .* cut short"):
        check_with(tmp_path, segmentation={"size": [40, 60], "counts": wrong})


# Categories


def test_a_category_without_a_name_is_told(tmp_path):
    data = content()
    del data["categories"][1]["name"]
    with pytest.raises(DataError, match=r"category 7: name is None"):
        check(tmp_path, data)


def test_the_categories_come_back_in_the_order_of_the_classes(tmp_path):
    data = content()
    data["categories"].reverse()
    split = write_split(tmp_path, "train", data)
    assert check_annotations(split).categories == ((1, "star"), (7, "gear"))


@pytest.mark.parametrize(
    ("of_test", "difference"),
    [
        (((2, "star"), (7, "gear")), r"train\.json lists id 1 as 'star', val\.json does not"),
        (((1, "star"),), r"train\.json lists id 7 as 'gear', val\.json does not"),
        (((0, "sun"), (1, "star"), (7, "gear")), r"val\.json lists id 0 as 'sun', train\.json"),
        (((1, "gear"), (7, "star")), r"val\.json lists id 1 as 'gear', train\.json does not"),
    ],
)
def test_the_first_difference_between_two_lists_of_categories_is_told(of_test, difference):
    of_train = ((1, "star"), (7, "gear"))
    with pytest.raises(DataError, match=rf"{difference}.*Both must list the same ids"):
        check_same_categories(Path("train.json"), of_train, Path("val.json"), of_test)
    check_same_categories(Path("train.json"), of_train, Path("val.json"), of_train[::-1])


# What only one split may be


def test_the_outline_tells_images_and_counts_of_annotations(tmp_path):
    outline = check_annotations(write_split(tmp_path, "train", content()))
    assert outline.images == (Image(1, "one.png", 60, 40), Image(2, "two.png", 60, 40))
    # Three annotations, one of them a crowd.
    assert (outline.annotations, outline.objects) == (3, 2)


def test_cocos_minival_may_use_an_annotation_id_twice(tmp_path):
    data = content()
    data["annotations"][1]["id"] = data["annotations"][0]["id"]
    check_annotations(write_split(tmp_path, "minival2014", data))


def test_every_message_is_one_line(tmp_path):
    with pytest.raises(DataError) as caught:
        check_with(tmp_path, segmentation=[])
    assert "\n" not in str(caught.value)


def test_gzip_does_not_pass_since_detectron2_could_not_train_on_it(tmp_path):
    split = write_split(tmp_path, "train", content())
    split.annotations.write_bytes(gzip.compress(split.annotations.read_bytes()))
    with pytest.raises(DataError, match=r"train\.json: cut short or damaged, no valid JSON in its"):
        check_annotations(split)
