"""`harness figure`: a figure of the paper, as PDF and PNG."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.data.splits import Split, locate
from harness.errors import HarnessError, unknown
from harness.grid import NO_LOSS, finetune
from harness.grid.spec import RunSpec
from harness.launch.prepare_data import is_drawn, prepare_data
from harness.workplace import Workplace

if TYPE_CHECKING:
    from matplotlib.figure import Figure

ARCHITECTURE = "mask_rcnn_R50_FPN"  # whose training images are shown: those of Tables I and II
TYPICAL_IMAGES, MOST_IMAGES = 8, 12  # of Fig. 7


def write_figure(place: Workplace, name: str, image_ids: Sequence[int]) -> list[Path]:
    """Draw the figure `name` into the results of `place`.

    Args:
        place: whose data, runs and results it shows.
        name: one of `FIGURES`.
        image_ids: of images to show, of the training split, in Fig. 9 of the test split; none for
            the figure's own choice.

    Returns:
        The PDF and the PNG.

    Raises:
        HarnessError: there is no such figure, it has no room for as many images or shows none, or
            what it is drawn from is missing or damaged; says why.
    """
    from harness.rebuild import save_figure

    if name not in FIGURES:
        raise HarnessError(unknown("figure", name, FIGURES))
    return save_figure(FIGURES[name](place, name, image_ids), name, place.results)


def _of_examples(place: Workplace, name: str, image_ids: Sequence[int]) -> "Figure":
    from harness.illustrate.examples import largest_objects
    from harness.illustrate.figures import OF_EXAMPLES
    from harness.illustrate.training_images import images_named

    figure = OF_EXAMPLES[name]
    _check_room(name, image_ids, figure.most)
    spec = _spec(place)
    if not image_ids:
        return figure.draw()
    images = images_named(_training_split(place, spec), image_ids, place.runs.checked)
    return figure.draw(*largest_objects(images, spec.mask_format))


def _of_training_images(place: Workplace, name: str, image_ids: Sequence[int]) -> "Figure":
    from harness.illustrate.polygons import fig7
    from harness.illustrate.training_images import TYPICAL, images_named, typical_images

    _check_room(name, image_ids, MOST_IMAGES)
    spec = _spec(place)
    split = _training_split(place, spec)
    if image_ids:
        images = images_named(split, image_ids, place.runs.checked)
        return fig7(images, f"Training images of {_called(place, spec)}, chosen by their ids.")
    images = typical_images(split, TYPICAL_IMAGES, place.runs.checked)
    return fig7(images, f"The first training images of {_called(place, spec)} {TYPICAL}.")


def _of_predictions(place: Workplace, name: str, image_ids: Sequence[int]) -> "Figure":
    from harness.illustrate.fig9 import MOST_COLUMNS, fig9

    _check_room(name, image_ids, MOST_COLUMNS)
    return fig9(place.known_grid(), place.runs, image_ids)


def _of_runs(place: Workplace, name: str, image_ids: Sequence[int]) -> "Figure":
    from harness.rebuild import draw_figure

    if image_ids:
        raise HarnessError(
            f"{name} is drawn from the numbers of runs and shows no images. Leave --images out."
        )
    return draw_figure(name, place.known_grid(), place.results, place.published)


FIGURES: dict[str, Callable[[Workplace, str, Sequence[int]], "Figure"]] = {
    "fig2": _of_examples,
    "fig3": _of_examples,
    "fig4": _of_examples,
    "fig5": _of_examples,
    "fig6": _of_examples,
    "fig7": _of_training_images,
    "fig8": _of_runs,
    "fig9": _of_predictions,
}


def _check_room(name: str, image_ids: Sequence[int], most: int) -> None:
    if len(image_ids) > most:
        room = "one image" if most == 1 else f"{most} images"
        raise HarnessError(
            f"{name} has room for {room}, and --images was given {len(image_ids)} times. Name "
            "fewer."
        )


def _spec(place: Workplace) -> RunSpec:
    return finetune(place.setting, ARCHITECTURE, NO_LOSS)


def _training_split(place: Workplace, spec: RunSpec) -> Split:
    if is_drawn(spec):
        prepare_data([spec], place.runs.checked)
    return locate(spec.train_split, spec.data_dir)


def _called(place: Workplace, spec: RunSpec) -> str:
    if place.setting.data_dir is not None:
        return place.setting.data_dir.resolve().name
    return "the drawn shapes" if is_drawn(spec) else spec.train_split
