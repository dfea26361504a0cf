import hashlib
import json
from pathlib import Path

import pytest

from harness.data.coco import COCO
from harness.data.splits import hash_of, locate
from harness.errors import DataError
from harness.grid.spec import SPLITS
from harness.shapes import write_shapes


@pytest.fixture
def put(tmp_path, monkeypatch):
    """A function that puts annotation files and image folders, all empty, where COCO lies."""
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    folder = tmp_path / "coco"
    (folder / "annotations").mkdir(parents=True)

    def put(*names: str) -> Path:
        for name in names:
            if name.endswith(".json"):
                (folder / "annotations" / name).write_text(json.dumps(name))
            else:
                (folder / name).mkdir()
        return folder

    return put


def places(split) -> list[tuple[str, str]]:
    return [(part.annotations.name, part.images.name) for part in split.parts]


def test_every_split_of_coco_has_a_place():
    assert set(COCO) == {split for split in SPLITS if split.startswith("coco_")}


def test_coco_lies_where_detectron2_looks(put):
    coco = put("instances_train2017.json", "train2017")
    [found] = locate("coco_2017_train", None).parts
    assert found.annotations == coco / "annotations" / "instances_train2017.json"
    assert found.images == coco / "train2017"


def test_what_is_missing_of_coco_is_named_with_the_variable_and_the_command(put):
    put("val2017")
    with pytest.raises(
        DataError,
        match=r"coco_2017_val is not here: \S+/instances_val2017\.json is missing\. If COCO "
        r"lies elsewhere, name .* in DETECTRON2_DATASETS; `harness prepare` prints the commands",
    ):
        locate("coco_2017_val", None)


def test_trainval35k_is_train2014_with_valminusminival(put):
    put("instances_train2014.json", "train2014", "instances_valminusminival2014.json", "val2014")
    assert places(locate("coco_2014_trainval35k", None)) == [
        ("instances_train2014.json", "train2014"),
        ("instances_valminusminival2014.json", "val2014"),
    ]


def test_a_cluster_with_2017s_folders_only_has_trainval35k_and_minival(put):
    put("instances_train2017.json", "train2017", "instances_val2017.json", "val2017")
    trainval = places(locate("coco_2014_trainval35k", None))
    assert trainval == [("instances_train2017.json", "train2017")]
    minival = places(locate("coco_2014_minival", None))
    assert minival == [("instances_val2017.json", "val2017")]


def test_where_both_years_are_there_the_split_is_2014s_own(put):
    put("instances_minival2014.json", "val2014", "instances_val2017.json", "val2017")
    minival = places(locate("coco_2014_minival", None))
    assert minival == [("instances_minival2014.json", "val2014")]


def test_what_is_missing_of_each_of_two_layouts_is_named(put):
    put("val2014", "instances_val2017.json")
    with pytest.raises(
        DataError,
        match=r"coco_2014_minival is not here: \S+/instances_minival2014\.json is missing, or "
        r"\S+/coco/val2017 is missing\.",
    ):
        locate("coco_2014_minival", None)


def test_the_hash_of_one_file_is_that_of_its_bytes(put):
    coco = put("instances_train2017.json", "train2017")
    content = (coco / "annotations" / "instances_train2017.json").read_bytes()
    assert hash_of(locate("coco_2017_train", None)) == hashlib.sha256(content).hexdigest()


def test_the_hash_of_two_files_is_that_of_their_hashes_and_follows_each(put):
    names = ("instances_train2014.json", "instances_valminusminival2014.json")
    coco = put(*names, "train2014", "val2014")
    # What `put` wrote into the files: their names, as JSON.
    parts = "".join(hashlib.sha256(f'"{name}"'.encode()).hexdigest() for name in names)
    before = hash_of(locate("coco_2014_trainval35k", None))
    assert before == hashlib.sha256(parts.encode()).hexdigest()
    (coco / "annotations" / names[1]).write_text("changed")
    assert hash_of(locate("coco_2014_trainval35k", None)) != before


def test_a_split_of_several_files_has_no_single_one(put):
    put("instances_train2014.json", "train2014", "instances_valminusminival2014.json", "val2014")
    with pytest.raises(ValueError, match=r"train2014\.json and \S+valminusminival2014\.json"):
        _ = locate("coco_2014_trainval35k", None).annotations


def test_a_folder_of_ones_own_is_never_taken_for_coco(put, tmp_path):
    coco = put("instances_train2017.json", "train2017")
    own = tmp_path / "own"
    write_shapes(own, train_images=2, val_images=1, side=64)
    assert locate("own_train", str(own)).parts[0].images == own / "train"
    assert locate("coco_2017_train", str(own)).parts[0].images == coco / "train2017"


def test_a_split_without_a_place_is_told():
    with pytest.raises(DataError, match="'coco_2014_test' has no place"):
        locate("coco_2014_test", None)
