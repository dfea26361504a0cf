import json
import shutil

import pytest

from harness.data.annotations import annotations_hash
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
    assert load_categories("own_train", str(own_data)) == (file, expected)


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
