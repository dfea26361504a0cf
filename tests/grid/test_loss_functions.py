"""A loss whose function is not there is found without torch, before any base is trained for it."""

import sys

import pytest

from harness.errors import SpecError
from harness.grid import NO_LOSS, Loss, Setting, base_of, finetune
from harness.grid.loss_functions import refuse_without_function
from harness.grid.losses import LOSS_TERMS, LossTerm


@pytest.fixture
def with_own(monkeypatch):
    """A function from a loss's function to a run that adds the loss."""

    def spec(function: str):
        monkeypatch.setitem(LOSS_TERMS, "own", LossTerm(function))
        return finetune(Setting(), "mask_rcnn_R50_FPN", Loss(name="own"))

    return spec


@pytest.fixture
def own_package(tmp_path, monkeypatch):
    """A package on the path; importing it, or any module of it, fails."""
    package = tmp_path / "own_losses"
    package.mkdir()
    (package / "__init__.py").write_text("raise AssertionError('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    return package


def test_the_functions_of_all_losses_are_there(tables):
    refuse_without_function(tables().runs.values())
    for name, term in LOSS_TERMS.items():
        options = {"k": 2, "variant": "paper"}
        loss = Loss(name=name, **{option: options[option] for option in term.options})
        refuse_without_function([finetune(Setting(), "mask_rcnn_R50_FPN", loss)])


@pytest.mark.parametrize(
    ("function", "wrong"),
    [
        ("harness.losses:nope", "module harness.losses neither defines nor imports 'nope'"),
        ("harness.losses.nope:dice", "there is no module harness.losses.nope"),
        ("harness.losses.ksdt.nope:dice", "there is no module harness.losses.ksdt.nope"),
        ("nope.losses:dice", "there is no module nope.losses"),
        # It is read there, and defined nowhere.
        ("harness.losses.ksdt:range", "module harness.losses.ksdt neither defines nor imports"),
    ],
)
def test_a_function_that_is_not_there_is_told_with_what_is_missing(with_own, function, wrong):
    with pytest.raises(SpecError, match=rf"^Loss 'own' is {function}, but {wrong}.* Write it, or"):
        refuse_without_function([with_own(function)])


@pytest.mark.parametrize(
    "source",
    [
        "def dice(a, b): ...",
        "from elsewhere import dice",
        "from elsewhere import tversky as dice",
        "dice = partial(tversky, alpha=0.5)",
        "class dice: ...",
        "try:\n    from fast import dice\nexcept ImportError:\n    from slow import dice",
    ],
)
def test_a_function_may_come_into_its_module_in_any_way(with_own, own_package, source):
    (own_package / "masks.py").write_text(source)
    refuse_without_function([with_own("own_losses.masks:dice")])
    assert "own_losses" not in sys.modules


@pytest.mark.parametrize(
    ("source", "told"),
    [
        (b"def dice(a, b:", r"cannot be read: '\(' was never closed \(own_losses\.masks, line 1\)"),
        (b"dice = '\xff'", "cannot be read: invalid or missing encoding"),
        (b"def other():\n    dice = 1\n", "neither defines nor imports 'dice'"),
    ],
)
def test_a_module_that_cannot_give_the_function_is_told(with_own, own_package, source, told):
    (own_package / "masks.py").write_bytes(source)
    with pytest.raises(SpecError, match=rf"but module own_losses\.masks {told}"):
        refuse_without_function([with_own("own_losses.masks:dice")])


def test_what_only_importing_tells_is_let_pass(with_own):
    # numpy's core is compiled: it has no source in which to look.
    refuse_without_function([with_own("numpy._core._multiarray_umath:dot")])


def test_runs_without_a_term_need_no_function(tables):
    baseline = finetune(Setting(), "mask_rcnn_R50_FPN", NO_LOSS)
    refuse_without_function([baseline, base_of(baseline)])
