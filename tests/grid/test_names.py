"""From what a person types to runs: names, ids, experiments and patterns."""

from dataclasses import replace

import pytest

from harness.errors import SpecError
from harness.grid import NO_LOSS, Cell, Layout, Setting, contour, finetune, merge, table_grid
from harness.grid.names import find_run, matching, only_cells, seeds_in_words

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
    several = (
        rf"means 17 runs: base {R50}/seed=0 · .*, base {R50}/seed=1 · .* and 9 more\. Name one"
    )
    with pytest.raises(SpecError, match=several):
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


@pytest.fixture
def seeds():
    """Seeds 0, 1 and 2 of a table with one base."""

    def of(seed):
        rows = {"baseline": NO_LOSS, "k=2": contour()}
        cells = [
            Cell("table1", row, finetune(Setting(scale="demo", seed=seed), R50, loss), {})
            for row, loss in rows.items()
        ]
        return table_grid("table1", Layout("", ("mAP",)), cells)

    return merge(of(seed) for seed in range(3))


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("table1/k=2", {f"table1/k=2/seed={seed}" for seed in range(3)}),
        ("table1/k=2/seed=1", {"table1/k=2/seed=1"}),
        ("*/k=[0-9]", {f"table1/k=2/seed={seed}" for seed in range(3)}),
        ("table1/*/seed=2", {"table1/baseline/seed=2", "table1/k=2/seed=2"}),
        ("table1/k=2/seed=[12]", {"table1/k=2/seed=1", "table1/k=2/seed=2"}),
        (f"base {R50}", {f"base {R50}/seed={seed}" for seed in range(3)}),
        (f"base {R50}/seed=0", {f"base {R50}/seed=0"}),
        # Rows and their base, which no other table has.
        (
            "table1/seed=1",
            {f"base {R50}/seed=1", "table1/baseline/seed=1", "table1/k=2/seed=1"},
        ),
    ],
)
def test_a_name_means_the_runs_of_all_seeds_or_of_the_seed_at_its_end(seeds, typed, meant):
    assert {seeds.name_of(run_id) for run_id in matching(seeds, [typed])} == meant


def test_an_experiment_means_all_its_seeds(seeds):
    assert matching(seeds, ["table1"]) == tuple(seeds.runs)


def test_a_name_with_its_seed_is_understood_where_there_is_one_seed(grid):
    assert find_run(grid, "table1/k=2/seed=0") == find_run(grid, "table1/k=2")
    assert find_run(grid, f"base {R50}/seed=0").stage == "base"


def test_a_pattern_of_rows_never_means_a_seed_by_its_last_digit(seeds):
    # As in a grid of one seed: "table1/*=2" is k=2 with each seed, and not every row of seed 2.
    assert matching(seeds, ["table1/*=2"]) == matching(seeds, ["table1/k=2"])


def test_a_row_may_be_called_like_a_seed():
    spec = finetune(Setting(scale="demo"), R50, NO_LOSS)
    grid = table_grid("t", Layout("", ("mAP",)), [Cell("t", "seed=7", spec, {})])
    assert find_run(grid, "t/seed=7") == find_run(grid, "t/seed=7/seed=0") == spec


def test_where_one_run_is_wanted_a_name_of_several_seeds_is_told_with_them(seeds):
    ids = [cell.spec.run_id for cell in seeds.cells if cell.row == "k=2"]
    told = ", ".join(f"table1/k=2/seed={seed} · {run_id}" for seed, run_id in enumerate(ids))
    with pytest.raises(SpecError, match=rf"^'table1/k=2' means 3 runs: {told}\. Name one\.$"):
        find_run(seeds, "table1/k=2")


def test_a_seed_that_is_not_there_is_told_with_those_that_are(seeds, grid):
    message = (
        r"^Unknown run 'table1/k=2/seed=3': 'table1/k=2' has seed 0 to 2 here\. `plan` and "
        r"`submit` take the seeds 0 to N-1 with --seeds N\.$"
    )
    with pytest.raises(SpecError, match=message):
        matching(seeds, ["table1/k=2/seed=3"])
    with pytest.raises(SpecError, match="'table1/k=2' has seed 0 here"):
        find_run(grid, "table1/k=2/seed=1")


def test_a_row_that_is_not_there_is_told_without_its_seed(seeds):
    message = r"^Unknown run 'table1/k=3'\. Did you mean 'table1/k=2'\? Known runs: base mask_rcnn_"
    with pytest.raises(SpecError, match=message):
        find_run(seeds, "table1/k=3/seed=1")


def test_only_keeps_a_row_of_all_seeds_or_of_one(seeds):
    def kept(text):
        return [(cell.row, cell.spec.seed) for cell in only_cells(seeds, [text]).cells]

    assert kept("table1/k=2") == [("k=2", 0), ("k=2", 1), ("k=2", 2)]
    assert kept("table1/k=2/seed=1") == [("k=2", 1)]


@pytest.mark.parametrize(
    ("seeds", "words"),
    [([0], "0"), ([1, 0], "0, 1"), ([0, 1, 2, 3], "0 to 3"), ([0, 2, 3], "0, 2, 3")],
)
def test_seeds_are_told_as_a_range_where_none_is_missing(seeds, words):
    assert seeds_in_words(seeds) == words
