"""Grid: the cells of tables and the runs behind them. Many cells may show one run."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.errors import SpecError
from harness.grid.spec import RunSpec, base_of

METRIC_COLUMNS = ("mAP", "AP50", "AP75", "APs", "APm", "APl")


@dataclass(frozen=True)
class Cell:
    """One row of a table: its fine-tune and what its text columns say.

    Attributes:
        table: the experiment's NAME.
        row: unique in the table, and the key of the published numbers.
        spec: the fine-tune whose AP stands in the row.
        labels: text columns by heading, as printed in the paper.
    """

    table: str
    row: str
    spec: RunSpec
    labels: Mapping[str, str]

    @property
    def name(self) -> str:
        return f"{self.table}/{self.row}"


@dataclass(frozen=True)
class Layout:
    """How a table is printed.

    Attributes:
        caption: the paper's caption.
        columns: headings from left to right; those in `METRIC_COLUMNS` hold numbers.
        emphasis: whether the paper prints the best in bold and the second best underlined.
        note: the paper's note under the table.
        published: whether the paper prints this table: its numbers then stand beside ours.
    """

    caption: str
    columns: tuple[str, ...]
    emphasis: bool = False
    note: str = ""
    published: bool = False


@dataclass(frozen=True)
class Grid:
    """Cells in reading order and the layout of each table."""

    cells: tuple[Cell, ...]
    layouts: Mapping[str, Layout]

    @cached_property
    def runs(self) -> Mapping[str, RunSpec]:
        """Every distinct run by id, each base before its fine-tunes."""
        found: dict[str, RunSpec] = {}
        for cell in self.cells:
            base = base_of(cell.spec)
            if base is not None:
                found.setdefault(base.run_id, base)
            found.setdefault(cell.spec.run_id, cell.spec)
        return found

    @cached_property
    def cell_names(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the cells that show each run, by its id; bases are in no cell."""
        names: dict[str, tuple[str, ...]] = {}
        for cell in self.cells:
            names[cell.spec.run_id] = (*names.get(cell.spec.run_id, ()), cell.name)
        return names

    def cells_of(self, run_id: str) -> list[Cell]:
        """The cells that show the run `run_id`."""
        return [cell for cell in self.cells if cell.spec.run_id == run_id]

    def table(self, name: str) -> list[Cell]:
        """The rows of the table `name`, in order."""
        return [cell for cell in self.cells if cell.table == name]

    def name_of(self, run_id: str) -> str:
        """What people read: `table1/k=2`, or `base mask_rcnn_R50_FPN` for a base."""
        shown = self.cell_names.get(run_id)
        return shown[0] if shown else f"base {self.runs[run_id].architecture}"


def table_grid(name: str, layout: Layout, cells: Iterable[Cell]) -> Grid:
    """The grid of one table.

    Raises:
        SpecError: two rows have one name, or a row lacks a text column of the layout.
    """
    rows = tuple(cells)
    names = [cell.row for cell in rows]
    doubled = {row for row in names if names.count(row) > 1}
    if doubled:
        raise SpecError(f"Table {name!r} has more than one row {sorted(doubled)[0]!r}: rename one.")
    text_columns = set(layout.columns) - set(METRIC_COLUMNS)
    for cell in rows:
        if set(cell.labels) != text_columns:
            raise SpecError(
                f"Row {cell.name!r} has labels {sorted(cell.labels)}, but the text columns of its "
                f"table are {sorted(text_columns)}."
            )
    return Grid(rows, {name: layout})


def merge(grids: Iterable[Grid]) -> Grid:
    """One grid with the cells of all."""
    parts = list(grids)
    layouts = {name: layout for grid in parts for name, layout in grid.layouts.items()}
    return Grid(tuple(cell for grid in parts for cell in grid.cells), layouts)
