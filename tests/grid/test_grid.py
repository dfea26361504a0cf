import pytest

from harness.errors import SpecError
from harness.grid import Cell, Layout, Setting, contour, finetune, merge, table_grid
from harness.grid.spec import base_of

LAYOUT = Layout("", ("Method", "mAP"))


def cell(row: str, k: int = 2, labels: tuple[str, ...] = ("Method",)) -> Cell:
    spec = finetune(Setting(scale="demo"), "mask_rcnn_R50_FPN", contour(k=k))
    return Cell("t", row, spec, dict.fromkeys(labels, row))


def test_cells_that_ask_for_one_training_share_one_run():
    grid = table_grid("t", LAYOUT, [cell("a"), cell("b"), cell("c", k=3)])
    shown = grid.cells[0].spec.run_id
    assert grid.cell_names[shown] == ("t/a", "t/b")
    assert list(grid.runs) == [
        base_of(grid.cells[0].spec).run_id,
        shown,
        grid.cells[2].spec.run_id,
    ]


def test_every_base_stands_before_its_fine_tunes(tables):
    runs = tables().runs
    order = list(runs)
    for run_id, spec in runs.items():
        base = base_of(spec)
        assert base is None or order.index(base.run_id) < order.index(run_id)
    assert all(run_id == spec.run_id for run_id, spec in runs.items())


def test_a_run_is_named_after_the_first_cell_that_shows_it(tables):
    grid = tables()
    contour_row = next(cell for cell in grid.cells if cell.name == "table2/contour")
    assert grid.name_of(contour_row.spec.run_id) == "table1/k=2"
    assert grid.name_of(base_of(contour_row.spec).run_id) == "base mask_rcnn_R50_FPN"


def test_a_table_holds_its_own_rows_in_reading_order(tables):
    rows = [cell.row for cell in tables().table("table2")]
    assert rows == ["baseline", "mse_edge", "mse_contour", "contour"]


def test_grids_are_merged_in_the_order_given(tables):
    merged = merge([tables("paper", "table2"), tables("paper", "table1")])
    assert list(merged.layouts) == ["table2", "table1"]
    assert [cell.table for cell in merged.cells] == ["table2"] * 4 + ["table1"] * 7


def test_a_doubled_row_is_refused():
    with pytest.raises(SpecError, match=r"^Table 't' has more than one row 'a': rename one\.$"):
        table_grid("t", LAYOUT, [cell("a"), cell("a", k=3)])


@pytest.mark.parametrize("labels", [(), ("Method", "k"), ("method",)])
def test_labels_that_are_not_the_text_columns_are_refused(labels):
    message = rf"Row 't/a' has labels {sorted(labels)}, but the text columns .* are \['Method'\]"
    with pytest.raises(SpecError, match=message.replace("labels [", r"labels \[")):
        table_grid("t", LAYOUT, [cell("a", labels=labels)])
