"""Random numbers as a pure function of (seed, purpose, iteration, rank).

Nothing about a generator then needs to be stored to resume, and neither restarts nor the number of
loader workers can move a number.
"""

import hashlib
import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def stream_seed(seed: int, purpose: str, iteration: int, rank: int = 0) -> int:
    """A seed below 2**32 that no other (seed, purpose, iteration, rank) is likely to share."""
    name = f"{seed}/{purpose}/{iteration}/{rank}"
    return int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")


def seed_generators(seed: int, purpose: str, iteration: int, rank: int = 0) -> None:
    """Set the global generators of python, numpy and torch."""
    value = stream_seed(seed, purpose, iteration, rank)
    random.seed(value)
    np.random.seed(value)
    torch.manual_seed(value)


@contextmanager
def seeded(seed: int, purpose: str, iteration: int, rank: int = 0) -> Iterator[None]:
    """Set the CPU's global generators in the block and put them back afterwards.

    A loader without workers runs in the training process: it must not move the model's numbers.
    """
    before = random.getstate(), np.random.get_state(), torch.get_rng_state()
    value = stream_seed(seed, purpose, iteration, rank)
    random.seed(value)
    np.random.seed(value)
    # And not torch.manual_seed: that moves the GPU's generator too, and nothing puts it back.
    torch.default_generator.manual_seed(value)
    try:
        yield
    finally:
        random.setstate(before[0])
        np.random.set_state(before[1])
        torch.set_rng_state(before[2])
