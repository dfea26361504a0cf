"""One thing that the doctor looked at."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Check:
    """One thing that was looked at.

    Attributes:
        what: in a few words.
        ok: None for a warning.
        found: what is there.
        advice: what to do next; "" where nothing is.
        stops: whether nothing can be sent to the cluster where this is wrong.
    """

    what: str
    ok: bool | None
    found: str
    advice: str = ""
    stops: bool = False
