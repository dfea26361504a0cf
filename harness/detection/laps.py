"""Time divided among the parts of an iteration: by hooks on the model's own children.

Each moment counts for the innermost part that is entered, so that parts add up to the whole.
"""

import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, TypeVar

from detectron2.utils import comm
from torch import Tensor, nn
from torch.optim import Optimizer

DATA = "waiting for data"
BACKBONE = "backbone"
PROPOSALS = "box proposals"
BOX = "box heads"
MASK = "mask heads"
LOSSES = "losses of boxes and classes"  # detectron2 has the mask loss within the head's forward
TERM = "contour term"
SEMANTIC = "semantic branch"
ROI = "rest of the RoI heads"
FORWARD = "rest of the forward"
WAIT = "waiting for other processes"
BACKWARD = "backward"
OPTIMIZER = "optimizer"
REST = "everything else"
# In the order of an iteration.
PARTS = (
    DATA,
    BACKBONE,
    PROPOSALS,
    BOX,
    MASK,
    SEMANTIC,
    LOSSES,
    TERM,
    ROI,
    FORWARD,
    WAIT,
    BACKWARD,
    OPTIMIZER,
    REST,
)

WHOLE = {"": FORWARD, "backbone": BACKBONE, "proposal_generator": PROPOSALS, "roi_heads": ROI}
LOSS_METHODS = {PROPOSALS: "losses", BOX: "losses", SEMANTIC: "loss"}
IN_ROI_HEADS = {"box": BOX, "mask": MASK, "semantic": SEMANTIC}  # by the begin of a child's name

Item = TypeVar("Item")


class Laps:
    """A watch for one iteration at a time; does nothing between `end` and the next `begin`.

    Args:
        wait: called at each border between two parts: returns once the device has done its work.
    """

    def __init__(self, wait: Callable[[], None]) -> None:
        self.wait = wait
        self.seconds: dict[str, float] = {}
        self._open: list[str] = []
        self._since = 0.0

    def begin(self) -> None:
        """Count from now on, for `REST` where no part is entered."""
        self.wait()
        self.seconds, self._open = {}, [REST]
        self._since = time.perf_counter()

    def end(self) -> dict[str, float]:
        """Seconds of each part that was entered since `begin`."""
        self._count()
        self._open = []
        return self.seconds

    def enter(self, part: str) -> None:
        """Count for `part` until it is left."""
        if not self._open:
            return
        if part != self._open[-1]:
            self._count()
        self._open.append(part)

    def leave(self) -> None:
        """Count for what the part that was entered last lies in."""
        if len(self._open) < 2:
            return
        if self._open[-1] != self._open[-2]:
            self._count()
        self._open.pop()

    @property
    def inside(self) -> str | None:
        """The innermost part."""
        return self._open[-1] if self._open else None

    def _count(self) -> None:
        self.wait()
        now = time.perf_counter()
        part = self._open[-1]
        self.seconds[part] = self.seconds.get(part, 0.0) + now - self._since
        self._since = now


def timed(batches: Iterable[Item], laps: Laps) -> Iterator[Item]:
    """`batches`, with the time that each takes to come as a part."""
    coming = iter(batches)
    while True:
        laps.enter(DATA)
        try:
            batch = next(coming)
        except StopIteration:
            return
        finally:
            laps.leave()
        yield batch


def part_of(name: str) -> str | None:
    """The part that the module of this qualified name begins; None for one that begins none.

    Below `roi_heads` each module is told by how its child of them is named, at any depth: heads
    may be called whole or by their layers, and may stand in lists, one for each stage of a cascade.
    """
    if name in WHOLE:
        return WHOLE[name]
    first, _, rest = name.partition(".")
    if first != "roi_heads":
        return None
    return IN_ROI_HEADS.get(rest.partition("_")[0])


@contextmanager
def hooked(model: nn.Module, optimizer: Optimizer, laps: Laps) -> Iterator[None]:
    """Tell `laps`, in the block, of each part of the forward, the backward and the optimizer.

    The backward is to be left by whoever knows that it has ended (`HookBase.after_backward`).

    Args:
        model: a detector, not wrapped.
        optimizer: of its weights.
        laps: the watch.
    """
    with ExitStack() as undo:
        for name, module in model.named_modules():
            part = part_of(name)
            if part is not None:
                undo.callback(module.register_forward_pre_hook(_entering(laps, part)).remove)
                undo.callback(module.register_forward_hook(lambda *_: laps.leave()).remove)
            method = LOSS_METHODS.get(str(part), "")
            if method and callable(losses := getattr(module, method, None)):
                undo.callback(delattr, module, method)  # the class has it
                setattr(module, method, _within(laps, LOSSES, losses))
            if callable(term := getattr(module, "term", None)):
                undo.callback(setattr, module, "term", term)
                module.term = _within(laps, TERM, term)
        undo.callback(model.register_forward_hook(_watch_for_backward(laps)).remove)
        undo.callback(optimizer.register_step_pre_hook(_entering(laps, OPTIMIZER)).remove)
        undo.callback(optimizer.register_step_post_hook(lambda *_: laps.leave()).remove)
        yield


def _entering(laps: Laps, part: str) -> Callable[..., None]:
    return lambda *_: laps.enter(part)


def _within(laps: Laps, part: str, work: Callable[..., Any]) -> Callable[..., Any]:
    def watched(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 (whatever `work` returns)
        laps.enter(part)
        try:
            return work(*args, **kwargs)
        finally:
            laps.leave()

    return watched


def _watch_for_backward(laps: Laps) -> Callable[[nn.Module, Any, dict[str, Tensor]], None]:
    """A hook of the model, called after its forward: the first gradient of a loss is the begin."""
    waiting = WAIT if comm.get_world_size() > 1 else REST

    def begun(gradient: Tensor) -> None:
        if laps.inside == waiting:
            laps.leave()
            laps.enter(BACKWARD)

    def watch(model: nn.Module, inputs: object, losses: dict[str, Tensor]) -> None:
        laps.enter(waiting)
        for loss in losses.values():
            if loss.requires_grad:
                loss.register_hook(begun)

    return watch
