"""The paper's claims in words, each as statements that hold on a table or fail.

Where a sentence leaves open what it means in numbers, `reading` settles it. A gain that is stated
as a number agrees if it is right to the printed digit. Some claims fail on the paper's own tables:
tests/report/test_claims.py names them all.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from harness.records import METRICS
from harness.report.findings import Finding, cells_of, find
from harness.report.statements import (
    ABOVE_0,
    HEADING_OF,
    Difference,
    Statement,
    Summary,
    gain,
    gains,
    largest_gain,
)


@dataclass(frozen=True)
class Claim:
    """One sentence of the paper.

    Attributes:
        name: short, for lists.
        section: where it stands.
        sentence: as printed.
        reading: what it says in numbers.
        statements: the same as tests; the claim holds where all of them do.
    """

    name: str
    section: str
    sentence: str
    reading: str
    statements: tuple[Statement, ...]


def check_claim(claim: Claim, tables: Mapping[str, pd.DataFrame]) -> list[Finding]:
    """Whether each statement of a claim holds on `tables`, in the claim's order.

    Args:
        claim: one of `CLAIMS`.
        tables: by experiment's NAME; frames indexed by row with the columns AP to APl, published
            (`read_published`) or ours. NaN, or no row, where there is no number yet.
    """
    cells = cells_of(tables)
    return [find(statement, cells) for statement in claim.statements]


K_ROWS = tuple(f"k={k}" for k in range(1, 7))
MASK_RCNNS = ("R50", "R101", "X101")
NETWORKS = (*MASK_RCNNS, "HTC")
MSE_LOSSES = ("mse_edge", "mse_contour")
IN_ALL = dict.fromkeys(METRICS, ABOVE_0)

# Where gains have two digits, "0.2%" is 0.20: the text leaves the zero out.
LARGEST = {
    "AP": "0.26",
    "AP50": "0.22",
    "AP75": "0.34",
    "APs": "0.44",
    "APm": "0.20",
    "APl": "0.58",
}
ON_MASK_RCNN = {
    "AP": "0.13 to 0.26",
    "AP50": "0.16 to 0.22",
    "AP75": "0.26 to 0.34",
    "APs": "0.44",
    "APm": "0.10 to 0.20",
    "APl": "0.40 to 0.58",
}
ON_HTC = {"AP": "0.2", "AP50": "0.2", "AP75": "0.1", "APm": "0.2"}  # one digit, as its AP has


def _gains_of_k(metric: str, rows: tuple[str, ...] = K_ROWS) -> tuple[Difference, ...]:
    return tuple(Difference("table1", row, "baseline", metric) for row in rows)


def _gains_of_networks(
    networks: tuple[str, ...], claimed: Mapping[str, str]
) -> tuple[Statement, ...]:
    return tuple(
        gain(network, Difference("table3", f"{network}+contour", network, metric), size)
        for metric, size in claimed.items()
        for network in networks
    )


CLAIMS = (
    Claim(
        "gains in mAP",
        "abstract",
        "Experimental results on COCO show that contour loss is effective, which can further "
        "improve instance segmentation performances.",
        "Contour loss gains in mAP on each of the four networks.",
        _gains_of_networks(NETWORKS, {"AP": ABOVE_0}),
    ),
    Claim(
        "k is not sensitive",
        "IV-C",
        "From the table we can see that k is not sensitive for contour loss in the ranges of 1~5.",
        "Every two of k = 1 to 5 differ in mAP by less than 0.26, the largest gain stated. Whether "
        "the best k can be told from the others is another question. Noise alone spreads five "
        "means, so that this often fails though all k are equal.",
        (
            Statement(
                "spread of mAP over k = 1 to 5",
                _gains_of_k("AP", K_ROWS[:5]),
                Summary.SPREAD,
                None,
                26,
                "below 0.26",
            ),
        ),
    ),
    Claim(
        "most metrics improve",
        "IV-C",
        "Under the auxiliary supervision of contour loss, most of the evaluation metrics of the "
        "benchmark algorithm have been improved to a certain extent.",
        "Of the 36 gains of Table I, six metrics at six k, more than half are above 0. That is not "
        "said of each k, nor of each metric.",
        (
            Statement(
                "gains of Table I above 0",
                tuple(one for metric in METRICS for one in _gains_of_k(metric)),
                Summary.INCREASES,
                18,
                None,
                "more than half",
            ),
        ),
    ),
    Claim(
        "largest gains",
        "IV-C",
        "Enjoying contour loss can achieve the maximum gain of 0.26% mAP, 0.22% AP50, 0.34% AP75, "
        "0.44% APs, 0.2% APm, and 0.58% APl respectively.",
        "In each metric the largest gain of the six k is the one stated.",
        tuple(
            largest_gain(f"largest gain in {HEADING_OF[metric]}", _gains_of_k(metric), size)
            for metric, size in LARGEST.items()
        ),
    ),
    Claim(
        "k = 2 is best",
        "IV-C",
        "We set k to 2 in the following experiments.",
        "The paper gives no reason; the one in its table is that k = 2 has the highest mAP.",
        (
            Statement(
                "mAP of k = 2 against the next best",
                tuple(Difference("table1", "k=2", row, "AP") for row in K_ROWS if row != "k=2"),
                Summary.SMALLEST,
                0,
                None,
                ABOVE_0,
            ),
        ),
    ),
    Claim(
        "all three losses improve",
        "IV-D",
        "Compared with the benchmark algorithm, all of the three loss functions can improve the "
        "mask accuracy.",
        "Each of the three losses gains in each of the six metrics.",
        tuple(
            one
            for row in (*MSE_LOSSES, "contour")
            for one in gains(row, "table2", row, "baseline", IN_ALL)
        ),
    ),
    Claim(
        "contour loss beats both MSE losses",
        "IV-D",
        "Contour loss is superior to the other two loss functions, and it can get the best mask "
        "accuracy.",
        "Contour loss is above both MSE losses in each of the six metrics.",
        tuple(
            one
            for row in MSE_LOSSES
            for one in gains(f"contour against {row}", "table2", "contour", row, IN_ALL)
        ),
    ),
    Claim(
        "gains on Mask R-CNN",
        "IV-E",
        "The proposed contour loss respectively brings the gains of 0.13%~0.26% mAP, 0.16%~0.22% "
        "AP50, 0.26%~0.34% AP75, 0.44% APs, 0.1%~0.2% APm and 0.4%~0.58% APl on Mask R-CNN.",
        "On each of the three backbones the gain in each metric is within its range.",
        _gains_of_networks(MASK_RCNNS, ON_MASK_RCNN),
    ),
    Claim(
        "gains on HTC",
        "IV-E",
        "HTC with contour loss achieves the gains of 0.2% mAP, 0.2% AP50, 0.1% AP75 and 0.2% APm "
        "respectively.",
        "The four gains are those stated, to their one digit. APs and APl are not mentioned.",
        _gains_of_networks(("HTC",), ON_HTC),
    ),
    Claim(
        "effective for different methods",
        "IV-E",
        "Thus, contour loss is effective for different instance segmentation methods.",
        "On each of the four networks each of the six metrics gains.",
        _gains_of_networks(NETWORKS, IN_ALL),
    ),
)
