import os

import pytest

from harness.data.weights import R50, write_record
from harness.errors import DataError, SpecError
from harness.grid import base_of
from harness.grid.losses import LOSS_TERMS, LossTerm
from harness.launch.ready import make_ready


@pytest.fixture
def base(paper_grid):
    spec = base_of(paper_grid.cells[0].spec)
    return {spec.run_id: spec}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """R-50, and no COCO."""
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    (tmp_path / R50.file).write_bytes(b"weights")
    write_record(R50, tmp_path, R50.sha256)
    return tmp_path


def test_missing_weights_are_told_before_anything_is_written(base, folder, runs):
    (folder / R50.file).unlink()
    with pytest.raises(DataError, match=r"R-50\.safetensors is missing\. Give `harness prepare"):
        make_ready(runs, base)
    assert not runs.folder.exists()


def test_weights_damaged_without_a_change_of_size_are_told_too(base, folder, runs):
    (folder / R50.file).write_bytes(b"weighty")
    os.utime(folder / R50.file, ns=(0, 0))
    with pytest.raises(DataError, match=r"R-50\.safetensors is damaged: its sha256 begins"):
        make_ready(runs, base)
    assert not runs.folder.exists()


def test_with_whole_weights_the_data_is_looked_at_next(base, folder, runs):
    with pytest.raises(DataError, match="coco_2014_train is not here"):
        make_ready(runs, base)


def test_a_base_that_goes_on_from_its_checkpoint_needs_no_weights(base, folder, runs):
    (folder / R50.file).unlink()
    checkpoint = runs.run(next(iter(base))).checkpoint(2500)
    checkpoint.parent.mkdir(parents=True)
    checkpoint.touch()
    with pytest.raises(DataError, match="coco_2014_train is not here"):
        make_ready(runs, base)


def test_a_loss_without_its_function_is_told_before_its_base_is_trained(
    paper_grid, folder, runs, monkeypatch
):
    monkeypatch.setitem(LOSS_TERMS, "contour", LossTerm("harness.losses:nope"))
    with pytest.raises(SpecError, match=r"harness\.losses neither defines nor imports 'nope'"):
        make_ready(runs, paper_grid.runs)
    assert not runs.folder.exists()
