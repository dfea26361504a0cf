"""Where the marks of a drawn interval stand."""

import pytest

from harness.report.page.differences import EDGE, WIDTH, differences_view
from tests.report.made_up import NO_GAIN, a_table, row


def view_of(*gains: float):
    """Table II with its contour loss so far above the baseline, by seed."""
    scores = {
        "baseline": row("b", *[NO_GAIN] * len(gains), spread=0.1),
        "contour": row("c", *[dict.fromkeys(NO_GAIN, gain) for gain in gains], spread=0.1),
    }
    view = differences_view(
        a_table(scores=scores), {"contour": "e3", "mse_edge": "e1", "mse_contour": "e2"}
    )
    return {one.name: one for one in view.rows}


def test_ours_stands_right_of_0_as_far_as_its_size_on_the_scale_of_the_column():
    rows = view_of(1.0, 1.0, 1.0)
    place = rows["contour − baseline"].places[0]
    assert place.metric == "mAP"
    assert (place.ours, place.published) == ("+1.00", "+0.26")
    half = WIDTH / 2 - EDGE
    # Three equal seeds have no spread, so the interval is the images' alone, and its upper end is
    # the farthest thing in the column: it stands at the edge.
    assert place.marks.high == WIDTH / 2 + half
    reach = float(place.interval.strip("[]").split(", ")[1])
    assert place.marks.ours == pytest.approx(WIDTH / 2 + half / reach, abs=0.3)
    assert place.marks.published == pytest.approx(WIDTH / 2 + 0.26 * half / reach, abs=0.3)


def test_a_row_without_runs_shows_what_is_published_and_no_interval():
    rows = view_of(1.0, 1.0, 1.0)
    place = rows["mse_edge − baseline"].places[0]
    assert (place.marks.ours, place.marks.low, place.sort) == (None, None, "")
    assert place.marks.published is not None
    assert place.verdict == "undecided"


def test_each_row_leads_to_its_evidence():
    rows = view_of(1.0)
    assert rows["contour − baseline"].evidence == "e3"
