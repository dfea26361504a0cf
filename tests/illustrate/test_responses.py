import numpy as np
import pytest

from harness.illustrate.examples import STAND_INS, drawn_examples
from harness.illustrate.responses import fig3
from harness.illustrate.transforms import binarized, contour, distance
from tests.illustrate.look import images_of, rendered, words_of

EXAMPLES = drawn_examples()


@pytest.fixture(scope="module")
def figure():
    return fig3()


@pytest.mark.parametrize("k", [1, 2, 3])
def test_each_row_shows_what_the_losses_make_of_responses_and_masks(k):
    shown = images_of(fig3(*EXAMPLES, k=k))
    masks = [binarized(one.response) for one in EXAMPLES] + [one.mask for one in EXAMPLES]
    expected = [
        *[one.response for one in EXAMPLES],
        *[one.mask for one in EXAMPLES],
        *[contour(mask, variant) for variant in ("paper", "sound") for mask in masks],
        *[distance(mask, k, variant) for variant in ("paper", "sound") for mask in masks],
    ]
    assert all(np.array_equal(*pair) for pair in zip(shown, expected, strict=True))


@pytest.mark.parametrize("k", [2, 4])
def test_the_background_reads_k_plus_1_in_sound_and_2_286_in_paper(k):
    # The last mask but one, a crescent's, is empty around (14, 20), 4 px and more from its contour.
    drawn = fig3(EXAMPLES[0], k=k)
    shown, words = images_of(drawn), words_of(drawn)
    paper, sound = shown[-3], shown[-1]
    assert paper[14, 22] == pytest.approx(2.286, abs=1e-3)
    assert sound[14, 22] == pytest.approx(k + 1, abs=0.02)
    assert f"(k = {k}) reads 2.29 in variant paper, where k + 1 = {k + 1} is meant" in words
    assert f"and {k + 1}.00 in sound" in words


def test_zero_padding_draws_a_contour_on_the_frame_that_sound_does_not(figure):
    # The blob, the last example, lies flat against the top of its frame. Below the zeros stand
    # ones: (1 + 2 + 1) / 2 = 2.
    blob = images_of(figure)[7::8]  # its mask is the last of eight in each row
    top = np.flatnonzero(blob[0][:2].all(axis=0))
    middle = int(top[len(top) // 2])
    paper, sound = blob[1:3]
    assert paper[0, middle] == 2
    assert sound[0, middle] == 0


def test_variants_share_their_scales(figure):
    scales = [image.get_clim() for image in rendered(figure)]
    per_row = 2 * len(EXAMPLES)
    contours, distances = scales[per_row : 3 * per_row], scales[3 * per_row :]
    assert set(contours) == {(0, 3)}
    assert set(distances) == {(-2, 3)}


def test_the_figure_says_that_responses_are_stand_ins(figure):
    assert STAND_INS in words_of(figure)


def test_a_k_below_1_is_refused():
    with pytest.raises(ValueError, match="k must be an int of at least 1, got 0"):
        fig3(k=0)
