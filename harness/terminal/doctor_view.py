"""`harness doctor` as people read it: what was looked at, found, and is to be done. To stdout."""

from collections.abc import Iterable

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from harness.slurm.check import Check

MARKS = {True: ("✓", "green"), False: ("✗", "bold red"), None: ("–", "yellow")}


def show_checks(checks: Iterable[Check], console: Console | None = None) -> bool:
    """Whether nothing is wrong; prints each check as it comes, what to do next, and how many.

    Args:
        checks: in the order to print.
        console: where to; stdout by default.
    """
    console = console or Console()
    number = dict.fromkeys(MARKS, 0)
    for check in checks:
        number[check.ok] += 1
        mark, style = MARKS[check.ok]
        line = Text.assemble((f"{mark} ", style), (check.what, "bold"), f": {check.found}")
        console.print(line, highlight=False)
        if check.advice:
            console.print(Padding(Text(check.advice), (0, 0, 0, 4)), highlight=False)
    words = (f"{number[True]} in order", f"{number[None]} to look at", f"{number[False]} wrong")
    console.print(f"{', '.join(words)}.", highlight=False)
    return not number[False]
