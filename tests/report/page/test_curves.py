import pandas as pd

from harness.report.page import Curves
from harness.report.page.curves import HEIGHT, WIDTH, curve_views


def curves(values: dict[int, float], first: int = 300, last: int = 400) -> Curves:
    return Curves(pd.DataFrame({"total_loss": values}), first, last)


def test_a_run_under_way_ends_where_it_is():
    (view,) = curve_views({"k=2": curves({310: 2.0, 350: 1.0})})
    # 10 and 50 of 100 iterations; 2 is the highest loss, 1 the lowest.
    assert view.panels[0].points == f"{WIDTH / 10:.1f},0.0 {WIDTH / 2:.1f},{HEIGHT}.0"
    assert (view.panels[0].top, view.panels[0].bottom) == ("2", "1")


def test_runs_of_the_same_iterations_share_the_span_of_a_term():
    found = list(curve_views({"a": curves({400: 2.0}), "b": curves({400: 1.0})}))
    assert [(view.panels[0].bottom, view.panels[0].top) for view in found] == [("1", "2")] * 2


def test_a_base_has_a_span_of_its_own():
    found = list(curve_views({"a": curves({400: 2.0}), "base": curves({300: 9.0}, 0, 300)}))
    assert [view.panels[0].top for view in found] == ["2", "9"]


def test_a_curve_is_told_in_words():
    (view,) = curve_views({"k=2": curves({310: 2.0, 350: -1.0})})
    assert view.panels[0].alt == "total_loss of k=2: 2 at iteration 310, −1 at iteration 350"


def test_runs_that_logged_nothing_are_left_out():
    assert list(curve_views({"k=2": Curves(pd.DataFrame(), 300, 400)})) == []
