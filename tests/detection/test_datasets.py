import json
import shutil
from pathlib import Path

import pytest
from detectron2.data.datasets.builtin import _PREDEFINED_SPLITS_COCO

from harness.data.annotations import annotations_hash
from harness.data.coco import COCO
from harness.data.splits import hash_of, locate
from harness.detection.datasets import load_categories, load_split
from harness.errors import DataError


@pytest.fixture
def own_data(shapes, tmp_path):
    return shutil.copytree(shapes, tmp_path / "own")


def test_the_categories_are_those_of_the_file_by_class_index(own_data):
    file = own_data / "annotations/instances_train.json"
    content = json.loads(file.read_text())
    # Ids with holes, in no order: class 0 is the smallest id.
    for category in content["categories"]:
        category["id"] *= 10
    content["categories"].reverse()
    for annotation in content["annotations"]:
        annotation["category_id"] *= 10
    file.write_text(json.dumps(content))
    expected = tuple(sorted((c["id"], c["name"]) for c in content["categories"]))
    assert expected[0][0] == 10
    assert load_split("own_train", str(own_data)).categories == expected
    place, categories = load_categories("own_train", str(own_data))
    assert (place.annotations, categories) == (file, expected)


@pytest.mark.parametrize("load", [load_split, load_categories])
def test_annotations_edited_after_the_run_was_asked_for_are_refused(own_data, load):
    file = own_data / "annotations/instances_train.json"
    asked = annotations_hash(file)
    load("own_train", str(own_data), asked)
    file.write_text(file.read_text() + " ")
    with pytest.raises(
        DataError,
        match=rf"instances_train\.json has changed since this run was asked for \(sha256 "
        rf"{asked[:8]}, now .*Submit again: on these annotations it is another run",
    ):
        load("own_train", str(own_data), asked)


def test_cocos_files_lie_where_detectron2_registers_them():
    theirs = set(_PREDEFINED_SPLITS_COCO["coco"].values())  # (images, annotations)
    ours = {
        (f"coco/{file.images}", f"coco/{file.annotations}")
        for layouts in COCO.values()
        for layout in layouts
        for file in layout
    }
    assert ours <= theirs
    for split in set(COCO) & set(_PREDEFINED_SPLITS_COCO["coco"]):
        [first] = COCO[split][0]
        images, annotations = _PREDEFINED_SPLITS_COCO["coco"][split]
        assert (f"coco/{first.images}", f"coco/{first.annotations}") == (images, annotations)


@pytest.fixture
def trainval35k(shapes, tmp_path, monkeypatch):
    """The shapes in two files: 10 images as train2014, 4 as valminusminival2014."""
    for name, annotations, images in (
        ("train", "instances_train2014.json", "train2014"),
        ("val", "instances_valminusminival2014.json", "val2014"),
    ):
        (tmp_path / "coco/annotations").mkdir(parents=True, exist_ok=True)
        source = shapes / f"annotations/instances_{name}.json"
        shutil.copy(source, tmp_path / "coco/annotations" / annotations)
        shutil.copytree(shapes / name, tmp_path / "coco" / images)
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    return tmp_path / "coco"


def test_a_split_in_two_files_is_loaded_one_after_the_other(trainval35k):
    loaded = load_split("coco_2014_trainval35k", None)
    folders = [Path(record["file_name"]).parent.name for record in loaded.records]
    assert folders == ["train2014"] * 10 + ["val2014"] * 4
    assert loaded.annotations_hash == hash_of(locate("coco_2014_trainval35k", None))
    _, categories = load_categories("coco_2014_trainval35k", None)
    assert loaded.categories == categories


def test_two_files_of_one_split_with_other_categories_are_refused(trainval35k):
    file = trainval35k / "annotations/instances_valminusminival2014.json"
    content = json.loads(file.read_text())
    content["categories"].append({"id": 90, "name": "toothbrush"})
    file.write_text(json.dumps(content))
    with pytest.raises(DataError, match=r"valminusminival2014\.json lists id 90 as 'toothbrush'"):
        load_split("coco_2014_trainval35k", None)
