"""grid.json and the specs: a grid as data, so that nobody executes the experiments of strangers."""

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from harness.bundle import members
from harness.bundle.parsing import parsed
from harness.errors import BundleError
from harness.files import json_text
from harness.grid import Cell, Grid, Layout, RunSpec, table_grid


@dataclass(frozen=True)
class _Row:
    table: str
    row: str
    run_id: str
    labels: Mapping[str, str]


@dataclass(frozen=True)
class _GridFile:
    layouts: Mapping[str, Layout]
    rows: tuple[_Row, ...]
    on_request: tuple[str, ...]


def portable(grid: Grid) -> Grid:
    """The same grid, without the folders of this machine; of own images their folder's name."""
    cells = (replace(cell, spec=_portable(cell.spec)) for cell in grid.cells)
    return replace(grid, cells=tuple(cells))


def _portable(spec: RunSpec) -> RunSpec:
    own = spec.data_dir is not None and spec.train_split.startswith("own_")
    return replace(spec, data_dir=Path(str(spec.data_dir)).name if own else None)


def grid_texts(grid: Grid) -> dict[str, str]:
    """grid.json and the spec of every run, by member name.

    Args:
        grid: of `portable`.
    """
    rows = [_Row(cell.table, cell.row, cell.spec.run_id, dict(cell.labels)) for cell in grid.cells]
    content = _GridFile(dict(grid.layouts), tuple(rows), tuple(sorted(grid.on_request)))
    specs = {members.spec(run_id): json_text(asdict(spec)) for run_id, spec in grid.runs.items()}
    return {members.GRID: json_text(asdict(content))} | specs


def read_grid(read: Callable[[str], bytes]) -> Grid:
    """The grid of a bundle, which anybody may have written.

    Args:
        read: gives a member's content.

    Raises:
        BundleError: grid.json or a spec is damaged, or a spec is not of the run that it is named
            for: its hash by this harness is another.
        SpecError: a spec asks for what does not exist.
    """
    file = parsed(_GridFile, read(members.GRID), members.GRID)
    for name in file.layouts:
        if not members.is_file_name(name):
            raise BundleError(f"a table of it is named {name!r:.80}, which is no file name")
    specs = {run_id: _read_spec(run_id, read) for run_id in {row.run_id for row in file.rows}}
    cells = [Cell(row.table, row.row, specs[row.run_id], row.labels) for row in file.rows]
    strangers = {cell.table for cell in cells} - set(file.layouts)
    if strangers:
        raise BundleError(
            f"{members.GRID} has rows of {sorted(strangers)[0]!r:.80}, and no such table"
        )
    for seed in {cell.spec.seed for cell in cells}:
        of_seed = [cell for cell in cells if cell.spec.seed == seed]
        for name, layout in file.layouts.items():
            table_grid(name, layout, [cell for cell in of_seed if cell.table == name])
    return Grid(tuple(cells), file.layouts, frozenset(file.on_request))


def _read_spec(run_id: str, read: Callable[[str], bytes]) -> RunSpec:
    name = members.spec(run_id)
    spec = parsed(RunSpec, read(name), name)
    if spec.run_id != run_id:
        raise BundleError(
            f"{name} is not of run {run_id}: by this harness its id is {spec.run_id}. It was "
            "changed, or made by a harness that knows other fields"
        )
    return spec
