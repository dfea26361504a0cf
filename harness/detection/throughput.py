"""How long an iteration of a run takes, and which parts of it; trains it and keeps nothing."""

import resource
import statistics
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace
from enum import Enum

import numpy as np
import torch
from detectron2.engine import HookBase
from detectron2.utils import comm

from harness.detection.device import pin_device
from harness.detection.laps import PARTS, Laps, hooked, timed
from harness.detection.logs import hide_told_errors
from harness.detection.processes import gathered, together
from harness.detection.train import Prepared, make_trainer, prepare, start_from, step_hooks
from harness.grid.benchmarks import Measured, Spread
from harness.grid.spec import RunSpec, base_of
from harness.grid.state import is_trained
from harness.paths import RunsFolder

WARM_UP = 10
MOST_BY_PART = 50
MOST_PAIRS = 20
MASK_ROIS = "roi_head/num_fg_samples"  # as detectron2 tells it: mean over the images of a process


class Kind(Enum):
    """What is done with an iteration."""

    WARM_UP = "warm-up"
    UNDISTURBED = "undisturbed"
    BY_PART = "by part"
    EXCHANGING = "with gradients exchanged"
    ALONE = "without"


def measure(
    spec: RunSpec, runs: RunsFolder, iterations: int, tell: Callable[[str], None]
) -> Measured:
    """Train `spec` for some iterations, as `train` would, and say how long they took.

    Each process of the run calls it (`harness.detection.processes.process_group`). Nothing is
    written. Batches, learning rate and random numbers are those of the training; its log and its
    checkpoints are left out.

    Args:
        spec: the run.
        runs: where its folder and its base's lie, if they are there.
        iterations: how many to measure undisturbed, at least 2.
        tell: hears of each kind of iterations as it begins, in the process of rank 0.

    Raises:
        HarnessError: what would stop the training.
    """
    device = pin_device()
    kinds = _kinds(iterations)
    with together():
        ready = prepare(spec, device)
        start, started_from = _start(spec, runs, ready)
        # Near its end, a run has fewer batches left than are needed here: then from the first on.
        order = np.take(ready.order, range(start + len(kinds)), axis=0, mode="wrap")
        ready = replace(ready, order=order)
    hide_told_errors()
    laps = Laps(torch.cuda.synchronize if device == "cuda" else _nothing)
    trainer = make_trainer(spec, ready, start)
    trainer.data_loader = timed(trainer.data_loader, laps)
    watch = Watch(kinds, ready, laps, tell if comm.is_main_process() else _nothing)
    trainer.register_hooks([watch, *step_hooks(spec, ready)])
    trainer.train(start, start + len(kinds))
    watch.end()
    pairs = zip(watch.seconds[Kind.EXCHANGING], watch.seconds[Kind.ALONE], strict=True)
    exchange = [together_s - alone_s for together_s, alone_s in pairs]
    return Measured(
        started_from=started_from,
        iteration=spread(watch.seconds[Kind.UNDISTURBED]),
        data_wait=spread(watch.data_wait),
        parts=_spreads(watch.parts),
        parts_iteration=spread(watch.seconds[Kind.BY_PART]),
        exchange=spread(exchange) if exchange else None,
        mask_rois=statistics.mean(watch.mask_rois) if watch.mask_rois else None,
        peak_memory_gb=gathered(torch.tensor([_peak_memory_gb()])).max().item(),
    )


