"""detectron2's training loop, seeded anew in each iteration and stopped by what is not finite."""

from collections.abc import Mapping

import torch
from detectron2.engine import HookBase, SimpleTrainer

from harness.detection.checkpoints import Stateful, save_checkpoint
from harness.detection.logs import MetricsLog
from harness.detection.seeding import seed_generators
from harness.errors import TrainingError
from harness.grid.spec import RunSpec
from harness.paths import RunPaths


class Trainer(SimpleTrainer):
    """The difference: what is not finite stops the run by name, before it reaches the weights."""

    def __init__(self, model, data_loader, optimizer, run_id: str) -> None:
        super().__init__(model, data_loader, optimizer)
        self.run_id = run_id

    def run_step(self) -> None:
        try:
            super().run_step()
        except FloatingPointError as error:  # detectron2's own look at the proposals
            raise diverged(
                "the box proposals", "infinite or nan", self.iter, self.run_id
            ) from error

    def _write_metrics(self, loss_dict, data_time, prefix="", iter=None) -> None:
        for name, value in loss_dict.items():
            if not torch.isfinite(value):
                raise diverged(name, str(value.item()), self.iter, self.run_id)
        # Finite terms can add up to more than a float32 holds; detectron2 adds them up as float64.
        total = sum(loss_dict.values())
        if not torch.isfinite(total):
            raise diverged("total_loss", str(total.item()), self.iter, self.run_id)
        super()._write_metrics(loss_dict, data_time, prefix, iter)


def diverged(what: str, value: str, iteration: int, run_id: str) -> TrainingError:
    """The error for a number that is not finite in `iteration`, counted from 0."""
    return TrainingError(
        f"{what} became {value} at iteration {iteration + 1} of run {run_id}. What was "
        "saved before that is kept. Another base_lr or warm-up makes another run."
    )


class SeedStep(HookBase):
    """RoI sampling draws from torch's global generator: each iteration starts it anew."""

    def __init__(self, seed: int):
        self.seed = seed

    def before_step(self) -> None:
        seed_generators(self.seed, "model", self.trainer.iter)


class SaveCheckpoint(HookBase):
    """Every `checkpoint_every` iterations and after the last."""

    def __init__(
        self,
        spec: RunSpec,
        paths: RunPaths,
        parts: Mapping[str, Stateful],
        log: MetricsLog,
        annotations: str,
    ):
        self.spec = spec
        self.paths = paths
        self.parts = parts
        self.log = log
        self.annotations = annotations

    def after_step(self) -> None:
        done = self.trainer.iter + 1
        if done % self.spec.checkpoint_every == 0 or done == self.spec.last_iteration:
            self._refuse_broken_weights()
            self.log.sync()
            save_checkpoint(self.paths, self.spec.run_id, done, self.parts, self.annotations)

    def _refuse_broken_weights(self) -> None:
        # A finite loss can have an infinite gradient: the weights then break after the last look.
        for name, value in self.trainer.model.state_dict().items():
            if not torch.isfinite(value).all():
                raise diverged(name, "infinite or nan", self.trainer.iter, self.spec.run_id)
