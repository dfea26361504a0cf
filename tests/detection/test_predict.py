import json
import shutil
from dataclasses import replace

import pytest
import torch

from harness.data.annotations import annotations_hash
from harness.detection.checkpoints import save_checkpoint
from harness.detection.models import build_model
from harness.detection.predict import predict
from harness.errors import CheckpointError, DataError
from harness.paths import RunsFolder


def rewrite(file, change):
    content = json.loads(file.read_text())
    change(content)
    file.write_text(json.dumps(content))


def shift(content):
    """The same objects under category ids 10 higher."""
    for category in content["categories"]:
        category["id"] += 10
    for annotation in content["annotations"]:
        annotation["category_id"] += 10


@pytest.fixture
def own_data(shapes, tmp_path):
    return shutil.copytree(shapes, tmp_path / "own")


@pytest.fixture
def files(own_data):
    return [own_data / f"annotations/instances_{name}.json" for name in ("train", "val")]


@pytest.fixture
def spec(tiny, own_data):
    return replace(tiny(), data_dir=str(own_data))


@pytest.fixture
def untrained(spec, files, tmp_path):
    """A function that writes the final checkpoint of `spec` with weights that know nothing."""

    def write():
        paths = RunsFolder(tmp_path).run(spec.run_id)
        classes = len(json.loads(files[0].read_text())["categories"])
        torch.manual_seed(0)
        model = build_model(spec, classes)
        digest = annotations_hash(files[0])
        save_checkpoint(paths, spec.run_id, spec.last_iteration, {"model": model}, digest)
        return paths

    return write


def test_results_carry_the_category_ids_of_the_annotations(spec, files, untrained):
    for file in files:
        rewrite(file, shift)
    paths = untrained()
    predict(spec, paths)
    found = {result["category_id"] for result in json.loads(paths.results.read_text())}
    ids = {category["id"] for category in json.loads(files[0].read_text())["categories"]}
    assert min(ids) == 11
    assert found
    assert found <= ids


def drop_last(content):
    last = content["categories"].pop()["id"]
    content["annotations"] = [a for a in content["annotations"] if a["category_id"] != last]


@pytest.mark.parametrize("change", [shift, drop_last])
def test_a_test_split_with_other_categories_than_were_trained_on_is_refused(
    spec, files, untrained, change
):
    rewrite(files[1], change)
    paths = untrained()
    with pytest.raises(DataError, match=r"The categories of .*train\.json and .*val\.json differ"):
        predict(spec, paths)
    assert not paths.results.exists()


def test_a_missing_test_image_is_named(spec, own_data, untrained):
    (own_data / "val" / "000002.png").unlink()
    with pytest.raises(DataError, match=r"val/000002\.png cannot be read .* Copy it again"):
        predict(spec, untrained())


def test_annotations_edited_between_training_and_prediction_are_refused(spec, files, untrained):
    paths = untrained()
    rewrite(files[0], lambda content: content["annotations"].pop())
    with pytest.raises(CheckpointError, match="was trained on other annotations than"):
        predict(spec, paths)


def test_own_test_annotations_edited_after_the_run_was_asked_for_are_refused(spec, files):
    own = replace(spec, test_split="own_val", test_hash="a1" * 32)
    with pytest.raises(DataError, match=r"instances_val\.json has changed since this run was"):
        predict(own, paths=None)
