import numpy as np
import pytest

from harness.illustrate.binarization import fig2
from harness.illustrate.examples import STAND_INS, drawn_examples
from harness.illustrate.transforms import binarized
from tests.illustrate.look import images_of, words_of


def test_the_curve_passes_a_half_at_the_threshold_with_a_quarter_of_the_slope():
    # B'(T) = γ/4 = 5; between the two neighbours of x = 0.5, 0.01 apart, it rises by 0.0499.
    curve = fig2().get_axes()[0].get_lines()[0]
    x, y = curve.get_xdata(), curve.get_ydata()
    middle = int(np.flatnonzero(x == 0.5)[0])
    assert y[middle] == 0.5
    rise = (y[middle + 1] - y[middle - 1]) / (x[middle + 1] - x[middle - 1])
    assert rise == pytest.approx(5, rel=0.005)
    assert (y[0], y[-1]) == pytest.approx((0, 1), abs=1e-4)


def test_below_each_response_stands_what_the_loss_makes_of_it():
    examples = drawn_examples()[:2]
    shown = images_of(fig2(*examples))
    responses = [one.response for one in examples]
    expected = [*responses, *map(binarized, responses)]
    assert all(np.array_equal(*pair) for pair in zip(shown, expected, strict=True))


def test_the_figure_says_that_responses_are_stand_ins():
    assert STAND_INS in words_of(fig2())
