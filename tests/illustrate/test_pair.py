"""Two runs are compared where their predictions and images are, and refused by name elsewhere."""

import hashlib
from dataclasses import replace

import pytest

from harness.errors import DataError, HarnessError, ResultsError, SpecError
from harness.grid.spec import base_of
from harness.illustrate.pair import read_pair
from harness.records import EXTENDED_METRICS
from harness.replicates import REPLICATED_TASKS, Replicates, write_replicates
from tests.illustrate.two_runs import TwoRuns

NAMES = ("one", "other")


@pytest.fixture
def two(tmp_path):
    return TwoRuns(tmp_path)


def read(two, one=None, other=None):
    specs = one or two.spec("baseline"), other or two.spec("k=2")
    return read_pair(*specs, NAMES, two.place.runs)


def test_what_became_of_each_object_is_told_by_image(two):
    # 16 and 18 of 20 columns are IoUs of 80 and 90.
    pair = read(two)
    ious = {one.image_id: one.objects[0].mask_iou for one in pair.images}
    assert ious == {1: (100, 100), 2: (80, 90), 3: (0, 100)}
    assert pair.images[0].objects[0].category == "cat"


def test_runs_of_two_seeds_are_compared(two):
    two.predict("k=2", [], seed=1)
    assert read(two, other=two.spec("k=2", seed=1)).results[1] == []


def test_a_run_is_not_compared_with_itself(two):
    with pytest.raises(HarnessError, match=r"is named twice. Name two different runs"):
        read(two, other=two.spec("baseline"))


def test_a_base_has_no_predictions(two):
    with pytest.raises(SpecError, match=r"is a base, which predicts nothing. Name two fine-tunes"):
        read(two, one=base_of(two.spec("baseline")))


def test_runs_of_other_test_images_are_refused(two):
    other = replace(two.spec("k=2"), test_hash="c" * 64)
    message = "were tested on other images: own_val .* and own_val cccccccccc. Name two runs that"
    with pytest.raises(HarnessError, match=message):
        read(two, other=other)


def test_a_run_that_is_not_scored_is_told_with_the_command_that_scores_it(two):
    two.paths("k=2").metrics.unlink()
    run_id = two.spec("k=2").run_id
    message = f"Run {run_id} is not scored: .*metrics.json is missing. Next: `harness run {run_id} "
    with pytest.raises(ResultsError, match=message):
        read(two)


def test_missing_predictions_are_told_with_the_way_to_make_them_again(two):
    two.paths("baseline").results.unlink()
    message = "are missing: .*results.json. Next: delete .*metrics.json and give `harness run "
    with pytest.raises(ResultsError, match=message):
        read(two)


def test_predictions_cut_short_are_told_with_the_way_to_make_them_again(two):
    path = two.paths("baseline").results
    path.write_text(path.read_text()[:-20])
    message = "results.json: not valid JSON, perhaps cut short .* Next: delete .*metrics.json, then"
    with pytest.raises(ResultsError, match=message):
        read(two)


def test_annotations_that_have_changed_since_are_refused(two):
    specs = two.spec("baseline"), two.spec("k=2")
    two.category = "dog"
    two.write_data()
    with pytest.raises(
        DataError, match=r"is not what run .* was scored on: its sha256 begins with"
    ):
        read(two, *specs)


def test_drawn_shapes_that_are_gone_are_told_with_the_command_that_draws_them(two):
    gone = {"test_split": "shapes_val", "test_hash": None, "data_dir": "/no/shapes"}
    specs = [replace(two.spec(row), **gone) for row in ("baseline", "k=2")]
    for spec, row in zip(specs, ("baseline", "k=2"), strict=True):
        two.paths(row).folder.rename(two.runs / spec.run_id)
    with pytest.raises(DataError, match=r"shapes are not whole in /no/shapes. Next: `harness run "):
        read(two, *specs)


def test_predictions_that_are_not_those_scored_are_refused(two):
    paths = two.place.runs.run(two.spec("k=2").run_id)
    drawn = dict.fromkeys(EXTENDED_METRICS, (20.0,))
    replicates = Replicates(
        run_id=paths.folder.name,
        annotations="a" * 64,
        results=hashlib.sha256(paths.results.read_bytes()).hexdigest(),
        drawn="d" * 64,
        evaluator="harness 0.1.0",
        ap=dict.fromkeys(REPLICATED_TASKS, dict.fromkeys(EXTENDED_METRICS, 20.0)),
        draws=dict.fromkeys(REPLICATED_TASKS, drawn),
    )
    write_replicates(paths.replicates, replicates)
    assert len(read(two).images) == 3
    paths.results.write_text("[]")
    with pytest.raises(ResultsError, match=r"is not what run \w+ was scored on\. Next: delete"):
        read(two)
