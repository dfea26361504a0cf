"""What the losses see of one mask, for one choice of k and variant: for notebooks/01_losses."""

from typing import TYPE_CHECKING

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from harness.illustrate.made_up import disc, disc_logits
from harness.illustrate.rois import SIDE
from harness.illustrate.transforms import HIGHEST_RESPONSE
from harness.report.style import BLUE, DOUBLE_IN, SINGLE_IN, STYLE, VERMILION

if TYPE_CHECKING:
    from torch import Tensor

HEIGHT_IN = 3.9
COLUMNS = ("mask", "soft binarization", "contour response", "{k}-step distance")
LOWEST = {"paper": 1 - HIGHEST_RESPONSE, "sound": 0}  # of a distance, on the contour itself
COLOURS = {"paper": VERMILION, "sound": BLUE}
REACH = 10  # px from the edge that a profile shows


def loss_view(*, k: int = 2, variant: str = "paper", shift: int = 2, radius: int = 8) -> Figure:
    """A disc as predicted and as it is: each step from mask to distance image, and the losses.

    Args:
        k: number of dilations, at least 1.
        variant: "paper" or "sound".
        shift: of the predicted disc to the right, in px.
        radius: of the disc, in px; from 14 on it touches the frame.
    """
    logits_NHW, gt_NHW = disc_logits(radius, shift), disc(radius)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(DOUBLE_IN, HEIGHT_IN), layout="constrained")
        figure.suptitle(_losses(logits_NHW, gt_NHW, k, variant))
        axes = figure.subplots(2, len(COLUMNS))
        spans = ((0, 1), (0, 1), (0, HIGHEST_RESPONSE), (LOWEST[variant], k + 1))
        steps = _steps(logits_NHW, gt_NHW, k, variant)
        for row, who, images in zip(axes, ("predicted", "true"), steps, strict=True):
            for cell, name, image, span in zip(row, COLUMNS, images, spans, strict=True):
                _show(figure, cell, f"{who}: {name.format(k=k)}", image, span)
    return figure


def distance_profile(*, k: int = 2) -> Figure:
    """The distance image along a line away from a straight edge, in both variants.

    Args:
        k: number of dilations, at least 1.
    """
    import torch

    from harness.losses.variants import VARIANTS

    edge = SIDE // 2  # from this column on the mask is 1
    masks = (torch.arange(SIDE) >= edge).double().expand(1, SIDE, SIDE)
    away = np.arange(REACH + 1)  # 0 is the last column outside: there the response is 2
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=(SINGLE_IN, 2.4), layout="constrained")
        axes = figure.subplots()
        axes.plot(away, np.minimum(away, k + 1), color="0.7", linewidth=4, label="distance, cut")
        for name, settings in VARIANTS.items():
            _, response = settings.responses(masks, masks)
            line = settings.distance(response, k)[0, SIDE // 2, edge - 1 - REACH : edge].flip(0)
            axes.plot(away, line, marker="o", color=COLOURS[name], label=f'variant "{name}"')
        axes.set_title(f"Distance image beside a straight edge, k = {k}", loc="left")
        axes.set_xlabel("px from the contour")
        axes.set_ylabel("value")
        axes.legend(frameon=False)
    return figure


def _steps(
    logits_NHW: "Tensor", gt_NHW: "Tensor", k: int, variant: str
) -> tuple[tuple["Tensor | None", ...], tuple["Tensor | None", ...]]:
    """The images of `COLUMNS`, each (1, H, W), of the prediction and of the truth."""
    import torch

    from harness.losses import soft_binarize
    from harness.losses.variants import variant_named

    settings = variant_named(variant)
    probs_NHW = torch.sigmoid(logits_NHW)
    predicted_NHW, true_NHW = settings.responses(logits_NHW, gt_NHW)
    return (
        (
            probs_NHW,
            soft_binarize(probs_NHW),
            predicted_NHW,
            settings.distance(predicted_NHW, k),
        ),
        (gt_NHW, None, true_NHW, settings.distance(true_NHW, k)),  # 0 or 1 already: so no B
    )


def _losses(logits_NHW: "Tensor", gt_NHW: "Tensor", k: int, variant: str) -> str:
    from harness.losses import contour_loss, mse_contour_loss, mse_edge_loss

    contour = contour_loss(logits_NHW, gt_NHW, k=k, variant=variant).item()
    edge = mse_edge_loss(logits_NHW, gt_NHW, variant=variant).item()
    distance = mse_contour_loss(logits_NHW, gt_NHW, k=k, variant=variant).item()
    return (
        f'k = {k}, variant "{variant}":  contour loss {contour:.3f},  MSE edge loss {edge:.3f},  '
        f"MSE contour loss {distance:.3f}"
    ).replace("-", "−")


def _show(
    figure: Figure, axes: Axes, title: str, image: "Tensor | None", span: tuple[float, float]
) -> None:
    axes.set_axis_off()
    if image is None:
        return
    pixels = image[0].numpy()
    shown = axes.imshow(pixels, vmin=span[0], vmax=span[1], cmap="viridis", interpolation="nearest")
    figure.colorbar(shown, ax=axes, shrink=0.8)
    low, high = (f"{value + 0.0:.2f}".replace("-", "−") for value in (pixels.min(), pixels.max()))
    axes.set_title(f"{title}\n{low} to {high}", loc="left")
