import pytest

from harness.errors import SpecError
from harness.grid import NO_LOSS, Cell, Layout, Setting, contour, finetune, merge, table_grid
from harness.grid.names import find_run, only_cells


@pytest.fixture
def grid():
    """k=2 stands in two tables and is one run."""

    def of(table, row, loss):
        spec = finetune(Setting(scale="demo"), "mask_rcnn_R50_FPN", loss)
        return table_grid(table, Layout("", ("mAP",)), [Cell(table, row, spec, {})])

    return merge(
        [
            of("table1", "baseline", NO_LOSS),
            of("table1", "k=2", contour()),
            of("table2", "contour", contour()),
        ]
    )


def test_a_run_is_found_by_every_name_and_by_its_id(grid):
    run_id = grid.cells[1].spec.run_id
    for text in (run_id, run_id[:6], "table1/k=2", "table2/contour"):
        assert find_run(grid, text).run_id == run_id


def test_a_base_is_found_by_its_name(grid):
    assert find_run(grid, "base mask_rcnn_R50_FPN").stage == "base"


def test_a_mistyped_name_is_told_the_nearest(grid):
    message = r"^Unknown run 'table1/k=3'. Did you mean 'table1/k=2'\? Known runs: base mask_rcnn"
    with pytest.raises(SpecError, match=message):
        find_run(grid, "table1/k=3")


def test_nothing_is_no_name(grid):
    with pytest.raises(SpecError, match=r"^Unknown run ''"):
        find_run(grid, "")


def test_a_beginning_of_two_ids_is_refused():
    # Enough seeds and two ids begin with the same digit.
    def of(seed):
        spec = finetune(Setting(scale="demo", seed=seed), "mask_rcnn_R50_FPN", NO_LOSS)
        return table_grid("t", Layout("", ()), [Cell("t", f"seed {seed}", spec, {})])

    grid = merge(of(seed) for seed in range(17))
    digits = [run_id[0] for run_id in grid.runs]
    doubled = next(digit for digit in digits if digits.count(digit) > 1)
    with pytest.raises(SpecError, match=f"^'{doubled}' begins more than one run id: {doubled}"):
        find_run(grid, doubled)


@pytest.mark.parametrize(
    ("pattern", "names"),
    [
        ("table1/*", ["table1/baseline", "table1/k=2"]),
        ("table?/k=[12]", ["table1/k=2"]),
        ("table2/contour", ["table2/contour"]),
    ],
)
def test_only_keeps_the_rows_whose_name_fits(grid, pattern, names):
    assert [cell.name for cell in only_cells(grid, pattern).cells] == names


def test_only_keeps_every_row_of_a_run_by_its_id(grid):
    kept = only_cells(grid, grid.cells[1].spec.run_id)
    assert [cell.name for cell in kept.cells] == ["table1/k=2", "table2/contour"]


def test_only_what_fits_nothing_is_told_all_rows(grid):
    with pytest.raises(SpecError, match=r"^--only 'k=2' matches no row. Rows: table1/baseline, t"):
        only_cells(grid, "k=2")
