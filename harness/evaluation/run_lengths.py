"""How many pixels compressed RLE masks cover and leave, without drawing any of them.

The format, and why this is looked at, stands in `harness.data.run_lengths`. This is the same count
for all masks of a results file at once, some 9 µs each.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

DAMAGED = -1
LONGEST_NUMBER = 7  # characters; enough for 34 bits
BATCH = 3_000  # masks at a time: some tens of MB


def count_pixels(masks: Sequence[str]) -> npt.NDArray[np.int64]:
    """The sum of each mask's run lengths, DAMAGED where it is no whole sequence of numbers.

    Args:
        masks: the `counts` of compressed RLE masks.
    """
    batches = [_count_batch(masks[start : start + BATCH]) for start in range(0, len(masks), BATCH)]
    return np.concatenate([np.zeros(0, np.int64), *batches])


def _count_batch(masks: Sequence[str]) -> npt.NDArray[np.int64]:
    totals = np.full(len(masks), DAMAGED, np.int64)
    encoded = [mask.encode(errors="surrogatepass") for mask in masks]
    # A mask that does not end with the end of a number would run on into the next one.
    whole = [i for i, text in enumerate(encoded) if text and (text[-1] - 48) & 0x20 == 0]
    if not whole:
        return totals
    letters = np.frombuffer(b"".join(encoded[i] for i in whole), np.uint8).astype(np.int64) - 48
    mask_starts = _starts([len(encoded[i]) for i in whole])

    ends = letters & 0x20 == 0
    number_starts = np.flatnonzero(np.concatenate([[True], ends[:-1]]))
    sizes = np.diff(np.append(number_starts, len(letters)))
    place = np.arange(len(letters)) - np.repeat(number_starts, sizes)
    numbers = np.add.reduceat(
        (letters & 0x1F) << 5 * np.minimum(place, LONGEST_NUMBER), number_starts
    )
    negative = letters[ends] & 0x10 != 0
    numbers -= np.where(negative, 1 << 5 * np.minimum(sizes, LONGEST_NUMBER), 0)

    # A difference counts in its own run and in every second run after it.
    first = np.searchsorted(number_starts, mask_starts)
    runs = np.diff(np.append(first, len(numbers)))
    index = np.arange(len(numbers)) - np.repeat(first, runs)
    times = np.where(index == 0, 1, (np.repeat(runs, runs) + 1 - index) // 2)
    sums = np.add.reduceat(numbers * times, first)

    strange = (letters < 0) | (letters > 63) | (place >= LONGEST_NUMBER)
    totals[whole] = np.where(np.logical_or.reduceat(strange, mask_starts), DAMAGED, sums)
    return totals


def _starts(lengths: Sequence[int]) -> npt.NDArray[np.int64]:
    return np.cumsum([0, *lengths[:-1]], dtype=np.int64)
