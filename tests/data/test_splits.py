from pathlib import Path

import pytest

from harness.data.splits import locate
from harness.errors import DataError
from harness.shapes import write_shapes


@pytest.fixture
def coco(tmp_path, monkeypatch) -> Path:
    """An empty COCO of 2017 where detectron2 looks for it."""
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    folder = tmp_path / "coco"
    (folder / "annotations").mkdir(parents=True)
    (folder / "annotations" / "instances_train2017.json").touch()
    (folder / "train2017").mkdir()
    return folder


def test_coco_lies_where_detectron2_looks(coco):
    found = locate("coco_2017_train", None)
    assert found.annotations == coco / "annotations" / "instances_train2017.json"
    assert found.images == coco / "train2017"


def test_what_is_missing_of_coco_is_named_with_the_variable(coco):
    with pytest.raises(DataError, match=r"instances_val2017\.json is missing.*DETECTRON2_DATASETS"):
        locate("coco_2017_val", None)


def test_a_folder_of_ones_own_is_never_taken_for_coco(coco, tmp_path):
    own = tmp_path / "own"
    write_shapes(own, train_images=2, val_images=1, side=64)
    assert locate("own_train", str(own)).images == own / "train"
    assert locate("coco_2017_train", str(own)).images == coco / "train2017"


def test_a_split_without_a_place_is_told(coco):
    with pytest.raises(DataError, match="'coco_2014_trainval35k' has no place"):
        locate("coco_2014_trainval35k", None)
