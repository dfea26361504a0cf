"""`harness plan` as people read it: runs, cells, assumptions, costs. Goes to stdout."""

from collections.abc import Iterable

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.grid.missing import Missing
from harness.grid.plan import Plan, PlannedCell, PlannedRun
from harness.terminal.words import counts, duration, reasons, state_text, table, title


def show_plan(plan: Plan, console: Console | None = None) -> None:
    """Print the plan.

    Args:
        plan: what `submit` would do.
        console: where to; stdout by default.
    """
    (console or Console()).print(
        Group(
            title("Runs"),
            _runs(plan.runs),
            *reasons(plan.runs),
            "",
            title("Cells"),
            _cells(plan.cells),
            *_points("Missing", map(_missing, plan.missing)),
            *_points("Assumptions", plan.assumptions),
            "",
            title("GPU-hours (at demo scale one CPU core counts as a GPU)"),
            _costs(plan),
            *_wall_clock(plan),
            "",
            f"Disk: {plan.disk_gb_running:.1f} GB if all runs were under way at once, "
            f"{plan.disk_gb_kept:.1f} GB kept.",
            f"{len(plan.cells)} cells, {len(plan.runs)} runs: "
            f"{counts(run.state for run in plan.runs)}.",
        ),
        highlight=False,
        markup=False,
    )


def _runs(runs: Iterable[PlannedRun]) -> Table:
    view = table("run", "name", "stage", "from base", "state")
    view.add_column("GPU-hours", justify="right")
    for run in runs:
        view.add_row(
            run.run_id,
            Text(run.name),
            run.stage,
            run.parent or "–",
            state_text(run.state),
            _hours(run.gpu_hours),
        )
    return view


def _cells(cells: Iterable[PlannedCell]) -> Table:
    view = table("cell", "run", "same run as")
    for cell in cells:
        shared = ", ".join(cell.shared_with) or "–"
        view.add_row(Text(cell.name), cell.run_id, Text(shared))
    return view


def _points(heading: str, lines: Iterable[str]) -> list[RenderableType]:
    points = [Padding(Text(f"• {line}"), (0, 0, 0, 2)) for line in lines]
    return ["", title(heading), *points] if points else []


def _missing(one: Missing) -> str:
    who = f"Run {one.runs[0]} needs" if len(one.runs) == 1 else f"{len(one.runs)} runs need"
    return f"{one.found}. {who} it: {one.command}"


def _costs(plan: Plan) -> Table:
    view = table("")
    view.show_header = False
    view.add_column(justify="right")
    ahead = [run for run in plan.runs if run.ahead]
    view.add_row("this plan", _hours(plan.gpu_hours.plan))
    view.add_row("  of which still to do", _hours(sum(run.gpu_hours for run in ahead)))
    view.add_row("each distinct row trained alone", _hours(plan.gpu_hours.distinct_from_scratch))
    view.add_row("every row trained alone", _hours(plan.gpu_hours.from_scratch))
    return view


def _wall_clock(plan: Plan) -> list[str]:
    if plan.wall_clock is None:
        return []
    time = duration(plan.wall_clock.hours * 3600)
    return [
        "",
        f"What is still to do takes {plan.wall_clock.gpus} GPUs about {time}, queue not included.",
    ]


def _hours(hours: float) -> str:
    return f"{hours:,.0f}" if hours >= 10 else f"{hours:.3f}"
