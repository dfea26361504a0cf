"""The run lengths of an RLE mask, and whether they are those of its image.

A mask cut short is the one fault that evaluators do not survive: hotcoco calls it a miss, and
pycocotools can compare it forever. Its run lengths tell, as they must add up to the image.
`harness.evaluation.run_lengths` does the same for the many thousand masks of a results file.
"""

from collections.abc import Sequence


def covers(counts: object, pixels: int) -> bool:
    """Whether `counts` are run lengths of 0 or more that add up to `pixels`.

    Args:
        counts: of an RLE mask, as a list or as a compressed string.
        pixels: of its image.
    """
    if isinstance(counts, str):
        counts = decompressed(counts)
    return (
        isinstance(counts, list)
        and len(counts) > 0
        and all(type(run) is int for run in counts)
        and min(counts) >= 0
        and sum(counts) == pixels
    )


def decompressed(text: str) -> Sequence[int] | None:
    """The run lengths of a compressed mask; None where it is no whole sequence of numbers.

    Characters from "0" on hold 6 bits each, 5 of a number, lowest first, and one that says whether
    the number goes on; the last bit of the last 5 is its sign. Numbers are run lengths, from the
    fourth on as the difference to the one before the last.
    """
    runs: list[int] = []
    number = shift = 0
    for character in text:
        bits = ord(character) - 48
        if not 0 <= bits <= 63:
            return None
        number |= (bits & 0x1F) << shift
        shift += 5
        if bits & 0x20:
            continue
        if bits & 0x10:
            number -= 1 << shift
        runs.append(number + runs[-2] if len(runs) > 2 else number)
        number = shift = 0
    return None if shift else runs
