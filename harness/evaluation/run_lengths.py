"""Compressed RLE masks as spans of pixels, without drawing any of them.

The format stands in `harness.data.run_lengths`, which reads one mask at a time. This reads all
masks of a results file at once, some 2 µs each, and is compiled for it.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from harness.evaluation.compiled import compiled

DAMAGED = -1
LONGEST_NUMBER = 7  # characters; enough for 34 bits

Ints = npt.NDArray[np.int64]
Pixels = npt.NDArray[np.int32]


class Spans(NamedTuple):
    """Where masks are set: spans of pixels, which are counted down the columns from the left.

    A named tuple, which compiled code can read.

    Attributes:
        starts, ends: the pixels from `starts` to before `ends`, in order; spans do not touch.
        first: of M masks M + 1 numbers; those from `first[m]` to before `first[m + 1]` are m's.
        areas: the pixels that each mask covers.
        pixels: how many pixels each mask covers and leaves; DAMAGED where it is no whole sequence
            of run lengths.
    """

    starts: Pixels
    ends: Pixels
    first: Ints
    areas: Ints
    pixels: Ints


def read_masks(masks: Sequence[str | bytes]) -> Spans:
    """The spans of masks.

    Args:
        masks: the `counts` of compressed RLE masks.
    """
    encoded = [
        mask if isinstance(mask, bytes) else mask.encode(errors="surrogatepass") for mask in masks
    ]
    letters = np.frombuffer(b"".join(encoded), np.uint8)
    begins = np.cumsum([0, *map(len, encoded)], dtype=np.int64)
    numbers = np.count_nonzero((letters - 48) & 0x20 == 0)
    starts, ends = np.empty((2, numbers // 2), np.int32)  # a span takes two of them
    first, (areas, pixels) = np.zeros(len(masks) + 1, np.int64), np.zeros((2, len(masks)), np.int64)
    _read(letters, begins, starts, ends, first, areas, pixels)
    return Spans(starts[: first[-1]], ends[: first[-1]], first, areas, pixels)


@compiled
def _read(
    letters: npt.NDArray[np.uint8],
    begins: Ints,
    starts: Pixels,
    ends: Pixels,
    first: Ints,
    areas: Ints,
    pixels: Ints,
) -> None:
    spans = 0
    for mask in range(len(pixels)):
        begin = first[mask] = spans
        runs = position = run = before = before_that = number = length = 0
        whole = begins[mask] < begins[mask + 1]
        for letter in letters[begins[mask] : begins[mask + 1]]:
            bits = int(letter) - 48
            if bits < 0 or bits > 63 or length == LONGEST_NUMBER:
                whole = False
                break
            number |= (bits & 0x1F) << (5 * length)
            length += 1
            if bits & 0x20:
                continue
            if bits & 0x10:
                number -= 1 << (5 * length)
            run = number + before_that if runs > 2 else number
            if run < 0:
                whole = False
                break
            if runs % 2 and run:
                if spans > begin and ends[spans - 1] == position:
                    spans -= 1  # nothing lies between it and the one before
                else:
                    starts[spans] = position
                ends[spans] = position + run
                spans += 1
                areas[mask] += run
            position += run
            before_that, before = before, run
            number = length = 0
            runs += 1
        pixels[mask] = position if whole and length == 0 else DAMAGED
    first[len(pixels)] = spans


def pixels_of(masks: Spans, mask: int, height: int, width: int) -> npt.NDArray[np.bool_]:
    """One mask drawn: shape (height, width).

    Args:
        masks: from `read_masks`.
        mask: which of them.
        height: of its image, in pixels.
        width: of its image, in pixels.
    """
    those = slice(masks.first[mask], masks.first[mask + 1])
    steps = np.zeros(height * width + 1, np.int8)
    steps[masks.starts[those]] = 1
    steps[masks.ends[those]] -= 1
    return steps[:-1].cumsum(dtype=np.int8).reshape(width, height).T.astype(bool)
