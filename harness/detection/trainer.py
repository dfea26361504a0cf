"""detectron2's training loop, seeded anew in each iteration and stopped by what is not finite."""

import math
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import cast

import torch
from detectron2.engine import HookBase, SimpleTrainer
from torch.amp import GradScaler

from harness import stop
from harness.detection.checkpoints import Stateful, save_checkpoint
from harness.detection.logs import MetricsLog
from harness.detection.processes import any_of, gathered, together
from harness.detection.seeding import seed_generators
from harness.errors import TrainingError
from harness.grid.spec import RunSpec
from harness.paths import RunPaths

# Thirty steps left out in a row from torch's first factor of 65,536; fairseq ends there too.
SMALLEST_SCALE = 1e-4


class Trainer(SimpleTrainer):
    """The difference: what is not finite stops the run by name, before it reaches the weights.

    And what stops one of several processes stops all with the same error. Gradients are not
    clipped, as in the paper's code base.

    In float16 the scaler finds gradients that its own factor made infinite: it leaves out the step
    and takes a smaller factor. That is no divergence; a loss that is infinite is, and so are
    gradients that stay infinite at any factor.

    Args:
        model, data_loader, optimizer: as in detectron2.
        run_id: of the run, for what errors say.
        autocast: the context of each forward pass; None for none.
        scaler: of the loss; None for none.
    """

    def __init__(
        self,
        model,
        data_loader,
        optimizer,
        run_id: str,
        autocast: AbstractContextManager[None] | None = None,
        scaler: GradScaler | None = None,
    ) -> None:
        super().__init__(model, data_loader, optimizer)
        self.run_id = run_id
        self.autocast = autocast or nullcontext()
        self.scaler = scaler or GradScaler(enabled=False)

    def run_step(self) -> None:
        with together():
            losses, data_time = self._forward()
        self.optimizer.zero_grad()
        # On GPUs this only queues work, so that here, too, nobody waits for one that fails. On CPUs
        # it waits for all gradients itself.
        with together() if torch.cuda.is_available() else nullcontext():
            self.scaler.scale(cast(torch.Tensor, sum(losses.values()))).backward()
        self.after_backward()
        self._write_metrics(losses, data_time)
        self._step()

    def _step(self) -> None:
        # All processes have the same gradients and so the same factor: all leave out the same step.
        self.scaler.step(self.optimizer)
        self.scaler.update()
        if self.scaler.is_enabled() and self.scaler.get_scale() < SMALLEST_SCALE:
            raise diverged("the gradients", "infinite or nan", self.iter, self.run_id)

    def _forward(self) -> tuple[dict[str, torch.Tensor], float]:
        begun = time.perf_counter()
        data = next(self._data_loader_iter)
        data_time = time.perf_counter() - begun
        try:
            with self.autocast:
                return self.model(data), data_time
        except FloatingPointError as error:  # detectron2's own look at the proposals
            raise diverged(
                "the box proposals", "infinite or nan", self.iter, self.run_id
            ) from error

    def _write_metrics(self, loss_dict, data_time, prefix="", iter=None) -> None:
        """Store the mean of each loss over all processes."""
        # Finite terms can add up to more than a float32 holds; below they add up as float64.
        named = {**loss_dict, "total_loss": sum(loss_dict.values())}
        losses_N = torch.stack([loss.detach() for loss in named.values()]).double()
        told_RN = gathered(torch.cat([losses_N, losses_N.new_tensor([data_time])]))
        losses_RN, data_times_R = told_RN[:, :-1], told_RN[:, -1]
        for rank, values in enumerate(losses_RN.tolist()):
            for name, value in zip(named, values, strict=True):
                if not math.isfinite(value):
                    where = f" of rank {rank}" if len(losses_RN) > 1 else ""
                    raise diverged(f"{name}{where}", str(value), self.iter, self.run_id)
        means = dict(zip(loss_dict, losses_RN.mean(dim=0).tolist(), strict=False))
        self.storage.put_scalar("data_time", data_times_R.max().item())
        self.storage.put_scalar("total_loss", sum(means.values()))
        self.storage.put_scalars(**means)


def diverged(what: str, value: str, iteration: int, run_id: str) -> TrainingError:
    """The error for a number that is not finite in `iteration`, counted from 0."""
    return TrainingError(
        f"{what} became {value} at iteration {iteration + 1} of run {run_id}. What was "
        "saved before that is kept. Another base_lr or warm-up makes another run."
    )


class SeedStep(HookBase):
    """RoI sampling draws from torch's global generator: each iteration starts it anew."""

    def __init__(self, seed: int, rank: int = 0):
        self.seed = seed
        self.rank = rank

    def before_step(self) -> None:
        seed_generators(self.seed, "model", self.trainer.iter, self.rank)


class SaveCheckpoint(HookBase):
    """Every `checkpoint_every` iterations and after the last; in the process of rank 0 alone."""

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
        self.saved = 0

    def after_step(self) -> None:
        done = self.trainer.iter + 1
        if done % self.spec.checkpoint_every == 0 or done == self.spec.last_iteration:
            self.save()

    def save(self) -> None:
        """Save the state as it is now, if it is not saved yet. Only where the log has a line."""
        done = self.trainer.iter + 1
        if self.saved == done:
            return
        self._refuse_broken_weights()
        self.log.sync()
        save_checkpoint(self.paths, self.spec.run_id, done, self.parts, self.annotations)
        self.saved = done

    def _refuse_broken_weights(self) -> None:
        # A finite loss can have an infinite gradient: the weights then break after the last look.
        for name, value in self.parts["model"].state_dict().items():
            if not torch.isfinite(value).all():
                raise diverged(name, "infinite or nan", self.trainer.iter, self.spec.run_id)


class StopWhenAsked(HookBase):
    """Looks at each logged iteration whether any process was asked to stop; all stop then.

    At others it must not: a resumed log would have means over fewer iterations. `checkpoint` is
    None but in the process of rank 0.
    """

    def __init__(self, spec: RunSpec, checkpoint: SaveCheckpoint | None):
        self.spec = spec
        self.checkpoint = checkpoint

    def after_step(self) -> None:
        done = self.trainer.iter + 1
        # After the last iteration the training is at its end anyway.
        if done % self.spec.log_every or done == self.spec.last_iteration:
            return
        if any_of(stop.requested()):
            with together():  # nobody ends before it is saved
                if self.checkpoint is not None:
                    self.checkpoint.save()
            raise stop.Stopped(f"stopped as asked after {done} iterations")