class Watch(HookBase):
    """Times each iteration, from its begin to that of the next, in the way of its kind.

    To be registered before other hooks, whose time then counts as well.
    """

    def __init__(
        self, kinds: Sequence[Kind], ready: Prepared, laps: Laps, tell: Callable[[str], None]
    ) -> None:
        self.kinds, self.ready, self.laps, self.tell = kinds, ready, laps, tell
        self.seconds: dict[Kind, list[float]] = {kind: [] for kind in Kind}
        self.parts: list[Mapping[str, float]] = []
        self.data_wait: list[float] = []
        self.mask_rois: list[float] = []
        self._kind: Kind | None = None
        self._way = ExitStack()
        self._since = 0.0

    def before_step(self) -> None:
        kind = self.kinds[self.trainer.iter - self.trainer.start_iter]
        self.end(next_kind=kind)
        if kind is not self._kind:
            self._announce(kind)
        self._kind = kind
        self._way.enter_context(self._ways(kind))
        self._since = time.perf_counter()

    def after_backward(self) -> None:
        self.laps.leave()

    def end(self, next_kind: Kind | None = None) -> None:
        """Count the iteration that lies behind, if one does; one of `next_kind` follows."""
        kind = self._kind
        if kind is None:
            return
        # The device is not waited for between undisturbed iterations, so that they overlap as they
        # do in a training; but for the last one.
        if kind is not next_kind or kind is Kind.BY_PART:
            self.laps.wait()
        self.seconds[kind].append(time.perf_counter() - self._since)
        self._way.close()
        if kind is Kind.UNDISTURBED:
            self.data_wait.append(self.trainer.storage.history("data_time").latest())
            if told := self._mask_rois():
                self.mask_rois.append(sum(told))

    def _mask_rois(self) -> list[float]:
        """Those that detectron2 has told last: of the one mask head, or of each stage's."""
        return [
            history.latest()
            for name, history in self.trainer.storage.histories().items()
            if name == MASK_ROIS or name.endswith(f"/mask/{MASK_ROIS}")
        ]

    def _announce(self, kind: Kind) -> None:
        if kind is Kind.ALONE or (kind is Kind.EXCHANGING and self._kind is Kind.ALONE):
            return
        number = self.kinds.count(kind)
        also = f", and as many {Kind.ALONE.value}" if kind is Kind.EXCHANGING else ""
        self.tell(f"{number} iterations {kind.value}{also} ...")

    def _ways(self, kind: Kind) -> AbstractContextManager[None]:
        if kind is Kind.BY_PART:
            return self._by_part()
        if kind in (Kind.EXCHANGING, Kind.ALONE):
            return self._exchanging(kind is Kind.EXCHANGING)
        return nullcontext()

    @contextmanager
    def _by_part(self) -> Iterator[None]:
        with hooked(self.ready.model, self.ready.optimizer, self.laps):
            self.laps.begin()
            yield
            self.parts.append(self.laps.end())

    @contextmanager
    def _exchanging(self, exchanging: bool) -> Iterator[None]:
        # What is not exchanged must not move the weights of the processes apart.
        for group in self.ready.optimizer.param_groups:
            group["lr"] = 0.0
        with nullcontext() if exchanging else self.trainer.model.no_sync():
            yield


def spread(values: Sequence[float]) -> Spread:
    """Median, quartiles and mean of at least two values."""
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Spread(
        number=len(values), median=median, low=low, high=high, mean=statistics.fmean(values)
    )


def _kinds(iterations: int) -> list[Kind]:
    pairs = min(iterations, MOST_PAIRS) if comm.get_world_size() > 1 else 0
    return [
        *[Kind.WARM_UP] * WARM_UP,
        *[Kind.UNDISTURBED] * iterations,
        *[Kind.BY_PART] * min(iterations, MOST_BY_PART),
        *[Kind.EXCHANGING, Kind.ALONE] * pairs,
    ]


def _start(spec: RunSpec, runs: RunsFolder, ready: Prepared) -> tuple[int, str]:
    """Load what the run starts from, or else what its base does; iterations done, and in words."""
    base, own = base_of(spec), runs.run(spec.run_id)
    if (
        base is not None
        and not own.newest_iteration()
        and not is_trained(base, runs.run(base.run_id))
    ):
        spec = base
    start = start_from(spec, runs.run(spec.run_id), runs, ready)
    if start:
        return start, f"a checkpoint after {start:,} iterations"
    return 0, "ImageNet weights" if spec.scale == "paper" else "random weights"


def _spreads(parts: Sequence[Mapping[str, float]]) -> dict[str, Spread]:
    entered = {name for seconds in parts for name in seconds}
    return {
        name: spread([seconds.get(name, 0.0) for seconds in parts])
        for name in PARTS
        if name in entered
    }


def _peak_memory_gb() -> float:
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e9


def _nothing(*_: object) -> None:
    pass
