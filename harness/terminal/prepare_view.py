"""`harness prepare` as people read it: what was found of the data, and how to fetch the rest.

To stdout, each fault and each command on a line of its own, however long: lines are for copying.
"""

from collections.abc import Collection, Iterable
from pathlib import Path

from rich.console import Console
from rich.text import Text

from harness.data.archives import (
    PUBLISHED,
    Source,
    archives_of,
    fetch_commands,
    in_no_archive,
)
from harness.data.findings import Finding
from harness.terminal.doctor_view import MARKS
from harness.terminal.words import title

INDENT = "    "


def show_findings(findings: Iterable[Finding], console: Console | None = None) -> list[Finding]:
    """The findings, each printed as it comes, and at the end how many there are.

    Args:
        findings: in the order to print.
        console: where to; stdout by default.
    """
    console = console or Console()
    shown = []
    number = dict.fromkeys(MARKS, 0)
    for finding in findings:
        shown.append(finding)
        ok = False if finding.faults else None if finding.notes else True
        number[ok] += 1
        mark, style = MARKS[ok]
        _print(
            console,
            Text.assemble((f"{mark} ", style), (finding.what, "bold"), f": {finding.found}"),
        )
        for line in finding.faults + finding.notes:
            _print(console, Text(f"{INDENT}{line}"))
    if not shown:
        _print(console, Text("Nothing to look at: harness draws this data itself."))
    else:
        words = (f"{number[True]} in order", f"{number[None]} to look at", f"{number[False]} wrong")
        _print(console, Text(f"{', '.join(words)}."))
    return shown


def show_to_fetch(
    lacks: Collection[str],
    coco: Path,
    console: Console | None = None,
    source: Source = PUBLISHED,
) -> None:
    """Print the commands that fetch what is lacking.

    Args:
        lacks: paths below coco/, at least one.
        coco: that folder.
        console: where to; stdout by default.
        source: where it is fetched from.
    """
    console = console or Console()
    commands = fetch_commands(lacks, coco, source)
    if commands:
        size_gb = sum(archive.size_gb for archive in archives_of(lacks, source))
        size = f", {size_gb:.1f} GB to download" if size_gb else ""
        _print(console, title(f"\nTo fetch what is missing or damaged{size}:"))
    for command in commands:
        _print(console, Text(command))
    for path in in_no_archive(lacks, source):
        _print(console, Text(f"No archive is known for {coco / path}: copy it there."))


def _print(console: Console, text: Text) -> None:
    console.print(text, highlight=False, soft_wrap=True)
