import json

import pytest
import torch
from detectron2.engine.hooks import PeriodicWriter
from detectron2.utils.events import EventStorage

from harness.detection.logs import MetricsLog
from harness.detection.trainer import Trainer
from harness.errors import TrainingError


class Terms(torch.nn.Module):
    """Two loss terms, each `value`; or an error of the proposals'."""

    def __init__(self, value=0.0, error=None):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.ones(()))
        self.value = value
        self.error = error

    def forward(self, data):
        if self.error:
            raise self.error
        return {"loss_cls": self.weight * self.value, "loss_mask": self.weight * self.value}


def trainer_of(model):
    return Trainer(model, [[{}]] * 30, torch.optim.SGD(model.parameters(), lr=0.0), "3f9c1ab2")


def test_finite_terms_whose_sum_is_not_are_told_as_the_total(tmp_path):
    # A float32 ends at 3.4e38.
    with pytest.raises(TrainingError, match=r"^total_loss became inf at iteration 1 of run 3f9c"):
        trainer_of(Terms(2e38)).train(0, 1)


def test_proposals_that_are_not_finite_are_told_as_such():
    error = FloatingPointError("Predicted boxes or scores contain Inf/NaN. Training has diverged.")
    with pytest.raises(TrainingError, match=r"^the box proposals became infinite or nan at iter"):
        trainer_of(Terms(error=error)).train(0, 1)


def written(file):
    return [json.loads(line)["iteration"] for line in file.read_text().splitlines()]


@pytest.mark.parametrize(
    ("iterations", "lines"),
    # Every 5th of 12 iterations is logged, and the last. Stopped after 7, only the 5th is.
    [(7, [5]), (10, [5, 10]), (12, [5, 10, 12])],
)
def test_an_interrupted_training_leaves_no_line_that_an_undisturbed_one_has_not(
    tmp_path, iterations, lines
):
    file = tmp_path / "metrics.jsonl"
    writer = PeriodicWriter([MetricsLog(file, log_every=5, last_iteration=12)], period=5)
    with EventStorage(0) as storage:
        for iteration in range(iterations):
            storage.iter = iteration
            storage.put_scalars(total_loss=1.0, lr=0.1)
            writer.trainer = type("At", (), {"iter": iteration, "max_iter": 12})
            writer.after_step()
        writer.after_train()
    assert written(file) == lines
