"""The ids of every row of every table: a run is a fact, so they never move by accident."""

import json

import pytest

IF_MEANT = (
    "Run ids moved, so every run behind them would be trained again. If that is meant, because "
    "numbers move: raise the part's revision in harness/grid/spec.py (of losses: losses.py) and "
    "rewrite this file with `pytest --update-golden`. A new field that moves no number stays out "
    "of the hash."
)


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_the_ids_behind_the_three_tables_never_move_by_accident(scale, tables, golden):
    golden(f"run_ids/{scale}.json", ids_of(tables(scale)), IF_MEANT)


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_nor_do_those_of_another_seed(scale, tables, golden):
    golden(f"run_ids/{scale}-seed-1.json", ids_of(tables(scale, seeds=[1])), IF_MEANT)


@pytest.mark.parametrize("scale", ["paper", "demo"])
def test_nor_do_those_of_table_1_in_the_other_variant(scale, tables, golden):
    golden(f"run_ids/{scale}-table1_sound.json", ids_of(tables(scale, "table1_sound")), IF_MEANT)


def ids_of(grid) -> str:
    bases = {grid.name_of(i): i for i, spec in grid.runs.items() if spec.stage == "base"}
    ids = bases | {grid.cell_name(cell): cell.spec.run_id for cell in grid.cells}
    return json.dumps(ids, indent=2, ensure_ascii=False) + "\n"
