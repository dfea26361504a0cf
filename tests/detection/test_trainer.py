import json

import pytest
import torch
from detectron2.engine.hooks import PeriodicWriter
from detectron2.utils.events import EventStorage
from torch.amp import GradScaler

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


def trainer_of(model, lr=0.0, **precision):
    optimizer = torch.optim.SGD(model.parameters(), lr=lr)
    return Trainer(model, [[{}]] * 40, optimizer, "3f9c1ab2", **precision)


def test_finite_terms_whose_sum_is_not_are_told_as_the_total(tmp_path):
    # A float32 ends at 3.4e38.
    with pytest.raises(TrainingError, match=r"^total_loss became inf at iteration 1 of run 3f9c"):
        trainer_of(Terms(2e38)).train(0, 1)


def test_proposals_that_are_not_finite_are_told_as_such():
    error = FloatingPointError("Predicted boxes or scores contain Inf/NaN. Training has diverged.")
    with pytest.raises(TrainingError, match=r"^the box proposals became infinite or nan at iter"):
        trainer_of(Terms(error=error)).train(0, 1)


def test_gradients_are_not_clipped_however_large():
    # Two terms of 1e6 w: a gradient of 2e6, so at a rate of 0.5 one step takes w from 1 to 1 - 1e6.
    model = Terms(1e6)
    trainer_of(model, lr=0.5).train(0, 1)
    assert model.weight.item() == 1 - 1e6


def test_a_step_whose_scaled_gradient_is_infinite_is_left_out_and_the_run_goes_on():
    # A gradient of 2e36. A float32 ends at 3.4e38, so it bears a factor of up to 170: of 65,536
    # halved again and again the first is 128, the ninth. Nine steps are left out, the tenth is
    # taken: w = 1 - 1e-37 x 2e36 = 0.8.
    model, scaler = Terms(1e36), GradScaler("cpu")
    trainer = trainer_of(model, lr=1e-37, scaler=scaler)
    trainer.train(0, 9)
    assert (model.weight.item(), scaler.get_scale()) == (1.0, 128)
    trainer.train(9, 10)
    assert model.weight.item() == pytest.approx(0.8)


def test_an_infinite_loss_ends_a_scaled_run_like_any_other():
    with pytest.raises(TrainingError, match="loss_cls became inf at iteration 1 of run 3f9c1ab2"):
        trainer_of(Terms(float("inf")), scaler=GradScaler("cpu")).train(0, 1)


def test_gradients_that_stay_infinite_at_any_factor_end_the_run():
    # The root of 0 is finite, its slope is not. 65,536 is below 1e-4 when halved 30 times: 6.1e-5.
    class Steep(Terms):
        def forward(self, data):
            return {"loss_cls": (self.weight - 1).sqrt()}

    trainer = trainer_of(Steep(), scaler=GradScaler("cpu"))
    with pytest.raises(TrainingError, match="the gradients became infinite or nan at iteration 30"):
        trainer.train(0, 40)


def test_the_forward_pass_alone_is_in_autocast():
    seen = []

    class Net(torch.nn.Linear):
        def forward(self, data):
            x = super().forward(torch.ones(1, 2))
            seen.append(x.dtype)
            return {"loss_cls": x.float().sum()}

    model = Net(2, 1)
    trainer_of(model, autocast=torch.autocast("cpu", torch.bfloat16)).train(0, 2)
    assert seen == [torch.bfloat16, torch.bfloat16]  # of both iterations
    assert model.weight.grad.dtype == torch.float32
    assert not torch.is_autocast_enabled("cpu")


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
