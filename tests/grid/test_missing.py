import json

import pytest

from harness.data.weights import R50, R101, X101, write_record
from harness.grid.missing import Missing, missing_data, missing_weights, weights_needed
from harness.grid.plan import make_plan
from harness.grid.spec import base_of
from harness.paths import RunsFolder


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder for weights, with nothing in it."""
    made = tmp_path / "weights"
    made.mkdir()
    monkeypatch.setenv("HARNESS_WEIGHTS", str(made))
    return made


@pytest.fixture
def bases(tables):
    """The id of each base by its architecture."""
    specs = {base_of(cell.spec) for cell in tables().cells}
    return {spec.architecture: spec.run_id for spec in specs}


def put(folder, weights) -> None:
    (folder / weights.file).write_bytes(b"weights")
    write_record(weights, folder, weights.sha256)


def test_bases_at_paper_scale_need_the_weights_of_their_backbones(tables, runs):
    assert set(weights_needed(tables().runs, runs)) == {R50, R101, X101}
    assert weights_needed(tables("demo").runs, runs) == ()


def test_a_fine_tune_needs_none_and_two_bases_of_one_backbone_need_one_file(tables, runs, folder):
    specs = tables().runs
    assert weights_needed({i: s for i, s in specs.items() if s.stage == "finetune"}, runs) == ()
    r50s = {
        i: s for i, s in specs.items() if s.architecture in ("mask_rcnn_R50_FPN", "htc_R50_FPN")
    }
    (missing,) = missing_weights(r50s, runs)
    assert len(missing.runs) == 2


def test_a_base_that_has_a_checkpoint_goes_on_from_that(tables, runs, bases):
    checkpoint = runs.run(bases["mask_rcnn_X101_FPN"]).checkpoint(2500)
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    assert set(weights_needed(tables().runs, runs)) == {R50, R101}


def test_a_plan_tells_what_is_missing_or_cut_short_and_the_command(tables, runs, folder, bases):
    put(folder, R50)
    put(folder, X101)
    (folder / X101.file).write_bytes(b"weigh")
    r101, x101 = bases["mask_rcnn_R101_FPN"], bases["mask_rcnn_X101_FPN"]
    get = "harness prepare --weights"
    cut = f"{folder}/X-101-32x8d.safetensors has 5 bytes, not 7: it is cut short or another's"
    planned = make_plan(tables(), runs)
    assert [one for one in planned.missing if one.what.endswith(".safetensors")] == [
        Missing("R-101.safetensors", f"{folder}/R-101.safetensors is missing", (r101,), get),
        Missing("X-101-32x8d.safetensors", cut, (x101,), get),
    ]
    assert json.loads(json.dumps(planned.to_json()))["missing"][-2] == {
        "what": "R-101.safetensors",
        "found": f"{folder}/R-101.safetensors is missing",
        "runs": [r101],
        "command": get,
    }


def test_splits_whose_files_are_not_there_are_told_with_the_runs_that_need_them(
    tables, tmp_path, monkeypatch
):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    for name in ("annotations/instances_train2014.json", "annotations/instances_val2017.json"):
        path = tmp_path / "coco" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    for name in ("train2014", "val2017"):
        (tmp_path / "coco" / name).mkdir()
    # val2017 serves minival, too. HTC's base and two fine-tunes need train2017.
    missing, maps = missing_data(tables().runs)
    assert (maps.what, maps.found) == (
        "stuff maps of coco_2017_train",
        f"{tmp_path}/coco/stuffthingmaps/train2017 is missing",
    )
    assert maps.runs == missing.runs
    assert (missing.what, len(missing.runs)) == ("coco_2017_train", 3)
    assert missing.found == (
        f"coco_2017_train is not here: {tmp_path}/coco/annotations/instances_train2017.json and "
        f"{tmp_path}/coco/train2017 are missing"
    )
    assert missing_data(tables("demo").runs) == ()
