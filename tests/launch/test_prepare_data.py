import json
import shutil
from dataclasses import replace

import pytest

from harness.data.coco import COCO
from harness.errors import DataError
from harness.grid.spec import base_of
from harness.launch.prepare_data import prepare_data


def rewrite(file, change):
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def only_crowds(content):
    for annotation in content["annotations"]:
        annotation["iscrowd"] = 1


@pytest.fixture
def coco(own_data, paper_grid, tmp_path, monkeypatch):
    """The shapes under the names of COCO 2014, and a run of the paper's that needs them."""
    root = tmp_path / "coco"
    (root / "annotations").mkdir(parents=True)
    for split, name in (("coco_2014_train", "train"), ("coco_2014_minival", "val")):
        [file] = COCO[split][0]
        shutil.copy(own_data / f"annotations/instances_{name}.json", root / file.annotations)
        shutil.copytree(own_data / name, root / file.images)
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    return root


def test_coco_that_is_whole_passes_for_a_base_and_its_fine_tune(coco, paper_grid):
    spec = paper_grid.cells[0].spec
    prepare_data([base_of(spec), spec])


def test_a_missing_image_of_coco_is_told_before_anything_starts(coco, paper_grid):
    (coco / "val2014/000002.png").unlink()
    with pytest.raises(DataError, match=r"minival2014\.json: 1 of its 2 images are missing in"):
        prepare_data([paper_grid.cells[0].spec])


def test_annotations_of_coco_cut_short_are_told_before_anything_starts(coco, paper_grid):
    file = coco / "annotations/instances_train2014.json"
    file.write_text(file.read_text()[:200])
    with pytest.raises(DataError, match=r"train2014\.json: cut short or damaged"):
        prepare_data([paper_grid.cells[0].spec])


def test_two_splits_with_other_categories_are_told_before_anything_starts(own_grid, own_data):
    def shift(content):
        for category in content["categories"]:
            category["id"] += 1
        for annotation in content["annotations"]:
            annotation["category_id"] += 1

    rewrite(own_data / "annotations/instances_val.json", shift)
    first = json.loads((own_data / "annotations/instances_train.json").read_text())["categories"][0]
    with pytest.raises(
        DataError, match=f"train.json lists id 1 as '{first['name']}', instances_val.json does not"
    ):
        prepare_data([own_grid.cells[0].spec])


def test_a_training_split_of_crowds_alone_is_told_before_anything_starts(own_grid, own_data):
    spec = own_grid.cells[0].spec
    rewrite(own_data / "annotations/instances_val.json", only_crowds)
    prepare_data([spec])  # nothing is learned from it
    rewrite(own_data / "annotations/instances_train.json", only_crowds)
    with pytest.raises(DataError, match=r"train\.json: none of its \d+ annotations is an object"):
        prepare_data([base_of(spec)])


def test_the_shapes_are_drawn_where_they_are_asked_for(grid, tmp_path):
    folder = tmp_path / "shapes"
    prepare_data([replace(grid.cells[0].spec, data_dir=str(folder))])
    assert (folder / "annotations/instances_val.json").exists()
