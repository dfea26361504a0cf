"""What is told of the paper's claims, examined, before any format is chosen."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.report.claims import K_ROWS, Claim
from harness.report.claims_table import Claims, Examined
from harness.report.difference_notes import NOT_DRAWN
from harness.report.findings import NOT_KNOWN, Finding
from harness.report.notes import MISSING
from harness.report.statements import HEADING_OF
from harness.statistics.difference import DECIDED_FROM

CAPTION = "The paper's claims in words, on its own tables and on ours."
HOLDS, FAILS = "holds", "fails"
NOTES = (
    "holds, fails: on the paper's numbers as printed, and on our means, unrounded, over the n "
    f"seeds that all rows of a statement have. Below {DECIDED_FROM} seeds that decides nothing.",
    "share: of replicates, those in which the statement holds, or k is best. A replicate draws the "
    "test images anew, and the seeds; of one seed the images alone. Of few seeds their variance is "
    "too small, by a third for three, so that shares lie too near 0% and 100%.",
    "A gain that is claimed to the hundredth holds in few replicates, whatever is true: the "
    "verdict on the difference says whether it was reproduced.",
)
WITHOUT_SHARE = f"share is {MISSING} where {NOT_DRAWN}."


@dataclass(frozen=True)
class Block:
    """A table with what stands above it.

    Attributes:
        title: what it is of.
        told: goes on in the line of the title; may be "".
        paragraphs: between title and table.
        headings, rows: the table's characters; without rows there is none.
        left: the headings of columns of words; the others are of numbers.
    """

    title: str
    told: str
    paragraphs: tuple[str, ...]
    headings: tuple[str, ...]
    rows: Sequence[Sequence[str]]
    left: tuple[str, ...]


def claims_blocks(claims: Claims) -> list[Block]:
    """All that is told of the claims: a summary, each claim, and which k is best."""
    return [_overview(claims), *(_claim(*one) for one in claims.examined), _best(claims)]


def _overview(claims: Claims) -> Block:
    paragraphs: tuple[str, ...] = ()
    if claims.obstacles:
        paragraphs = (
            "What holds or fails on ours says nothing about the paper; in the way, the paper's "
            f"values in brackets: {'; '.join(claims.obstacles)}.",
        )
    return Block(
        f"{CAPTION} {claims.scale_note}",
        "",
        paragraphs,
        ("claim", "section", "on the paper's tables", "on ours", "n"),
        [
            [
                claim.name,
                claim.section,
                _summary([one.published for one in examined]),
                _summary([one.ours for one in examined]),
                str(min(one.n for one in examined)),
            ]
            for claim, examined in claims.examined
        ],
        left=("claim", "section", "on the paper's tables", "on ours"),
    )


def _claim(claim: Claim, examined: Sequence[Examined]) -> Block:
    # Before there are numbers of ours, those of the paper that agree would only fill pages.
    known = any(one.ours.holds is not None for one in examined)
    return Block(
        claim.name,
        f"({claim.section}): “{claim.sentence}”",
        (f"Read as: {claim.reading}",),
        ("statement", "claimed", "published", "ours", "n", "share"),
        [
            [
                one.published.statement.about,
                one.published.statement.claimed,
                _found(one.published),
                _found(one.ours),
                str(one.n),
                _percent(one.share),
            ]
            for one in examined
            if known or not one.published.holds
        ],
        left=("statement", "claimed", "published", "ours"),
    )


def _best(claims: Claims) -> Block:
    return Block(
        "best k",
        "(the k with the highest mean, and the share in which each k is best)",
        (),
        ("metric", "published", "ours", "n", *K_ROWS),
        [
            [
                HEADING_OF[best.metric],
                ", ".join(best.published),
                ", ".join(best.ours) or NOT_KNOWN,
                str(best.n),
                *(_percent(best.shares[row]) for row in K_ROWS),
            ]
            for best in claims.best
        ],
        left=("metric", "published", "ours"),
    )


def claims_notes(claims: Claims) -> Iterator[str]:
    """How to read what `claims_blocks` tells, one sentence each."""
    yield from NOTES
    examined = [one for _, statements in claims.examined for one in statements]
    shares = [one.share for one in examined if one.ours.holds is not None]
    shares += [share for best in claims.best if best.ours for share in best.shares.values()]
    if any(map(math.isnan, shares)):
        yield WITHOUT_SHARE


def _summary(findings: Sequence[Finding]) -> str:
    """Of a claim as a whole: "holds", "fails in 2 of 18", "holds in 3 of 4, 1 not known yet"."""
    failed = sum(one.holds is False for one in findings)
    unknown_yet = sum(one.holds is None for one in findings)
    if unknown_yet == len(findings):
        return NOT_KNOWN
    told = f"{FAILS} in {failed} of {len(findings)}" if failed else HOLDS
    return f"{told}, {unknown_yet} {NOT_KNOWN}" if unknown_yet else told


def _found(finding: Finding) -> str:
    if finding.holds is None:
        return NOT_KNOWN
    return f"{finding.statement.in_words(finding.value)} {HOLDS if finding.holds else FAILS}"


def _percent(share: float) -> str:
    return MISSING if math.isnan(share) else f"{share:.0%}"
