"""`harness plan` of a loss whose function is not there: refused while the run is ahead."""

import pytest

from harness.commands.plan import print_plan
from harness.errors import SpecError
from harness.grid import NO_LOSS, Cell, Layout, Loss, finetune, table_grid
from harness.grid.losses import LOSS_TERMS, LossTerm
from harness.grid.spec import identity_of
from harness.records import METRICS, Metrics, write_metrics


@pytest.fixture
def grid(place, monkeypatch):
    """A baseline, and a row whose loss names a function that is not there."""
    monkeypatch.setitem(LOSS_TERMS, "own", LossTerm("harness.losses.nope:dice"))
    losses = {"baseline": NO_LOSS, "own": Loss(name="own")}
    cells = [
        Cell("t", row, finetune(place.setting, "mask_rcnn_R50_FPN", loss), {})
        for row, loss in losses.items()
    ]
    return table_grid("t", Layout("", ("mAP",)), cells)


@pytest.fixture
def plan(grid, place):
    return lambda: print_plan(grid, place, None, power=False, noise=None, as_json=True)


def test_what_submit_would_refuse_is_not_planned(plan):
    with pytest.raises(SpecError, match=r"^Loss 'own' is .* no module harness\.losses\.nope\."):
        plan()


def test_what_is_done_needs_its_function_no_more(plan, grid, place, capsys):
    spec = grid.cells[1].spec
    metrics = Metrics(
        run_id=spec.run_id,
        parent=None,
        spec=identity_of(spec),
        ap={"segm": dict.fromkeys(METRICS, 30.0)},
        annotations={"shapes_val": "a" * 64},
        order_hash="b" * 64,
        evaluator="pycocotools 2.0.11",
        environment={},
        gpu_hours=0.1,
    )
    place.runs.run(spec.run_id).folder.mkdir(parents=True)
    write_metrics(place.runs.run(spec.run_id).metrics, metrics)
    plan()
    assert spec.run_id in capsys.readouterr().out
