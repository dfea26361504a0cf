"""The paper's claims, examined, as a tidy frame."""

import pandas as pd

from harness.report.claims_table import Claims
from harness.report.findings import Finding
from harness.report.statements import HEADING_OF, Summary


def claims_frame(claims: Claims) -> pd.DataFrame:
    """A tidy line for each statement, then for each k and metric, that it is the best.

    Returns:
        Columns: `claim`, `section`, `sentence`, `reading`, `statement`, `claimed`; `published` and
        `ours`, what the statement is about, in AP points or a number of differences (NaN: not
        known); `published_holds` and `ours_holds` (None: not known); `n`, our seeds; `share` of
        replicates in which it holds (NaN: no replicates); `scale`.
    """
    lines = [
        {
            "claim": claim.name,
            "section": claim.section,
            "sentence": claim.sentence,
            "reading": claim.reading,
            "statement": one.published.statement.about,
            "claimed": one.published.statement.claimed,
            "published": _in_points(one.published),
            "published_holds": one.published.holds,
            "ours": _in_points(one.ours),
            "ours_holds": one.ours.holds,
            "n": one.n,
            "share": one.share,
        }
        for claim, statements in claims.examined
        for one in statements
    ]
    lines += [
        {
            "claim": "best k",
            "statement": f"{row} has the highest {HEADING_OF[best.metric]}",
            "published": best.published_values[row],
            "published_holds": row in best.published,
            "ours": best.means[row],
            "ours_holds": row in best.ours if best.ours else None,
            "n": best.n,
            "share": best.shares[row],
        }
        for best in claims.best
        for row in best.means
    ]
    return pd.DataFrame(lines).assign(scale=claims.scale_note)


def _in_points(finding: Finding) -> float:
    counted = finding.statement.summary is Summary.INCREASES
    return finding.value if counted else finding.value / 100
