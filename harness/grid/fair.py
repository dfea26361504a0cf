"""Which runs may be compared: with each other, and with what the paper prints."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from harness.errors import HarnessError
from harness.grid.grid import Cell
from harness.grid.losses import NO_LOSS, Loss, newest_revision
from harness.grid.recipes import Setting, finetune
from harness.grid.spec import ADDED_LATER, RunSpec, identity_of

LOSS_CODE = "loss.revision"
KINDS = {
    "scale": ("scale",),
    "split": ("train_split", "test_split"),
    # What a gradient step is: how many, how large, from how many images, how exactly computed. The
    # losses average over each process's positives, so the number of GPUs is part of it.
    "schedule": ("schedule", "total_batch_size", "num_gpus", "precision"),
    # Another network than the one whose numbers are printed, under the same name.
    "architecture": ("architecture", "semantic_branch"),
    # Other arithmetic at the same setting: formulas, and how masks are rasterized.
    "code": ("loss", "recipe_revision", "data_revision", "mask_format"),
}
IN_WORDS = {
    "scale": "",
    "train_split": "trained on",
    "test_split": "tested on",
    LOSS_CODE: "losses revision",
    "recipe_revision": "recipe revision",
    "data_revision": "data revision",
}
# Of a user's own data, which its splits tell already.
HASHES = ("train_hash", "test_hash")
SHA256_LETTERS = 64


class UnfairPairError(HarnessError):
    """Two runs whose difference would not be that of the ablated fields alone."""


@dataclass(frozen=True)
class Unlike:
    """A field in which two runs differ; `schedule.steps` is the field `steps` of the schedule."""

    field: str
    one: Any
    other: Any

    def __str__(self) -> str:
        return f"{self.field} ({_short(self.one)} and {_short(self.other)})"


def unfair_fields(
    one: RunSpec, other: RunSpec, ablated: Sequence[str] = ("loss",)
) -> tuple[Unlike, ...]:
    """The fields in which two runs differ, those that are compared left out; () for a fair pair.

    Fields that move no number (paths, periods of checkpoints) are none. Bases need no look of
    their own: a fine-tune's follows from the same fields. The revision of the losses is code and
    no choice of a loss, so of two runs that both add a term none may be of older code than the
    other even where the loss is compared.

    Args:
        one: a fine-tune or a base.
        other: another.
        ablated: fields that are compared, whole ("loss") or in part ("schedule.base_lr").
    """
    exempt = set(ablated)
    found = tuple(
        unlike
        for unlike in _differences(one, other)
        if not exempt & {unlike.field, unlike.field.partition(".")[0]}
    )
    return found + _older_code(one.loss, other.loss) if "loss" in exempt else found


def refuse_unfair(one: RunSpec, other: RunSpec, ablated: Sequence[str] = ("loss",)) -> None:
    """Nothing comes back where the difference of two runs is that of the fields `ablated` alone.

    Raises:
        UnfairPairError: they differ in more, which is named.
    """
    found = unfair_fields(one, other, ablated)
    if found:
        told = ", ".join(map(str, found))
        raise UnfairPairError(
            f"Runs {one.run_id} and {other.run_id} are not compared: besides "
            f"{' and '.join(ablated)} they differ in {told}. Take two runs that agree in the rest, "
            "or train one of these anew with the other's values."
        )


def baseline_of(cell: Cell, cells: Iterable[Cell]) -> Cell | None:
    """The row that `cell` is held against: of its table, the row without a term most like it.

    Whether the two are a fair pair, `unfair_fields` tells. None for a row that adds no term itself,
    and in a table where every row adds one.
    """
    if cell.spec.loss == NO_LOSS:
        return None
    plain = [one for one in cells if one.table == cell.table and one.spec.loss == NO_LOSS]
    return min(plain, key=lambda one: len(unfair_fields(cell.spec, one.spec)), default=None)


def obstacles(spec: RunSpec) -> tuple[str, ...]:
    """Why the number of a run is not comparable to a printed one; () where nothing is in the way.

    Each is a kind (scale, split, schedule, architecture or code) and what differs from the run of
    the same seed and loss in the paper's recipe, the recipe's value in brackets:
    "split: trained on coco_2014_trainval35k (coco_2014_train)". The loss is the paper's in its
    printed formulas, at weight 1, in the newest revision. What harness does unlike the paper's
    code base in every run is in the way of none: experiments/README.md has the list.

    Args:
        spec: a fine-tune.

    Raises:
        ValueError: it is a base, which has no number.
    """
    if spec.stage != "finetune":
        raise ValueError(f"spec is a {spec.stage}: only a fine-tune has a number to compare")
    loss = spec.loss
    if loss != NO_LOSS:
        printed = None if loss.variant is None else "paper"
        loss = replace(loss, variant=printed, weight=1.0, revision=newest_revision(loss.name))
    recipe = finetune(Setting(scale="paper", seed=spec.seed), spec.architecture, loss)
    found: dict[str, list[str]] = {}
    for unlike in _differences(spec, recipe):
        if unlike.field in HASHES:
            continue
        words = IN_WORDS.get(unlike.field, unlike.field.removeprefix("schedule."))
        told = f"{words} {_short(unlike.one)} ({_short(unlike.other)})"
        found.setdefault(_kind(unlike.field), []).append(told.strip())
    return tuple(f"{kind}: {', '.join(found[kind])}" for kind in KINDS if kind in found)


def obstacles_of_pair(method: RunSpec, baseline: RunSpec) -> tuple[str, ...]:
    """Why the difference of two runs is not comparable to a printed one; () where nothing is.

    That they are no fair pair comes first ("pair: ..."), then the obstacles of both.
    """
    pair = faults_of_pair(method, baseline)
    return tuple(dict.fromkeys((*pair, *obstacles(method), *obstacles(baseline))))


def faults_of_pair(method: RunSpec, baseline: RunSpec) -> tuple[str, ...]:
    """That two runs are no fair pair, "pair: the two differ in ..."; () where they are one."""
    unfair = ", ".join(map(str, unfair_fields(method, baseline)))
    return (f"pair: the two differ in {unfair}",) if unfair else ()


def _differences(one: RunSpec, other: RunSpec) -> tuple[Unlike, ...]:
    ours, theirs = _flat(one), _flat(other)
    return tuple(
        Unlike(name, ours[name], theirs[name]) for name in ours if ours[name] != theirs[name]
    )


def _older_code(one: Loss, other: Loss) -> tuple[Unlike, ...]:
    """That one of two terms is further behind the newest code of its own than the other."""
    if NO_LOSS in (one, other) or _behind(one) == _behind(other):
        return ()
    told = [f"{loss.revision} of {newest_revision(loss.name)}" for loss in (one, other)]
    return (Unlike(LOSS_CODE, *told),)


def _behind(loss: Loss) -> int:
    return newest_revision(loss.name) - loss.revision


def _flat(spec: RunSpec) -> dict[str, Any]:
    """The fields behind the id; those of loss and schedule one by one."""
    flat: dict[str, Any] = {}
    for name, value in {**ADDED_LATER, **identity_of(spec)}.items():
        parts = value if isinstance(value, Mapping) else {"": value}
        flat.update({f"{name}.{part}".rstrip("."): item for part, item in parts.items()})
    return flat


def _kind(field: str) -> str:
    return next(kind for kind, names in KINDS.items() if field.partition(".")[0] in names)


def _short(value: object) -> str:
    if isinstance(value, tuple):
        return "/".join(map(_short, value))
    if isinstance(value, str) and len(value) == SHA256_LETTERS:
        return value[:8]
    return f"{value:g}" if isinstance(value, float) else str(value)
