"""Which losses there are: what a fine-tune adds to the mask loss, by name."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from harness.errors import SpecError, unknown

OPTIONS = ("k", "variant")
VARIANTS = ("paper", "sound")
# Raised when a fixed bug moves the numbers of all losses: new ids, new runs.
LOSSES_REVISION = 1
NEWEST = -1  # of the revisions of a loss


@dataclass(frozen=True)
class LossTerm:
    """How a loss is computed.

    Attributes:
        function: of (mask_logits, gt_masks), both (N, H, W), as "module:name"; it is imported where
            a model is built, since a login node has no torch.
        options: the fields of `Loss` that the function takes by keyword, of "k" and "variant".
        revision: of its code. `LOSSES_REVISION + 1` once a change has moved the numbers of this
            loss alone: it still follows a change of all.
    """

    function: str
    options: tuple[str, ...] = ()
    revision: int = LOSSES_REVISION

    def __post_init__(self) -> None:
        if not all(self.function.partition(":")):
            raise SpecError(
                f'{self.function!r} is no function\'s name: write "module:name", as '
                '"harness.losses:contour_loss".'
            )
        for option in self.options:
            if option not in OPTIONS:
                raise SpecError(
                    f"Loss {self.function} takes {option!r}, which `Loss` does not have: a loss "
                    f"takes the options {' and '.join(OPTIONS)} alone. Leave it out."
                )


# A loss of your own takes a line: experiments/README.md, "Add a loss".
LOSS_TERMS: Mapping[str, LossTerm] = {
    "contour": LossTerm("harness.losses:contour_loss", ("k", "variant")),
    "mse_edge": LossTerm("harness.losses:mse_edge_loss", ("variant",)),
    "mse_contour": LossTerm("harness.losses:mse_contour_loss", ("k", "variant")),
}
NO_TERM = "none"  # the baseline


@dataclass(frozen=True, kw_only=True)
class Loss:
    """The term added to the mask loss in a fine-tune.

    Attributes:
        name: in `LOSS_TERMS`; "none" is the baseline, which adds nothing.
        k: steps of the distance transform, at least 1; None where the loss has no k.
        variant: "paper" or "sound"; None where the loss has none.
        weight: factor of the term, above 0.
        revision: of the term's code, at first the newest that there is.
    """

    name: str
    k: int | None = None
    variant: str | None = None
    weight: float = 1.0
    revision: int = NEWEST

    def __post_init__(self) -> None:
        if self.name not in (NO_TERM, *LOSS_TERMS):
            raise SpecError(unknown("loss", self.name, (NO_TERM, *LOSS_TERMS)))
        if self.revision == NEWEST:
            object.__setattr__(self, "revision", newest_revision(self.name))
        self._refuse_other_options(() if self.name == NO_TERM else LOSS_TERMS[self.name].options)
        if not (math.isfinite(self.weight) and self.weight > 0):
            raise SpecError(f"weight={self.weight} of loss {self.name!r}: it must be above 0.")
        if self.name == NO_TERM:
            self._refuse_other_than_nothing()

    def _refuse_other_options(self, options: tuple[str, ...]) -> None:
        for option in OPTIONS:
            value = getattr(self, option)
            if option not in options and value is not None:
                raise SpecError(
                    f"{option}={value!r}: loss {self.name!r} has no {option}. Leave {option} out."
                )
        if "k" in options and (type(self.k) is not int or self.k < 1):
            raise SpecError(f"k={self.k!r} of loss {self.name!r}: k is a whole number, 1 or more.")
        if "variant" in options and self.variant not in VARIANTS:
            raise SpecError(unknown("loss variant", str(self.variant), VARIANTS))

    def _refuse_other_than_nothing(self) -> None:
        # It would be no NO_LOSS: taken for a loss, and found to be none when its base is trained.
        for name, only in (("weight", 1.0), ("revision", newest_revision(NO_TERM))):
            value = getattr(self, name)
            if value != only:
                raise SpecError(
                    f"{name}={value!r}: loss {NO_TERM!r} adds nothing. Write NO_LOSS for it."
                )


def newest_revision(name: str) -> int:
    """The revision that the code of the loss `name` has here; 0 for the baseline, which has none.

    Args:
        name: in `LOSS_TERMS`, or "none".
    """
    return 0 if name == NO_TERM else LOSS_TERMS[name].revision


NO_LOSS = Loss(name=NO_TERM)


def contour(k: int = 2, variant: str = "paper", weight: float = 1.0) -> Loss:
    """The contour loss (eq 17); k = 2 is the paper's choice (IV-C)."""
    return Loss(name="contour", k=k, variant=variant, weight=weight)


def mse_edge(variant: str = "paper", weight: float = 1.0) -> Loss:
    """The MSE edge loss (eq 18)."""
    return Loss(name="mse_edge", variant=variant, weight=weight)


def mse_contour(k: int = 2, variant: str = "paper", weight: float = 1.0) -> Loss:
    """The MSE contour loss (eq 19)."""
    return Loss(name="mse_contour", k=k, variant=variant, weight=weight)
