"""How long iterations take: what is counted, from what they start, and that nothing is left."""

from dataclasses import replace

import pytest

from harness.detection import laps
from harness.detection.throughput import WARM_UP, measure, spread
from harness.detection.train import train
from harness.errors import DataError
from harness.grid import Setting, base_of, finetune
from harness.grid.losses import NO_LOSS
from harness.paths import RunsFolder

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return RunsFolder(tmp_path_factory.mktemp("runs"))


@pytest.fixture(scope="module")
def told() -> list[str]:
    return []


@pytest.fixture(scope="module")
def measured(tiny, runs, told):
    return measure(tiny(), runs, 3, told.append)


def test_a_spread_is_median_quartiles_and_mean():
    # Of 1, 2, 3, 4, 10: a quarter of the way from the first to the last stands 2, then 3, then 4.
    found = spread([10.0, 1.0, 3.0, 2.0, 4.0])
    assert (found.number, found.low, found.median, found.high) == (5, 2.0, 3.0, 4.0)
    assert found.mean == 4.0


def test_parts_add_up_to_their_iteration(measured):
    parts = sum(part.mean for part in measured.parts.values())
    assert parts == pytest.approx(measured.parts_iteration.mean, rel=0.05)
    assert list(measured.parts) == [name for name in laps.PARTS if name in measured.parts]
    assert {laps.DATA, laps.BACKBONE, laps.MASK, laps.TERM, laps.BACKWARD} <= set(measured.parts)
    assert laps.WAIT not in measured.parts  # there is no other process


def test_waiting_for_data_is_within_the_iteration(measured):
    assert 0 < measured.data_wait.mean < measured.iteration.mean


def test_it_is_told_what_is_measured(measured, told):
    assert told == [
        f"{WARM_UP} iterations warm-up ...",
        "3 iterations undisturbed ...",
        "3 iterations by part ...",
    ]
    assert (measured.iteration.number, measured.parts_iteration.number) == (3, 3)
    assert measured.exchange is None
    assert measured.mask_rois > 0
    assert measured.peak_memory_gb > 0.1  # torch alone takes more


def test_without_a_trained_base_it_starts_as_that_would(measured, runs):
    assert measured.started_from == "random weights"
    assert list(runs.folder.iterdir()) == []  # and leaves nothing


def test_from_a_trained_base_it_goes_on_and_changes_nothing(tiny, tmp_path):
    runs, spec = RunsFolder(tmp_path), tiny()
    base = base_of(spec)
    train(base, runs.run(base.run_id), runs)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    found = measure(spec, runs, 2, lambda text: None)  # more iterations than the run has
    assert found.started_from == "a checkpoint after 6 iterations"
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_at_paper_scale_it_starts_from_imagenet_weights_or_not_at_all(
    shapes, runs, tmp_path, monkeypatch
):
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    spec = replace(
        finetune(Setting(data_dir=shapes), "mask_rcnn_R50_FPN", NO_LOSS),
        num_gpus=1,
        total_batch_size=1,
    )
    with pytest.raises(DataError, match=r"ImageNet weights: .*R-50\.safetensors is missing"):
        measure(spec, runs, 2, lambda text: None)
