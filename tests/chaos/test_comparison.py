"""The campaign must see each kind of damage: what it calls the same is the same."""

import json

import pytest
import torch

from harness.files import write_json
from harness.paths import RunsFolder
from tests.chaos.comparison import lost

RUN = "1a2b3c4d"


def make_run(folder) -> RunsFolder:
    """A run that ended well in its first attempt."""
    runs = RunsFolder(folder)
    paths = runs.run(RUN)
    write_json(paths.spec, {})
    write_json(paths.metrics, {"run_id": RUN, "ap": {"segm": {"AP": 4.5}}, "order_hash": "ab"})
    write_json(paths.results, [{"score": 0.5}])
    write_json(paths.attempt(1).outcome, {"ended": "done"})
    paths.metrics_log.write_text('{"iteration": 1}\n')
    paths.checkpoint(140).parent.mkdir()
    torch.save(
        {"state": {"weight": torch.tensor([1.0, 0.0])}, "steps": (80, 110)}, checkpoint(runs)
    )
    return runs


def checkpoint(runs):
    return runs.run(RUN).checkpoint(140)


@pytest.fixture
def reference(tmp_path):
    return make_run(tmp_path / "reference")


@pytest.fixture
def runs(tmp_path):
    return make_run(tmp_path / "runs")


def test_two_grids_that_are_the_same_have_lost_nothing(reference, runs):
    assert lost(reference, runs, [RUN]) == []


def test_an_attempt_more_is_no_loss(reference, runs):
    write_json(runs.run(RUN).attempt(2).outcome, {"ended": "done"})
    assert lost(reference, runs, [RUN]) == []


def test_a_lost_and_a_superfluous_file_are_found(reference, runs):
    paths = runs.run(RUN)
    paths.spec.rename(paths.folder / "lease")
    assert lost(reference, runs, [RUN]) == [
        f"{RUN}: spec.json is lost",
        f"{RUN}: lease is left over",
    ]


def test_temporary_files_and_locks_are_found_wherever_they_lie(reference, runs):
    for path in (
        runs.folder / "code" / ".x.json.host.1.tmp",
        runs.submit_lock,
        runs.run(RUN).attempt(1).folder / "outcome.json.reserved",
    ):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    assert lost(reference, runs, [RUN]) == [
        f"{RUN}: attempt 1 left over ['outcome.json.reserved']",
        "code/.x.json.host.1.tmp is left over",
        "submissions/lock is left over",
    ]


def test_an_attempt_without_an_outcome_is_found(reference, runs):
    runs.run(RUN).attempt(1).outcome.unlink()
    assert lost(reference, runs, [RUN]) == [f"{RUN}: attempt 1 has no outcome"]


def test_a_line_of_the_log_and_a_prediction_that_differ_are_found(reference, runs):
    runs.run(RUN).metrics_log.write_text('{"iteration": 1}\n{"iteration": 1}\n')
    write_json(runs.run(RUN).results, [{"score": 0.25}])
    assert lost(reference, runs, [RUN]) == [
        f"{RUN}: metrics.jsonl differs",
        f"{RUN}: predictions/coco_instances_results.json differs",
    ]


def test_metrics_that_differ_are_found_and_those_of_the_machine_are_not_compared(reference, runs):
    value = json.loads(runs.run(RUN).metrics.read_text())
    write_json(runs.run(RUN).metrics, value | {"order_hash": "cd", "gpu_hours": 7})
    assert lost(reference, runs, [RUN]) == [f"{RUN}: order_hash differs: 'ab' and 'cd'"]


@pytest.mark.parametrize(
    "state",
    [
        {"state": {"weight": torch.tensor([1.0, -0.0])}, "steps": (80, 110)},  # equal, not the same
        {"state": {"weight": torch.tensor([1.0, 0.0]).double()}, "steps": (80, 110)},
        {"state": {"weight": torch.tensor([1.0, 0.0])}, "steps": (80, 111)},
        {"state": {}, "steps": (80, 110)},
    ],
)
def test_a_checkpoint_that_differs_in_one_bit_is_found(reference, runs, state):
    torch.save(state, checkpoint(runs))
    assert lost(reference, runs, [RUN]) == [f"{RUN}: iteration_0000140.pth differs"]
