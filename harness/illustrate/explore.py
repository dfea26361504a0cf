"""Pictures in a notebook, with sliders and menus below them; without a front end they are alone.

What cannot be drawn is told in words in the place of its picture, and the notebook goes on.
"""

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from html import escape
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from harness.errors import HarnessError
from harness.report.style import png

if TYPE_CHECKING:
    from IPython.display import HTML, Image
    from ipywidgets import Dropdown, SelectionSlider

SHOWN_DPI = 110  # the picture has more pixels: sharp on dense screens

Drawn = Figure | str  # a figure, or a piece of HTML


def show(draw: Callable[[], Drawn]) -> None:
    """Show what `draw` draws, or the `HarnessError` that tells why it cannot be drawn."""
    from IPython.display import display

    display(_picture(draw))


def explore(draw: Callable[..., Drawn], **choices: Sequence[Any]) -> None:
    """Show what `draw` draws of its defaults, and a control for each of its arguments in `choices`.

    A control is a menu of names, or a slider. The picture is output of the cell itself, which the
    controls change: whoever runs or exports a notebook where there are none has it too. A
    `HarnessError` of `draw` is told in its place.

    Args:
        draw: takes keyword arguments that have defaults, and returns a figure or HTML.
        choices: for such an argument the values to choose from, its default among them.

    Raises:
        ValueError: `draw` has no such argument, or its default is not to be chosen.
    """
    from IPython.display import display
    from ipywidgets import VBox

    controls = {
        name: _control(name, values, _default(draw, name, values))
        for name, values in choices.items()
    }
    picture = display(_picture(_chosen(draw, controls)), display_id=True)

    def renew(change: object) -> None:
        picture.update(_picture(_chosen(draw, controls)))

    for control in controls.values():
        control.observe(renew, names="value")
    display(VBox(list(controls.values())))


def _default(draw: Callable[..., Drawn], name: str, values: Sequence[Any]) -> object:
    parameter = inspect.signature(draw).parameters.get(name)
    if parameter is None or parameter.default not in values:
        raise ValueError(f"{name}={list(values)!r}: no argument of {draw!r} with one as default")
    return parameter.default


def _control(name: str, values: Sequence[Any], value: object) -> "Dropdown | SelectionSlider":
    from ipywidgets import Dropdown, SelectionSlider

    kind = Dropdown if isinstance(value, str) else SelectionSlider
    return kind(options=list(values), value=value, description=name)


def _chosen(
    draw: Callable[..., Drawn], controls: "Mapping[str, Dropdown | SelectionSlider]"
) -> Callable[[], Drawn]:
    return partial(draw, **{name: control.value for name, control in controls.items()})


def _picture(draw: Callable[[], Drawn]) -> "HTML | Image":
    from IPython.display import HTML, Image

    try:
        drawn = draw()
    except HarnessError as error:
        return HTML(f'<p style="white-space: pre-wrap">{escape(str(error))}</p>')
    if isinstance(drawn, str):
        return HTML(drawn)
    return Image(png(drawn), width=round(drawn.get_figwidth() * SHOWN_DPI))
