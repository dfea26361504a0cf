"""Signals that ask a process to end, as an exception: so that it ends in order."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

ENDING = (signal.SIGTERM, signal.SIGHUP)  # the second: its terminal was closed


@contextmanager
def signals_end_in_order() -> Iterator[None]:
    """Turn the first SIGTERM or SIGHUP in the block into `SystemExit`; later ones are ignored."""

    def stop(signum: int, frame: FrameType | None) -> None:
        for number in heard:
            signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + signum)

    # Under nohup SIGHUP is ignored, and stays so.
    heard = [
        number
        for number in ENDING
        if number == signal.SIGTERM or signal.getsignal(number) is not signal.SIG_IGN
    ]
    before = {number: signal.signal(number, stop) for number in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
