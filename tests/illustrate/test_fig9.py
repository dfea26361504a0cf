"""Fig. 9: two rows of photographs, the images that moved most or those named."""

import pytest
from matplotlib.collections import LineCollection

from harness.errors import DataError, ResultsError, SpecError
from harness.illustrate.fig9 import (
    GAP_IN,
    MARGIN_IN,
    MOST_COLUMNS,
    NARROWEST_IN,
    _row_height,
    fig9,
)
from harness.report.style import DOUBLE_IN, save
from tests.illustrate.look import faults
from tests.illustrate.two_runs import TwoRuns, detection


@pytest.fixture
def two(tmp_path):
    return TwoRuns(tmp_path)


def draw(two, *image_ids, seeds=1):
    return fig9(two.place.grid(["table1"], seeds), two.place.runs, image_ids)


def words(figure):
    return [text.get_text() for text in figure.texts]


def test_the_baseline_stands_over_the_contour_loss_with_its_outlines(two):
    figure = draw(two)
    top, below = figure.axes
    assert top.get_position().y0 > below.get_position().y1
    # Their outlines reach to the right edges of 16 and 18 columns.
    assert [right_end(axes) for axes in (top, below)] == [25.5, 27.5]
    ids = [two.spec(row).run_id for row in ("baseline", "k=2")]
    assert f"Top: table1/baseline · {ids[0]}" in words(figure)
    assert f"Below: table1/k=2 · {ids[1]}" in words(figure)


def right_end(axes):
    lines = (one for one in axes.collections if isinstance(one, LineCollection))
    return max(points[:, 0].max() for one in lines for points in one.get_segments())


def test_images_are_selected_where_objects_that_both_find_moved_most(two):
    # Image 3, which one run misses, has the larger change, and no contours to compare.
    figure = draw(two)
    assert "image 2\nBoundary IoU\n53, below 57" in words(figure)
    caption = words(figure)[-1].replace("\n", " ")
    assert caption.startswith(
        "Selected: the 1 of 3 images whose objects found by both runs changed"
    )
    assert "in 1 the contour loss has the higher mean. No image is typical." in caption
    assert "Demo scale: thin networks trained on the images in pets" in caption


def test_named_images_are_shown_in_their_order_and_said_to_be_named(two):
    figure = draw(two, 4, 2)
    assert words(figure)[:2] == [
        "image 4\nno object\nfound by both",
        "image 2\nBoundary IoU\n53, below 57",
    ]
    assert words(figure)[-1].startswith("The images were named by hand: they say nothing of the")


def test_the_lowest_seed_that_both_have_is_drawn(two):
    two.paths("k=2").results.unlink()
    for row in ("baseline", "k=2"):
        two.predict(row, [detection(1, (10, 10, 20, 15 + len(row)))], seed=1)
    figure = draw(two, seeds=2)
    assert f"Top: table1/baseline/seed=1 · {two.spec('baseline', 1).run_id}" in words(figure)


def test_photographs_are_whole_in_the_pdf_and_outlines_are_lines(two, tmp_path):
    figure = draw(two, 2)
    assert figure.get_size_inches()[0] == DOUBLE_IN
    for name in ("one", "again"):
        save(figure, tmp_path / name, "pdf")
    content = (tmp_path / "one").read_bytes()
    assert content == (tmp_path / "again").read_bytes()
    assert content.count(b"/Width 60") == content.count(b"/Height 40") == 2
    assert content.count(b"/Subtype /Image") == 2


def test_as_many_images_as_there_is_room_for_fit_beside_each_other(two):
    two.ids = list(range(100_001, 100_001 + MOST_COLUMNS))
    two.write_data()
    for row in ("baseline", "k=2"):
        two.predict(row, [detection(two.ids[0], (10, 10, 20, 20))])
    figure = draw(two, *two.ids)
    assert faults(figure) == []
    boxes = [axes.get_position() for axes in figure.axes]
    assert max(box.x1 for box in boxes) <= 1
    assert len({round(box.height, 6) for box in boxes}) == 1


def test_a_panorama_leaves_the_others_room_for_their_names():
    # 10 : 1 beside three upright ones of 1 : 2. All fill the width, or have the least of a column.
    tall = _row_height([10, 0.5, 0.5, 0.5])
    assert 0.5 * tall < NARROWEST_IN
    assert 10 * tall + 3 * NARROWEST_IN + 3 * GAP_IN + 2 * MARGIN_IN == pytest.approx(DOUBLE_IN)


def test_where_nothing_moved_images_can_be_named(two):
    two.predict("k=2", [detection(2, (10, 10, 16, 20))])
    with pytest.raises(ResultsError, match=r"have no object whose outline moved.* --images ID"):
        draw(two)
    assert len(draw(two, 1).axes) == 2


def test_what_is_missing_is_told(two):
    with pytest.raises(DataError, match=r"Unknown image 77: "):
        draw(two, 77)
    two.paths("k=2").results.unlink()
    with pytest.raises(ResultsError, match=r"The predictions of run .* are missing"):
        draw(two)
    with pytest.raises(
        SpecError, match=r"^table1/baseline and table1/k=2 are to be compared, and are"
    ):
        fig9(two.place.grid(["table2"]), two.place.runs)
