"""A picture with sliders below it, for notebooks; without a front end it is the picture alone."""

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from matplotlib.figure import Figure

from harness.report.style import png

if TYPE_CHECKING:
    from IPython.display import Image
    from ipywidgets import SelectionSlider

SHOWN_DPI = 110  # the picture has more pixels: sharp on dense screens


def explore(draw: Callable[..., Figure], **choices: Sequence[Any]) -> None:
    """Show what `draw` draws of its defaults, and a slider for each of its arguments in `choices`.

    The picture is output of the cell itself, which the sliders change: whoever runs or exports a
    notebook where there are no sliders has it too.

    Args:
        draw: takes keyword arguments that have defaults, and returns a figure.
        choices: for such an argument the values to choose from, its default among them.

    Raises:
        ValueError: `draw` has no such argument, or its default is not to be chosen.
    """
    from IPython.display import display
    from ipywidgets import SelectionSlider, VBox

    sliders = {
        name: SelectionSlider(
            options=list(values), value=_default(draw, name, values), description=name
        )
        for name, values in choices.items()
    }
    picture = display(_picture(draw, sliders), display_id=True)

    def renew(change: object) -> None:
        picture.update(_picture(draw, sliders))

    for slider in sliders.values():
        slider.observe(renew, names="value")
    display(VBox(list(sliders.values())))


def _default(draw: Callable[..., Figure], name: str, values: Sequence[Any]) -> object:
    parameter = inspect.signature(draw).parameters.get(name)
    if parameter is None or parameter.default not in values:
        raise ValueError(f"{name}={list(values)!r}: no argument of {draw!r} with one as default")
    return parameter.default


def _picture(draw: Callable[..., Figure], sliders: "dict[str, SelectionSlider]") -> "Image":
    from IPython.display import Image

    figure = draw(**{name: slider.value for name, slider in sliders.items()})
    return Image(png(figure), width=round(figure.get_figwidth() * SHOWN_DPI))
