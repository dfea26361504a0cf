"""Which detections and objects are compared with each other, and that in several threads.

Compiled code lets go of Python's lock, so threads are enough. No thread writes where another does,
and no number depends on how many there are.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

import numpy as np

from harness.evaluation.objects import Objects
from harness.evaluation.run_lengths import Ints

SHARES = 16  # of the work, for each thread: none waits long for the last


class Groups(NamedTuple):
    """The groups that have both detections and objects.

    A named tuple, which compiled code can read.

    Attributes:
        id: of each, as in `Objects.group`.
        detections, objects: from which to before which they are, shape (groups, 2).
        pairs: where its pairs begin, with one more for where the last end; the pair of its d-th
            detection and j-th object is at `pairs + d * objects + j`.
    """

    id: Ints
    detections: Ints
    objects: Ints
    pairs: Ints


def groups_of(detections: Objects, objects: Objects) -> Groups:
    """The groups that `detections` and `objects` have in common."""
    ids = np.intersect1d(detections.group, objects.group)
    of_detections, of_objects = (
        np.stack([np.searchsorted(those.group, ids, side) for side in ("left", "right")], axis=1)
        for those in (detections, objects)
    )
    pairs = np.ptp(of_detections, axis=1) * np.ptp(of_objects, axis=1)
    return Groups(ids, of_detections, of_objects, np.concatenate([[0], np.cumsum(pairs)]))


def in_threads(work: Callable[[int, int], object], items: int) -> None:
    """Call `work(begin, end)` for shares that make up all of `items`.

    Args:
        work: compiled, without Python's lock.
        items: how many there are.
    """
    threads = len(os.sched_getaffinity(0))
    shares = min(items, threads * SHARES)
    if threads == 1 or shares < 2:
        work(0, items)  # at once: nothing is won by threads, and to begin them takes long
        return
    bounds = np.linspace(0, items, shares + 1).astype(int).tolist()
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, bounds[:-1], bounds[1:]))
