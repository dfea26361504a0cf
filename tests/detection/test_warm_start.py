import os
from pathlib import Path

import pytest
import torch

from harness.detection.checkpoints import save_checkpoint
from harness.detection.warm_start import base_checkpoint
from harness.errors import WarmStartError
from harness.grid import base_of
from harness.paths import RunsFolder
from harness.records import Outcome, write_outcome

SHA256, FILE = "a1" * 32, Path("instances_train.json")


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path)


def write_base(runs, base, *, run_id=None):
    paths = runs.run(base.run_id)
    save_checkpoint(
        paths,
        run_id or base.run_id,
        base.last_iteration,
        {"model": torch.nn.Linear(1, 1)},
        SHA256,
    )
    return paths.checkpoint(base.last_iteration)


def test_a_fine_tune_finds_the_last_state_of_its_base(tiny, runs):
    base = base_of(tiny())
    write_base(runs, base)
    checkpoint = base_checkpoint(tiny(), runs, SHA256, FILE)
    assert (checkpoint["run_id"], checkpoint["iteration"]) == (base.run_id, 6)


def test_a_missing_base_is_refused_with_its_failure_and_the_way_out(tiny, runs):
    spec, base = tiny(), base_of(tiny())
    write_outcome(
        runs.run(base.run_id).attempt(1).outcome,
        Outcome(ended="failed", error="loss_rpn_cls became nan", seconds=1.0, trained_s=1.0),
    )
    with pytest.raises(WarmStartError) as refused:
        base_checkpoint(spec, runs, SHA256, FILE)
    text = str(refused.value)
    assert f"Run {spec.run_id} starts from base {base.run_id}" in text
    assert "iteration_0000006.pth is missing" in text
    assert "The base failed: loss_rpn_cls became nan" in text
    assert f"harness run {base.run_id}" in text


def test_a_base_cut_short_is_refused(tiny, runs):
    path = write_base(runs, base_of(tiny()))
    os.truncate(path, path.stat().st_size // 2)
    with pytest.raises(WarmStartError, match="cannot be read"):
        base_checkpoint(tiny(), runs, SHA256, FILE)


def test_the_checkpoint_of_another_run_in_the_bases_place_is_refused(tiny, runs):
    write_base(runs, base_of(tiny()), run_id="94303a91")
    with pytest.raises(WarmStartError, match="is of run 94303a91"):
        base_checkpoint(tiny(), runs, SHA256, FILE)


def test_an_earlier_state_of_the_base_in_the_last_ones_place_is_refused(tiny, runs):
    base = base_of(tiny())
    paths = runs.run(base.run_id)
    save_checkpoint(paths, base.run_id, 4, {"model": torch.nn.Linear(1, 1)}, SHA256)
    paths.checkpoint(4).rename(paths.checkpoint(6))
    with pytest.raises(WarmStartError, match="is of iteration 4, not 6"):
        base_checkpoint(tiny(), runs, SHA256, FILE)


def test_a_base_that_was_trained_on_other_annotations_is_refused(tiny, runs):
    base = base_of(tiny())
    write_base(runs, base)
    with pytest.raises(WarmStartError) as refused:
        base_checkpoint(tiny(), runs, "b2" * 32, FILE)
    text = str(refused.value)
    assert f"Run {tiny().run_id} starts from base {base.run_id}, but the checkpoint" in text
    assert "trained on other annotations than instances_train.json holds now" in text
    assert f"or move the folder of run {base.run_id} away" in text


def test_a_base_itself_starts_from_nothing(tiny_base, runs):
    with pytest.raises(ValueError, match="is a base"):
        base_checkpoint(tiny_base, runs, SHA256, FILE)
