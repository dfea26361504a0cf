"""Signals that ask a process to end, as an exception: so that it ends in order."""

import signal
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType

from harness import stop
from harness.lease import LEASE_LOST

ENDING = (signal.SIGTERM, signal.SIGHUP, LEASE_LOST)  # the second: its terminal was closed

Handler = Callable[[int, FrameType | None], None]


@contextmanager
def signals_end_in_order() -> Iterator[None]:
    """Turn the first signal of `ENDING` in the block into `SystemExit`; later ones are ignored."""
    # Under nohup SIGHUP is ignored, and stays so.
    heard = [
        number
        for number in ENDING
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN
    ]
    with _handled(dict.fromkeys(heard, _end_once(heard))):
        yield


@contextmanager
def signals_stop_training() -> Iterator[None]:
    """Turn a signal of `harness.stop.SIGNALS` in the block into a stop with a checkpoint.

    A lost lease still ends the process at once, and without a checkpoint.
    """
    end = _end_once((*stop.SIGNALS, LEASE_LOST))
    with _handled(dict.fromkeys(stop.SIGNALS, _request_stop) | {LEASE_LOST: end}):
        yield


def _request_stop(signum: int, frame: FrameType | None) -> None:
    stop.request()


def _end_once(numbers: Iterable[signal.Signals]) -> Handler:
    def end(signum: int, frame: FrameType | None) -> None:
        for number in numbers:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + signum)

    return end


@contextmanager
def _handled(handlers: Mapping[signal.Signals, Handler]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
