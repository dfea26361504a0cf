import json
from dataclasses import replace

import pytest

from harness.errors import DataError
from harness.grid.spec import base_of
from harness.launch.prepare_data import examine_data, prepare_data
from tests.data.small_coco import MINIVAL_2014, SMALL, TRAIN_2014, rewrite, write_coco


def only_crowds(content):
    for annotation in content["annotations"]:
        annotation["iscrowd"] = 1


@pytest.fixture
def coco(tmp_path, monkeypatch):
    """COCO in small, as the paper's Mask R-CNNs need it."""
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    return write_coco(tmp_path / "coco", TRAIN_2014, MINIVAL_2014)


def test_coco_that_is_whole_passes_for_a_base_and_its_fine_tune(coco, paper_grid, runs):
    spec = paper_grid.cells[0].spec
    prepare_data([base_of(spec), spec], runs.checked, SMALL)


def test_a_missing_image_of_coco_is_told_before_anything_starts(coco, paper_grid, runs):
    (coco / "val2014/000000000139.jpg").unlink()
    with pytest.raises(DataError, match=r"minival2014\.json: 1 of its 2 images are missing in"):
        prepare_data([paper_grid.cells[0].spec], runs.checked, SMALL)


def test_annotations_of_coco_cut_short_are_told_before_anything_starts(coco, paper_grid, runs):
    file = coco / "annotations/instances_train2014.json"
    file.write_text(file.read_text()[:200])
    with pytest.raises(DataError, match=r"train2014\.json: cut short or damaged"):
        prepare_data([paper_grid.cells[0].spec], runs.checked, SMALL)


def test_two_splits_with_other_categories_are_told_before_anything_starts(own_grid, own_data, runs):
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
        prepare_data([own_grid.cells[0].spec], runs.checked)


def test_a_training_split_of_crowds_alone_is_told_before_anything_starts(own_grid, own_data, runs):
    spec = own_grid.cells[0].spec
    rewrite(own_data / "annotations/instances_val.json", only_crowds)
    prepare_data([spec], runs.checked)  # nothing is learned from it
    rewrite(own_data / "annotations/instances_train.json", only_crowds)
    with pytest.raises(DataError, match=r"train\.json: none of its \d+ annotations is an object"):
        prepare_data([base_of(spec)], runs.checked)


def test_the_shapes_are_drawn_where_they_are_asked_for(grid, runs, tmp_path):
    folder = tmp_path / "shapes"
    prepare_data([replace(grid.cells[0].spec, data_dir=str(folder))], runs.checked)
    assert (folder / "annotations/instances_val.json").exists()


def test_each_fault_is_a_line_of_its_own(coco, paper_grid, runs):
    (coco / "val2014/000000000139.jpg").unlink()
    (coco / "train2014/000000000009.jpg").write_bytes(b"")
    with pytest.raises(DataError) as caught:
        prepare_data([paper_grid.cells[0].spec], runs.checked, SMALL)
    head, minival, train = str(caught.value).splitlines()
    assert head == "2 things are wrong with the data:"
    assert "1 of its 2 images are missing" in minival
    assert "it is no image that Pillow knows" in train


def test_stuff_maps_are_asked_for_by_runs_with_a_semantic_branch_alone(coco, paper_grid, runs):
    # HTC on the splits of Mask R-CNN, which have no stuff maps.
    spec = paper_grid.cells[0].spec
    htc = replace(spec, architecture="htc_R50_FPN", semantic_branch=True)
    prepare_data([replace(htc, semantic_branch=False)], runs.checked, SMALL)
    with pytest.raises(DataError, match=r"train2014: 3 of 3 stuff maps are missing"):
        prepare_data([spec, htc], runs.checked, SMALL)


def test_to_look_at_the_data_of_drawn_shapes_draws_nothing(grid, runs, tmp_path):
    spec = replace(grid.cells[0].spec, data_dir=str(tmp_path / "shapes"))
    assert list(examine_data([spec], runs.checked)) == []
    assert not (tmp_path / "shapes").exists()
