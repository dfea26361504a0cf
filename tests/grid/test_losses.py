from dataclasses import asdict, replace

import pytest

from harness.errors import SpecError
from harness.grid import NO_LOSS, Loss, contour, mse_contour, mse_edge
from harness.grid.losses import LOSS_TERMS, LOSSES_REVISION, LossTerm, newest_revision

DICE = "harness.losses.dice:dice_loss"


@pytest.fixture
def dice(monkeypatch):
    """A function that puts a loss of one's own into the table."""
    return lambda term: monkeypatch.setitem(LOSS_TERMS, "dice", term)


def test_a_term_that_takes_what_no_loss_has_is_refused_where_it_is_written():
    message = (
        r"^Loss harness\.losses\.dice:dice_loss takes 'gamma'.* the options k and variant alone"
    )
    with pytest.raises(SpecError, match=message):
        LossTerm(DICE, ("k", "gamma"))


@pytest.mark.parametrize(
    "function", ["dice_loss", "harness.losses.dice", ":dice_loss", "dice:", ""]
)
def test_a_function_is_named_by_its_module_and_its_name(function):
    with pytest.raises(SpecError, match=r"is no function's name: write \"module:name\", as "):
        LossTerm(function)


@pytest.mark.parametrize("changed", [{"weight": 2.0}, {"revision": 1}])
def test_the_baseline_adds_nothing_and_so_has_neither_weight_nor_revision(changed):
    (name,) = changed
    with pytest.raises(SpecError, match=rf"^{name}=\S+: loss 'none' adds nothing\. Write NO_LOSS"):
        Loss(name="none", **changed)


def test_the_baseline_written_by_its_name_is_the_baseline():
    assert Loss(name="none") == NO_LOSS


def test_a_loss_is_of_the_newest_code_where_nothing_else_is_said():
    assert {loss.revision for loss in (contour(), mse_edge(), mse_contour())} == {LOSSES_REVISION}
    assert NO_LOSS.revision == 0


def test_a_revision_of_its_own_moves_one_loss_and_no_other(dice):
    before = {loss.name: asdict(loss) for loss in (NO_LOSS, contour(), mse_edge(), mse_contour())}
    dice(LossTerm(DICE))
    assert Loss(name="dice").revision == LOSSES_REVISION
    dice(LossTerm(DICE, revision=LOSSES_REVISION + 1))
    assert Loss(name="dice").revision == LOSSES_REVISION + 1
    assert {name: newest_revision(name) for name in before} == {
        name: loss["revision"] for name, loss in before.items()
    }
    assert before == {
        loss.name: asdict(loss) for loss in (NO_LOSS, contour(), mse_edge(), mse_contour())
    }


def test_a_loss_of_an_earlier_revision_stays_what_it_is(dice):
    dice(LossTerm(DICE, revision=2))
    earlier = Loss(name="dice", revision=1)
    assert Loss(**asdict(earlier)) == earlier
    assert replace(earlier, weight=0.5).revision == 1
