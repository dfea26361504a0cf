import itertools
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from harness.records import METRICS
from harness.report.figures import BASELINE, fig8
from harness.report.published import read_published
from harness.report.style import SUFFIXES, save

NOTE = "Demo scale: thin networks trained on drawn shapes, seed 0; not COCO numbers."
PUBLISHED = read_published(Path(__file__).parents[2] / "results" / "published", "table1")
K_ROWS = [f"k={k}" for k in range(1, 7)]


def cells(missing: list[str] | None = None) -> pd.DataFrame:
    """Table I with numbers of ours 14 points below the published ones."""
    frame = PUBLISHED[list(METRICS)] - 14.0
    frame.loc[missing or []] = np.nan
    return frame.assign(k=["–", *"123456"])


def axes_by_title(figure) -> dict:
    return {axes.get_title(loc="left").split("  ")[-1]: axes for axes in figure.get_axes()}


def curve(axes) -> list[float]:
    return [float(value) for value in axes.get_lines()[-1].get_ydata()]


def test_both_panels_show_every_metric_ours_and_published():
    figure = fig8(cells(), PUBLISHED, NOTE)
    names = ("mAP", "AP50", "AP75", "APs", "APm", "APl")
    pairs = itertools.product(names, ("ours", "published"))
    axes = axes_by_title(figure)
    assert set(axes) == {f"{name}, {source}" for name, source in pairs}
    # Table I, column mAP, and 14 less.
    published = [34.39, 34.54, 34.39, 34.36, 34.36, 34.18]
    assert curve(axes["mAP, published"]) == published
    assert curve(axes["mAP, ours"]) == pytest.approx([value - 14 for value in published])
    panels = [text for text in figure.get_axes() if text.get_title(loc="left").startswith("(")]
    assert [panel.get_title(loc="left") for panel in panels] == ["(a)  mAP, ours", "(b)  APs, ours"]


def test_the_baseline_is_a_horizontal_line_and_no_point_of_the_curve():
    axes = axes_by_title(fig8(cells(), PUBLISHED, NOTE))
    baseline = axes["APl, published"].get_lines()[0]
    assert list(baseline.get_ydata()) == [50.84, 50.84]
    assert baseline.get_linestyle() == BASELINE["linestyle"]
    assert list(axes["APl, published"].get_lines()[-1].get_xdata()) == [1, 2, 3, 4, 5, 6]


def test_the_axes_of_a_metric_span_the_same_number_of_points_and_hold_all_values():
    for name, axes in axes_by_title(fig8(cells(), PUBLISHED, NOTE)).items():
        low, high = axes.get_ylim()
        assert all(low < y < high for line in axes.get_lines() for y in line.get_ydata()), name
    axes = axes_by_title(fig8(cells(["k=2"]), PUBLISHED, NOTE))
    spans = [np.ptp(axes[f"mAP, {source}"].get_ylim()) for source in ("ours", "published")]
    assert spans[0] == pytest.approx(spans[1])


def test_means_over_seeds_have_bars_of_their_standard_error_within_the_axes():
    # k=2 is 34.54 - 14 = 20.54; its bar reaches from 17.54 to 23.54.
    frame = cells().assign(**{"AP std_error": [np.nan, 0.1, 3.0, 0.1, 0.1, 0.1, 0.1]})
    figure = fig8(frame, PUBLISHED, NOTE)
    axes = axes_by_title(figure)["mAP, ours"]
    (bars,) = axes.collections
    ends = [segment[:, 1].tolist() for segment in bars.get_segments() if len(segment)]
    assert pytest.approx(max(ends, key=np.ptp)) == [17.54, 23.54]
    low, high = axes.get_ylim()
    assert low < 17.54 < 23.54 < high
    assert "Bars: standard error over seeds." in figure.get_suptitle().replace("\n", " ")
    assert not axes_by_title(figure)["AP50, ours"].collections


def test_a_missing_row_is_a_gap_and_a_missing_baseline_no_line():
    axes = axes_by_title(fig8(cells(["k=3", "baseline"]), PUBLISHED, NOTE))["mAP, ours"]
    assert np.isnan(curve(axes)).tolist() == [False, False, True, False, False, False]
    assert len(axes.get_lines()) == 1


def test_with_no_numbers_of_ours_the_published_curves_stand_alone():
    axes = axes_by_title(fig8(cells(["baseline", *K_ROWS]), PUBLISHED, NOTE))
    assert [text.get_text() for text in axes["mAP, ours"].texts] == ["no numbers yet"]
    assert not axes["mAP, published"].texts


def test_the_title_names_the_scale_and_the_axis_its_unit():
    figure = fig8(cells(), PUBLISHED, NOTE)
    words = {text.get_text() for text in figure.findobj(match=lambda a: hasattr(a, "get_text"))}
    assert "percent points" in words
    assert NOTE in figure.get_suptitle().replace("\n", " ")


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("missing", [[], ["k=4"], ["baseline", *K_ROWS]])
def test_the_same_numbers_give_the_same_bytes(tmp_path, suffix, missing):
    for name in "ab":
        save(fig8(cells(missing), PUBLISHED, NOTE), tmp_path / name, suffix)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_pdf_has_its_fonts_inside_as_truetype_and_no_date(tmp_path):
    save(fig8(cells(), PUBLISHED, NOTE), tmp_path / "fig8.pdf", "pdf")
    content = (tmp_path / "fig8.pdf").read_bytes()
    assert content.startswith(b"%PDF")
    assert b"/FontFile2" in content
    assert not re.search(rb"/Subtype\s*/Type3", content)
    assert b"CreationDate" not in content


def test_a_folder_name_full_of_dollars_is_no_formula(tmp_path):
    save(fig8(cells(), PUBLISHED, "on $a$b_{c$ images"), tmp_path / "fig8.png", "png")
    assert (tmp_path / "fig8.png").read_bytes().startswith(b"\x89PNG")
