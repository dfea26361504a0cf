"""What every figure must be: readable, the same bytes always, ready for a paper in LaTeX."""

import shutil
import subprocess
from functools import partial

import pytest

from harness.illustrate.examples import drawn_examples, largest_objects
from harness.illustrate.figures import OF_EXAMPLES
from harness.illustrate.polygons import fig7
from harness.illustrate.training_images import images_named, typical_images
from harness.paths import CheckedData
from harness.report.style import DOUBLE_IN, SINGLE_IN, SUFFIXES, save
from tests.illustrate.look import faults

NAMES = [*OF_EXAMPLES, "fig7"]


@pytest.fixture(scope="module")
def draw(split, tmp_path_factory):
    """A function that draws a figure by its name."""
    checked = CheckedData(tmp_path_factory.mktemp("checked"))
    images = typical_images(split, 8, checked)
    drawn = {name: figure.draw for name, figure in OF_EXAMPLES.items()}
    drawn["fig7"] = partial(fig7, images, "The first training images of shapes_train.")
    return lambda name: drawn[name]()


@pytest.fixture(scope="module")
def figures(draw):
    """Every figure by its name, drawn once."""
    return {name: draw(name) for name in NAMES}


@pytest.fixture(scope="module")
def saved(figures, tmp_path_factory):
    """A folder with every figure as PDF and PNG."""
    folder = tmp_path_factory.mktemp("figures")
    for name, figure in figures.items():
        for suffix in SUFFIXES:
            save(figure, folder / f"{name}.{suffix}", suffix)
    return folder


@pytest.mark.parametrize("name", NAMES)
def test_no_words_overlap_or_leave_the_figure(name, figures):
    assert faults(figures[name]) == []


def test_words_that_overlap_or_leave_the_figure_are_found(draw):
    figure = draw("fig4")
    figure.get_axes()[0].set_title("(a) mask that goes on and on into (b)", loc="left")
    figure.text(0.95, 0.5, "out of the figure")
    assert any("overlaps '(b) distance image'" in fault for fault in faults(figure))
    assert "'out of the figure' leaves the figure" in faults(figure)


@pytest.mark.parametrize("name", OF_EXAMPLES)
def test_with_as_many_real_objects_as_there_is_room_for_nothing_overlaps(name, split, checked):
    images = images_named(split, [14, 30, 34, 57], checked)
    examples = largest_objects(images[: OF_EXAMPLES[name].most], "bitmask")
    assert faults(OF_EXAMPLES[name].draw(*examples)) == []


@pytest.mark.parametrize("few", [1, 2])
def test_with_few_objects_nothing_leaves_figure_2(few):
    assert faults(OF_EXAMPLES["fig2"].draw(*drawn_examples()[:few])) == []


def test_no_figure_needs_more_examples_than_are_drawn():
    assert max(figure.most for figure in OF_EXAMPLES.values()) == len(drawn_examples())


@pytest.mark.parametrize("name", NAMES)
def test_a_figure_is_as_wide_as_a_column_or_both(name, figures):
    width, height = figures[name].get_size_inches()
    assert width in (SINGLE_IN, DOUBLE_IN)
    assert height < 8


@pytest.mark.parametrize("name", NAMES)
def test_the_same_figure_is_the_same_bytes(name, draw, saved, tmp_path):
    figure = draw(name)
    for suffix in reversed(SUFFIXES):
        save(figure, tmp_path / name, suffix)
        assert (tmp_path / name).read_bytes() == (saved / f"{name}.{suffix}").read_bytes()


@pytest.mark.skipif(not shutil.which("pdffonts"), reason="poppler-utils is not installed")
@pytest.mark.parametrize("name", NAMES)
def test_every_font_is_inside_the_pdf(name, saved):
    listed = subprocess.run(
        ["pdffonts", saved / f"{name}.pdf"], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    # Columns at the right: emb sub uni object ID, the last of which is two numbers.
    fonts = [line.split() for line in listed[2:]]
    assert fonts
    assert all(font[-5] == "yes" for font in fonts), "\n".join(listed)
    assert not any("Type 3" in line for line in listed)


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_latex_includes_every_figure_as_it_is_within_its_columns(saved, tmp_path):
    included = "\n\n".join(f"\\noindent\\includegraphics{{{saved}/{name}.pdf}}" for name in NAMES)
    (tmp_path / "all.tex").write_text(
        "\\documentclass{article}\n\\usepackage{graphicx}\n"
        f"\\setlength{{\\textwidth}}{{{DOUBLE_IN}in}}\\setlength{{\\textheight}}{{9in}}\n"
        f"\\begin{{document}}\n{included}\n\\end{{document}}\n"
    )
    command = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "all.tex"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    assert "Overfull" not in done.stdout
