"""Grid: the cells of tables and the runs behind them. Many cells may show one run.

A grid may hold the cells of several seeds. Each seed has its own runs, bases included, so a name
then tells the seed too: `table1/k=2/seed=1`.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property

from harness.errors import SpecError
from harness.grid.spec import RunSpec, base_of

SEED_MARK = "/seed="
METRIC_COLUMNS = ("mAP", "AP50", "AP75", "APs", "APm", "APl")
CONTOUR_COLUMNS = ("AP80", "AP90", "Boundary AP")  # where a contour loss should show


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
        """Its table and row: the name that its cells of all seeds share."""
        return f"{self.table}/{self.row}"


@dataclass(frozen=True)
class Layout:
    """How a table is printed.

    Attributes:
        caption: the paper's caption.
        columns: headings from left to right; those in `METRIC_COLUMNS` and `CONTOUR_COLUMNS` hold
            numbers.
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
    """Cells in reading order and the layout of each table.

    Attributes:
        cells: those of one seed after those of another, where there are several.
        layouts: by the table's name.
        on_request: names of tables that are left out where no experiment is named.
    """

    cells: tuple[Cell, ...]
    layouts: Mapping[str, Layout]
    on_request: frozenset[str] = frozenset()

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
    def seeds(self) -> tuple[int, ...]:
        """The seeds of its cells, from low to high."""
        return tuple(sorted({cell.spec.seed for cell in self.cells}))

    @cached_property
    def cell_names(self) -> Mapping[str, tuple[str, ...]]:
        """The names of the cells that show each run, by its id; bases are in no cell."""
        names: dict[str, tuple[str, ...]] = {}
        for cell in self.cells:
            names[cell.spec.run_id] = (*names.get(cell.spec.run_id, ()), self.cell_name(cell))
        return names

    def table(self, name: str) -> list[Cell]:
        """The cells of the table `name`, of all seeds, in order."""
        return [cell for cell in self.cells if cell.table == name]

    def rows(self, name: str) -> list[Cell]:
        """One cell for each row of the table `name`, in order: that of the row's lowest seed."""
        return [cell for cell in self._lowest.values() if cell.table == name]

    def cell_name(self, cell: Cell) -> str:
        """What people read: `table1/k=2`, and its seed where that is in doubt."""
        return self._with_seed(cell.name, cell.spec)

    def name_of(self, run_id: str) -> str:
        """What people read: its first cell's name, or `base mask_rcnn_R50_FPN` for a base."""
        shown, spec = self.cell_names.get(run_id), self.runs[run_id]
        return shown[0] if shown else self._with_seed(f"base {spec.architecture}", spec)

    def to_be_named(self, run_id: str) -> tuple[str, ...]:
        """The experiment to name in a command so that it reaches the run; () where none needs be.

        Args:
            run_id: of a fine-tune or a base.
        """
        tables = tuple(cell.table for cell in self._behind[run_id])
        return () if set(tables) - self.on_request else tables[:1]

    def seeds_to_ask_for(self, run_id: str) -> int:
        """How many seeds a command must ask for so that it reaches the run.

        Args:
            run_id: of a fine-tune or a base.
        """
        # A row's lowest seed is that of the first grid asked for, or the row's own, whichever is.
        behind = self._behind[run_id]
        first = any(cell.spec.seed == self._lowest[cell.name].spec.seed for cell in behind)
        return 1 if first else behind[0].spec.seed + 1

    @cached_property
    def _behind(self) -> Mapping[str, list[Cell]]:
        """By run id, the cells that show the run or a fine-tune that starts from it."""
        behind: dict[str, list[Cell]] = {}
        for cell in self.cells:
            for spec in filter(None, (base_of(cell.spec), cell.spec)):
                behind.setdefault(spec.run_id, []).append(cell)
        return behind

    @cached_property
    def _lowest(self) -> Mapping[str, Cell]:
        """By name, in reading order, the cell of each row's lowest seed."""
        lowest: dict[str, Cell] = {}
        for cell in self.cells:
            first = lowest.setdefault(cell.name, cell)
            if cell.spec.seed < first.spec.seed:
                lowest[cell.name] = cell
        return lowest

    def _with_seed(self, name: str, spec: RunSpec) -> str:
        # Also where all runs are of one seed that is not 0: a name of a part of a grid, as `--only`
        # keeps it, must mean the same run in the whole.
        return name if self.seeds == (0,) else f"{name}{SEED_MARK}{spec.seed}"


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
    text_columns = set(layout.columns) - {*METRIC_COLUMNS, *CONTOUR_COLUMNS}
    for cell in rows:
        if set(cell.labels) != text_columns:
            raise SpecError(
                f"Row {cell.name!r} has labels {sorted(cell.labels)}, but the text columns of its "
                f"table are {sorted(text_columns)}."
            )
    return Grid(rows, {name: layout})


def merge(grids: Iterable[Grid]) -> Grid:
    """One grid with the cells of all; a cell that several of them have stands there once."""
    parts = list(grids)
    layouts = {name: layout for grid in parts for name, layout in grid.layouts.items()}
    # A row whose experiment gives it a seed of its own is the same cell for each seed asked for.
    cells = {(cell.name, cell.spec.run_id): cell for grid in parts for cell in grid.cells}
    on_request = frozenset(name for grid in parts for name in grid.on_request)
    return Grid(tuple(cells.values()), layouts, on_request)
