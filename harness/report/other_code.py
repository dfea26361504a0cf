"""Rows that were made with other code than most of their table: marked, and told under it."""

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import pandas as pd

MARK = "†"
# As harness.collect.code names them.
PARTS = {"losses_code": "harness/losses", "detection_code": "harness/detection"}

Code = tuple[str, ...]  # hashes in the order of PARTS


@dataclass(frozen=True)
class _Row:
    """A row with numbers. `code` is () where it is not known."""

    name: str
    code: Code
    commit: str
    uncommitted: bool


def rows_of_other_code(cells: pd.DataFrame) -> list[str]:
    """The rows with numbers whose code is known and not that of most; of the top row in a tie."""
    rows = list(_rows(cells))
    most = _most(rows)
    return [row.name for row in rows if row.code and row.code != most]


def code_notes(cells: pd.DataFrame) -> Iterator[str]:
    """What a reader must know of the code behind the rows, one sentence each; none if it is one."""
    rows = list(_rows(cells))
    most = _most(rows)
    usual = _told(row for row in rows if row.code == most)
    for code in dict.fromkeys(row.code for row in rows if row.code not in (most, ())):
        parts = [part for part, a, b in zip(PARTS.values(), code, most, strict=True) if a != b]
        yield (
            f"{MARK} {_told(row for row in rows if row.code == code)}: made with another "
            f"{' and '.join(parts)} than {usual}."
        )
    unknown = [row for row in rows if not row.code]
    # Those of one commit are of one code, whatever that was.
    if unknown and (most or len({row.commit for row in unknown}) > 1):
        yield (f"Not recorded with which harness/losses and harness/detection: {_told(unknown)}.")
    changed = [row.name for row in rows if row.uncommitted]
    if changed:
        yield f"Made with changes that no commit holds: {', '.join(changed)}."


def _rows(cells: pd.DataFrame) -> Iterator[_Row]:
    made = cells[cells["missing"] == ""]
    # Row by row in pandas would take a second for 10,000 rows.
    columns = (
        made[name].tolist() if name in made else [""] * len(made)
        for name in (*PARTS, "commit", "uncommitted")
    )
    for name, *code, commit, uncommitted in zip(made.index, *columns, strict=True):
        known = tuple(code) if all(code) else ()
        yield _Row(str(name), known, commit, bool(uncommitted))


def _most(rows: list[_Row]) -> Code:
    # Of equally many the one that was met first, from the top row down.
    found = Counter(row.code for row in rows if row.code).most_common(1)
    return found[0][0] if found else ()


def _told(rows: Iterable[_Row]) -> str:
    """The rows with their commits: "k=2, k=3 (commit 1a2b3c4d)"."""
    found = list(rows)
    commits = dict.fromkeys(row.commit or "unknown" for row in found)
    return f"{', '.join(row.name for row in found)} (commit {'; '.join(commits)})"
