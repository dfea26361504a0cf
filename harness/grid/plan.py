"""Plan: what `submit` would do and at what cost, as data. Writes nothing."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from harness.grid.assumptions import assumptions
from harness.grid.benchmarks import Benchmark, read_benchmarks
from harness.grid.cost import disk_gb, gpu_hours, gpu_hours_from_scratch
from harness.grid.grid import Cell, Grid
from harness.grid.missing import Missing, missing_data, missing_weights
from harness.grid.spec import RunSpec, base_of
from harness.grid.state import State, run_state
from harness.grid.wall_clock import Task, hours_on
from harness.paths import RunsFolder


@dataclass(frozen=True)
class PlannedCell:
    """A row of a table with one seed, the run that it shows, and what other cells show that."""

    table: str
    row: str
    seed: int
    name: str
    run_id: str
    shared_with: tuple[str, ...]


@dataclass(frozen=True)
class PlannedRun:
    """One distinct training, in the order of the plan: each base before its fine-tunes."""

    run_id: str
    name: str
    stage: str
    architecture: str
    parent: str | None
    state: State
    reason: str
    num_gpus: int
    gpu_hours: float

    @property
    def ahead(self) -> bool:
        """Whether it is still to be trained, and can be."""
        return self.state not in (State.DONE, State.BLOCKED)


@dataclass(frozen=True)
class GpuHours:
    """Three ways to fill the same tables.

    Attributes:
        plan: each distinct run once, fine-tunes from shared bases.
        distinct_from_scratch: each distinct fine-tune trained alone from its first iteration.
        from_scratch: each row of each table trained alone from its first iteration.
    """

    plan: float
    distinct_from_scratch: float
    from_scratch: float


@dataclass(frozen=True)
class WallClock:
    """How long `gpus` GPUs take for what is ahead, if they have nothing else to do."""

    gpus: int
    hours: float


@dataclass(frozen=True)
class Plan:
    """Cells, runs, what they lack, assumptions and costs; the wall clock where it was asked for."""

    cells: tuple[PlannedCell, ...]
    runs: tuple[PlannedRun, ...]
    gpu_hours: GpuHours
    wall_clock: WallClock | None
    disk_gb_running: float
    disk_gb_kept: float
    missing: tuple[Missing, ...]
    assumptions: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def make_plan(grid: Grid, runs: RunsFolder, gpus: int | None = None) -> Plan:
    """The plan of `grid` with what is done and measured in `runs`.

    Args:
        grid: the cells and runs asked for.
        runs: the runs' folders.
        gpus: how many the user has; None where that is not known.

    Raises:
        ResultsError: a benchmark in `runs` is damaged.
        SpecError: a run trains on more than `gpus`.
    """
    specs, measured = grid.runs, read_benchmarks(runs)
    finetunes = [spec for spec in specs.values() if spec.stage == "finetune"]
    planned = tuple(_planned(spec, grid, runs, measured) for spec in specs.values())
    ahead = {run.run_id: specs[run.run_id] for run in planned if run.ahead}
    return Plan(
        cells=tuple(_planned_cell(cell, grid) for cell in grid.cells),
        runs=planned,
        gpu_hours=GpuHours(
            plan=sum(gpu_hours(spec, measured) for spec in specs.values()),
            distinct_from_scratch=sum(gpu_hours_from_scratch(spec, measured) for spec in finetunes),
            from_scratch=sum(gpu_hours_from_scratch(cell.spec, measured) for cell in grid.cells),
        ),
        wall_clock=None if gpus is None else _wall_clock(planned, gpus),
        disk_gb_running=sum(disk_gb(spec, while_running=True) for spec in specs.values()),
        disk_gb_kept=sum(disk_gb(spec, while_running=False) for spec in specs.values()),
        missing=missing_data(ahead) + missing_weights(ahead, runs),
        assumptions=assumptions(grid, measured),
    )


def _planned_cell(cell: Cell, grid: Grid) -> PlannedCell:
    name, run_id = grid.cell_name(cell), cell.spec.run_id
    return PlannedCell(
        table=cell.table,
        row=cell.row,
        seed=cell.spec.seed,
        name=name,
        run_id=run_id,
        shared_with=tuple(other for other in grid.cell_names[run_id] if other != name),
    )


def _planned(
    spec: RunSpec, grid: Grid, runs: RunsFolder, measured: Sequence[Benchmark]
) -> PlannedRun:
    base = base_of(spec)
    state = run_state(spec, runs)
    return PlannedRun(
        run_id=spec.run_id,
        name=grid.name_of(spec.run_id),
        stage=spec.stage,
        architecture=spec.architecture,
        parent=base.run_id if base else None,
        state=state.state,
        reason=state.reason,
        num_gpus=spec.num_gpus,
        gpu_hours=gpu_hours(spec, measured),
    )


def _wall_clock(planned: Sequence[PlannedRun], gpus: int) -> WallClock:
    tasks = [
        Task(run.run_id, run.parent, run.num_gpus, run.gpu_hours / run.num_gpus)
        for run in planned
        if run.ahead
    ]
    tasks.sort(key=lambda task: task.parent is not None)  # as `submit` does: all bases first
    return WallClock(gpus, hours_on(gpus, tasks))
