"""From what a person types to runs: names, ids, experiments and patterns."""

from dataclasses import replace

import pytest

from harness.errors import SpecError
from harness.grid import NO_LOSS, Cell, Layout, Setting, contour, finetune, merge, table_grid
from harness.grid.names import find_run, matching, only_cells

R50, R101, HTC = "mask_rcnn_R50_FPN", "mask_rcnn_R101_FPN", "htc_R50_FPN"


def table(name, rows):
    """A table of rows `{row: (architecture, loss)}`."""
    cells = [
        Cell(name, row, finetune(Setting(scale="demo"), architecture, loss), {})
        for row, (architecture, loss) in rows.items()
    ]
    return table_grid(name, Layout("", ("mAP",)), cells)


@pytest.fixture
def grid():
    """k=2 stands in two tables and is one run."""
    return merge(
        [
            table("table1", {"baseline": (R50, NO_LOSS), "k=2": (R50, contour())}),
            table("table2", {"contour": (R50, contour())}),
            table("table3", {"R101": (R101, NO_LOSS), "HTC": (HTC, NO_LOSS)}),
        ]
    )


@pytest.fixture
def many():
    """17 runs: of so many ids two begin with the same digit."""

    def of(seed):
        spec = finetune(Setting(scale="demo", seed=seed), R50, NO_LOSS)
        return table_grid("t", Layout("", ()), [Cell("t", f"seed {seed}", spec, {})])

    return merge(of(seed) for seed in range(17))


def first_of_two(grid):
    digits = [run_id[0] for run_id in grid.runs]
    return next(digit for digit in digits if digits.count(digit) > 1)


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("table1/k=2", {"table1/k=2"}),
        ("table2/contour", {"table1/k=2"}),
        (f"base {R50}", {f"base {R50}"}),
        ("table3", {"table3/R101", "table3/HTC", f"base {R101}", f"base {HTC}"}),
        ("table1/*", {"table1/baseline", "table1/k=2"}),
        ("base *R50*", {f"base {R50}", f"base {HTC}"}),
        ("table[13]/[bR]*", {"table1/baseline", "table3/R101"}),
        ("*/HTC", {"table3/HTC"}),
    ],
)
def test_runs_are_meant_by_name_experiment_or_pattern(grid, typed, meant):
    assert {grid.name_of(run_id) for run_id in matching(grid, [typed])} == meant


def test_runs_are_meant_by_id_or_its_beginning(grid):
    run_id = grid.cells[1].spec.run_id
    assert matching(grid, [run_id]) == (run_id,)
    assert matching(grid, [run_id[:6]]) == (run_id,)
    assert matching(grid, ["table1/k=2", run_id]) == (run_id,)


def test_an_experiment_leaves_a_base_alone_that_others_share(grid):
    # table2's only run stands in table1 too, beside the baseline, which has the same base.
    assert [grid.name_of(run_id) for run_id in matching(grid, ["table2"])] == ["table1/k=2"]


def test_a_pattern_that_means_nothing_is_refused_with_the_nearest_name(grid):
    message = (
        r"^Unknown run 'table1/k=3'\. Did you mean 'table1/k=2'\? Known runs: base htc_R50_FPN"
    )
    with pytest.raises(SpecError, match=message):
        matching(grid, ["table1/baseline", "table1/k=3"])
    with pytest.raises(SpecError, match="Unknown run ''"):
        matching(grid, [""])


def test_an_experiment_without_rows_means_nothing(grid):
    with pytest.raises(SpecError, match="Unknown run 'empty'"):
        find_run(replace(grid, layouts={**grid.layouts, "empty": Layout("", ())}), "empty")


def test_a_beginning_of_two_ids_is_refused(many):
    digit = first_of_two(many)
    for find in (
        find_run,
        lambda grid, text: only_cells(grid, [text]),
        lambda grid, text: matching(grid, [text]),
    ):
        with pytest.raises(SpecError, match=f"^'{digit}' begins more than one run id: {digit}"):
            find(many, digit)


def test_one_run_is_found_by_every_name_and_by_its_id(grid):
    run_id = grid.cells[1].spec.run_id
    for text in (run_id, run_id[:6], "table1/k=2", "table2/contour", "table2", "*/k=[0-9]"):
        assert find_run(grid, text).run_id == run_id
    assert find_run(grid, f"base {R50}").stage == "base"


def test_where_one_run_is_wanted_several_are_told_by_name_and_id(grid, many):
    first, second = (cell.spec.run_id for cell in grid.cells[:2])
    message = rf"^'table1/\*' means 2 runs: table1/baseline · {first}, table1/k=2 · {second}\. Name"
    with pytest.raises(SpecError, match=message):
        find_run(grid, "table1/*")
    # 17 bases, of which the names say no more than the architecture.
    with pytest.raises(SpecError, match=rf"means 17 runs: base {R50} · .* and 9 more\. Name one\."):
        find_run(many, f"base {R50}")


@pytest.mark.parametrize(
    ("typed", "names"),
    [
        ("table1/base*", ["table1/baseline"]),
        ("table?/[Rb]*", ["table1/baseline", "table3/R101"]),
        ("table3", ["table3/R101", "table3/HTC"]),
        ("table2/contour", ["table1/k=2", "table2/contour"]),  # every row of that run
    ],
)
def test_only_keeps_the_rows_of_the_runs_that_are_meant(grid, typed, names):
    assert [cell.name for cell in only_cells(grid, [typed]).cells] == names


def test_only_keeps_every_row_of_a_run_by_its_id_or_its_beginning(grid):
    run_id = grid.cells[1].spec.run_id
    for text in (run_id, run_id[:6]):
        assert [cell.name for cell in only_cells(grid, [text]).cells] == [
            "table1/k=2",
            "table2/contour",
        ]


def test_only_of_several_keeps_the_rows_of_all(grid):
    both = only_cells(grid, ["table1/k=2", "table3/R101"])
    assert {cell.name for cell in both.cells} == {"table1/k=2", "table2/contour", "table3/R101"}


def test_only_what_means_nothing_is_told_the_nearest_name(grid):
    with pytest.raises(SpecError, match=r"^Unknown run 'table1/k=3'\. Did you mean 'table1/k=2'"):
        only_cells(grid, ["table1/k=3"])


def test_only_a_base_is_told_all_rows(grid):
    with pytest.raises(
        SpecError, match=r"^--only 'base mask_rcnn_R50_FPN' means no row: .* Rows: t"
    ):
        only_cells(grid, [f"base {R50}"])
