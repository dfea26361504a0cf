"""Plan: what `submit` would do and at what cost, as data. Writes nothing."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any

from harness.grid.cost import disk_gb, gpu_hours, gpu_hours_from_scratch
from harness.grid.grid import Grid
from harness.grid.spec import RunSpec, base_of
from harness.grid.state import State, run_state
from harness.paths import RunsFolder


@dataclass(frozen=True)
class PlannedCell:
    """A row of a table and the run that it shows, with all the cells that show the same one."""

    table: str
    row: str
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
    gpu_hours: float


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
class Plan:
    """Cells, runs, assumptions and costs of a grid."""

    cells: tuple[PlannedCell, ...]
    runs: tuple[PlannedRun, ...]
    gpu_hours: GpuHours
    disk_gb_running: float
    disk_gb_kept: float
    assumptions: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def make_plan(grid: Grid, runs: RunsFolder) -> Plan:
    """The plan of `grid` with what is done in `runs`."""
    specs = grid.runs
    finetunes = [spec for spec in specs.values() if spec.stage == "finetune"]
    return Plan(
        cells=tuple(
            PlannedCell(
                cell.table,
                cell.row,
                cell.spec.run_id,
                tuple(c.name for c in grid.cells_of(cell.spec.run_id) if c != cell),
            )
            for cell in grid.cells
        ),
        runs=tuple(_planned(run_id, spec, grid, runs) for run_id, spec in specs.items()),
        gpu_hours=GpuHours(
            plan=sum(gpu_hours(spec) for spec in specs.values()),
            distinct_from_scratch=sum(gpu_hours_from_scratch(spec) for spec in finetunes),
            from_scratch=sum(gpu_hours_from_scratch(cell.spec) for cell in grid.cells),
        ),
        disk_gb_running=sum(disk_gb(spec, while_running=True) for spec in specs.values()),
        disk_gb_kept=sum(disk_gb(spec, while_running=False) for spec in specs.values()),
        assumptions=_assumptions(grid),
    )


def _planned(run_id: str, spec: RunSpec, grid: Grid, runs: RunsFolder) -> PlannedRun:
    base = base_of(spec)
    state = run_state(spec, runs)
    return PlannedRun(
        run_id=run_id,
        name=grid.name_of(run_id),
        stage=spec.stage,
        architecture=spec.architecture,
        parent=base.run_id if base else None,
        state=state.state,
        reason=state.reason,
        gpu_hours=gpu_hours(spec),
    )


def _assumptions(grid: Grid) -> tuple[str, ...]:
    """Where the paper is silent or says two things, and what is run."""
    specs = list(grid.runs.values())
    demo = any(spec.scale == "demo" for spec in specs)
    return (*_on_data(specs), *(_ON_DEMO if demo else _on_paper_scale(specs)))


_ON_DEMO = (
    "Demo scale: thin networks from scratch on 128 px images with trainable norms. Its numbers "
    "are no COCO numbers and say nothing about the paper's.",
)


def _on_data(specs: list[RunSpec]) -> Iterator[str]:
    splits = {spec.train_split for spec in specs}
    for folder in sorted({str(spec.data_dir) for spec in specs if spec.train_split == "own_train"}):
        yield (
            f"Data: the annotations below {folder}, whose hashes are in the ids. The numbers are "
            "not COCO's; the published ones are."
        )
    if "coco_2014_train" in splits:
        yield (
            "Training split: COCO 2014 train (82,783 images), as the text says. The published "
            "baselines sit at the level of models trained on trainval35k (118,287 images)."
        )
    if "coco_2014_trainval35k" in splits:
        yield (
            "Training split: COCO 2014 trainval35k (118,287 images), at whose level the published "
            "baselines sit. The text says COCO 2014 train (82,783 images)."
        )


def _on_paper_scale(specs: list[RunSpec]) -> Iterator[str]:
    architectures = {spec.architecture for spec in specs}
    yield "A base ends, and its fine-tunes start, at the first learning-rate step: 120K of 180K."
    yield "The contour term acts from the first iteration of the fine-tune with weight 1."
    yield "Warm-up, as in the paper's code base: 500 iterations from a third of the learning rate."
    yield "Variant 'paper': the formulas as printed, where k >= 3 computes almost what k = 2 does."
    yield "GPU-hours: what maskrcnn-benchmark publishes for V100s; HTC is taken as twice the R50."
    if architectures & {"mask_rcnn_R101_FPN", "mask_rcnn_X101_FPN"}:
        yield "R101, X101: batch 8 like R50 (the text mentions smaller batches, not which)."
        yield "X101 is 32x8d."
    if "htc_R50_FPN" in architectures:
        on_coco = any(spec.train_split == "coco_2017_train" for spec in specs)
        data = "COCO 2017, " if on_coco else ""
        yield f"HTC: {data}the same 180K iterations, base to the first step."
