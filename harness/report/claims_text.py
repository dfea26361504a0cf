"""The paper's claims, examined, as Markdown and CSV."""

import math
from collections.abc import Iterator, Sequence

from harness.errors import HarnessError, unknown
from harness.report.claims import K_ROWS, Claim
from harness.report.claims_frame import claims_frame
from harness.report.claims_table import Claims, Examined
from harness.report.difference_notes import NOT_DRAWN
from harness.report.findings import NOT_KNOWN, Finding
from harness.report.markdown import escaped, padded_table
from harness.report.notes import MISSING
from harness.report.statements import HEADING_OF
from harness.report.tables import CSV_DECIMALS
from harness.statistics.difference import DECIDED_FROM

CLAIMS_SUFFIXES = ("md", "csv")
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


def render_claims(claims: Claims, format: str) -> str:
    """The claims, and which k is best, in one of the formats `CLAIMS_SUFFIXES`.

    Args:
        claims: examined.
        format: "md" or "csv".

    Raises:
        HarnessError: there is no such format.
    """
    if format not in CLAIMS_SUFFIXES:
        raise HarnessError(unknown("format", format, CLAIMS_SUFFIXES))
    if format == "csv":
        frame = claims_frame(claims).round(CSV_DECIMALS)
        return str(frame.to_csv(index=False, lineterminator="\n"))
    return "\n".join(_markdown(claims))


def _markdown(claims: Claims) -> Iterator[str]:
    yield f"**{escaped(f'{CAPTION} {claims.scale_note}')}**"
    if claims.obstacles:
        yield ""
        yield escaped(
            "What holds or fails on ours says nothing about the paper; in the way, the paper's "
            f"values in brackets: {'; '.join(claims.obstacles)}."
        )
    yield ""
    yield from padded_table(
        ["claim", "section", "on the paper's tables", "on ours", "n"],
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
    for claim, examined in claims.examined:
        yield from ("", *_claim(claim, examined))
    yield from ("", *_best(claims), "")
    yield from (f"- {escaped(note)}" for note in _notes(claims))
    yield ""


def _notes(claims: Claims) -> Iterator[str]:
    yield from NOTES
    examined = [one for _, statements in claims.examined for one in statements]
    shares = [one.share for one in examined if one.ours.holds is not None]
    shares += [share for best in claims.best if best.ours for share in best.shares.values()]
    if any(map(math.isnan, shares)):
        yield WITHOUT_SHARE


def _claim(claim: Claim, examined: Sequence[Examined]) -> Iterator[str]:
    yield f"**{escaped(claim.name)}** ({claim.section}): “{escaped(claim.sentence)}”"
    yield ""
    yield f"Read as: {escaped(claim.reading)}"
    # Before there are numbers of ours, those of the paper that agree would only fill pages.
    known = any(one.ours.holds is not None for one in examined)
    shown = [one for one in examined if known or not one.published.holds]
    if shown:
        yield ""
        yield from padded_table(
            ["statement", "claimed", "published", "ours", "n", "share"],
            [
                [
                    one.published.statement.about,
                    one.published.statement.claimed,
                    _found(one.published),
                    _found(one.ours),
                    str(one.n),
                    _percent(one.share),
                ]
                for one in shown
            ],
            left=("statement", "claimed", "published", "ours"),
        )


def _best(claims: Claims) -> Iterator[str]:
    yield "**best k**: the k with the highest mean, and the share in which each k is best"
    yield ""
    yield from padded_table(
        ["metric", "published", "ours", "n", *K_ROWS],
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
