"""What a look at data brings to light."""

from collections.abc import Sequence
from dataclasses import dataclass

NAMED = 3  # of many files


@dataclass(frozen=True)
class Finding:
    """One look at data.

    Attributes:
        what: was looked at: a file, a folder, or a split.
        found: in a few words.
        faults: what must be mended before anything trains, a line each.
        notes: what is odd and stops nothing, a line each.
        lacks: what of COCO is to be fetched, or fetched again: paths below coco/.
    """

    what: str
    found: str
    faults: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lacks: tuple[str, ...] = ()


def first_of(names: Sequence[str]) -> str:
    """`the first is a.jpg`, `the first are a.jpg, b.jpg, c.jpg`."""
    shown = names[:NAMED]
    return f"the first {'is' if len(shown) == 1 else 'are'} {', '.join(shown)}"
