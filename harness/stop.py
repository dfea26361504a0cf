"""A request to end in order: a training answers it at its next logged iteration, the rest at once.

A signal handler asks; the training saves a checkpoint where its log has a line, and stops there.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

# From Slurm, to all processes of a job: the time limit is near, preemption.
SIGNALS = (signal.SIGUSR2, signal.SIGTERM)

_asked = False
_deferred = False


class Stopped(SystemExit):
    """The process ends because it was asked to; what is saved goes on from there."""


class PeerLost(Stopped):
    """Another process of the same run ended without a word, so this one cannot go on."""


def request() -> None:
    """Ask this process to stop. A second request changes nothing.

    Raises:
        Stopped: at once, but in a `deferred` block.
    """
    global _asked
    first, _asked = not _asked, True
    # A second one must not break into what ends in order because of the first.
    if first and not _deferred:
        raise Stopped("stopped as asked")


def requested() -> bool:
    """Whether a stop was asked for since the last `deferred` block began, or since the start."""
    return _asked


@contextmanager
def deferred() -> Iterator[None]:
    """Only note requests in the block, which looks at `requested`; earlier ones are forgotten.

    Raises:
        Stopped: at the end of a block that a request did not stop.
    """
    global _asked, _deferred
    _asked = False
    _deferred = True
    try:
        yield
    finally:
        _deferred = False
    if _asked:
        raise Stopped("stopped as asked")
