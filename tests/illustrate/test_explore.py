import base64

import nbformat
import pytest
from nbclient import NotebookClient

from harness.errors import HarnessError
from harness.illustrate.explore import explore, show
from harness.illustrate.loss_view import distance_profile
from harness.report.style import png

SHOW = """
from harness.illustrate.explore import explore
from harness.illustrate.loss_view import distance_profile

explore(distance_profile, k=(1, 2, 3))
"""
MOVE = """
from ipywidgets.widgets.widget import _instances

(slider,) = (one for one in _instances.values() if type(one).__name__ == "SelectionSlider")
slider.value = 3
"""


@pytest.mark.slow
def test_a_slider_changes_the_picture_of_its_cell(tmp_path, monkeypatch):
    for name in ("IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_RUNTIME_DIR"):
        monkeypatch.setenv(name, str(tmp_path / name))

    cells = [nbformat.v4.new_code_cell(source) for source in (SHOW, MOVE)]
    client = NotebookClient(nbformat.v4.new_notebook(cells=cells), timeout=60)

    def picture() -> bytes:
        return base64.b64decode(cells[0].outputs[0].data["image/png"])

    with client.setup_kernel():
        client.execute_cell(cells[0], 0)
        assert picture() == png(distance_profile())  # the defaults
        client.execute_cell(cells[1], 1)
        assert picture() == png(distance_profile(k=3))


@pytest.mark.parametrize("choices", [{"steps": (1, 2)}, {"k": (1, 3)}])
def test_only_an_argument_with_its_default_among_the_choices_has_a_slider(choices):
    (name,) = choices
    with pytest.raises(ValueError, match=rf"^{name}=\[1, .\]: no argument of .*distance_profile"):
        explore(distance_profile, **choices)


def test_what_cannot_be_drawn_is_told_in_words(monkeypatch):
    def draw():
        raise HarnessError("runs/<no such> is missing. Next: `harness demo`.")

    told = []
    monkeypatch.setattr("IPython.display.display", told.append)
    show(draw)
    (words,) = told
    assert words.data == (
        '<p style="white-space: pre-wrap">'
        "runs/&lt;no such&gt; is missing. Next: `harness demo`.</p>"
    )


def test_a_bug_is_no_words_but_an_error():
    with pytest.raises(ZeroDivisionError):
        show(lambda: 1 / 0)
