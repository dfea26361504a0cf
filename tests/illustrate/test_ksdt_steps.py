import numpy as np
import pytest

from harness.illustrate.examples import drawn_examples
from harness.illustrate.ksdt_steps import fig5, fig6
from harness.illustrate.transforms import one_step_dilation, steps
from tests.illustrate.look import images_of, rendered, words_of

EXAMPLE = drawn_examples()[1]


@pytest.mark.parametrize("k", [1, 2, 3])
def test_the_flow_chart_shows_every_mask_sum_and_the_distance_of_both_variants(k):
    expected = []
    for variant in ("paper", "sound"):
        made = steps(EXAMPLE.mask, k, variant)
        expected += [image for pair in zip(made.masks, made.sums, strict=True) for image in pair]
        expected.append(made.distance)
    shown = images_of(fig5(EXAMPLE, k))
    key = [image.tobytes() for image in expected]
    assert sorted(image.tobytes() for image in shown) == sorted(key)


def test_under_each_image_stands_what_its_background_reads():
    # Paper, k = 2: masks 0, 0.119, 0.595, sums 0, 0.119, 0.714, distance 2.286; sound: 0 and 3.
    words = words_of(fig5(EXAMPLE))
    for value, times in (("0.12", 2), ("0.59", 1), ("0.71", 1), ("2.29", 1), ("3.00", 1)):
        assert words.count(f"background {value}") == times


def test_both_variants_of_the_flow_chart_share_their_scales():
    scales = [image.get_clim() for image in rendered(fig5(EXAMPLE))]
    half = len(scales) // 2
    assert scales[:half] == scales[half:]
    assert set(scales) == {(0, 1), (0, 3), (-2, 3)}


def test_the_dilation_is_shown_in_its_two_halves():
    shown = images_of(fig6(EXAMPLE))
    made = [one_step_dilation(EXAMPLE.mask, variant) for variant in ("paper", "sound")]
    expected = [image for one in made for image in (one.mask, one.smoothed, one.dilated)]
    assert all(np.array_equal(*pair) for pair in zip(shown, expected, strict=True))
    words = words_of(fig6(EXAMPLE))
    assert words.count("background 0.12") == 1
    assert words.count("background 0.00") == 5
    assert "slope 20 and threshold 0.1" in words
