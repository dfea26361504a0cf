"""What `train` refuses before its first iteration."""

from dataclasses import replace

import pytest
import torch

from harness.detection.checkpoints import save_checkpoint
from harness.detection.train import train
from harness.errors import CheckpointError, DataError, LaunchError
from harness.grid import base_of
from harness.paths import RunsFolder


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path)


def test_a_run_on_several_gpus_is_refused_by_the_one_process_that_trains(tiny_base, runs):
    spec = replace(tiny_base, num_gpus=2)
    with pytest.raises(
        LaunchError, match=r"num_gpus=2, and 1 process trains here.*Slurm site.*num_gpus=1,"
    ):
        train(spec, runs.run(spec.run_id), runs)


def test_a_run_does_not_go_on_with_other_annotations_than_it_began_with(tiny_base, runs):
    paths = runs.run(tiny_base.run_id)
    save_checkpoint(paths, tiny_base.run_id, 2, {"model": torch.nn.Linear(1, 1)}, "a1" * 32)
    with pytest.raises(
        CheckpointError, match=r"at iteration 2 was trained on other annotations than .*train\.json"
    ):
        train(tiny_base, paths, runs)
    assert paths.checkpoint(2).exists()


def test_a_fine_tune_does_not_start_on_other_annotations_than_its_base(tiny, runs):
    base = base_of(tiny())
    save_checkpoint(
        runs.run(base.run_id), base.run_id, 6, {"model": torch.nn.Linear(1, 1)}, "a1" * 32
    )
    with pytest.raises(CheckpointError, match=f"starts from base {base.run_id}, but .* other anno"):
        train(tiny(), runs.run(tiny().run_id), runs)


def test_own_annotations_edited_after_the_run_was_asked_for_are_refused(tiny_base, runs):
    spec = replace(tiny_base, train_split="own_train", train_hash="a1" * 32)
    with pytest.raises(DataError, match=r"instances_train\.json has changed since this run was"):
        train(spec, runs.run(spec.run_id), runs)
