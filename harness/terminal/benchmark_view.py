"""`harness benchmark` as people read it: an iteration as a whole, and its parts. To stdout."""

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness.grid.benchmarks import Benchmark, Measured, Spread
from harness.grid.cost import gpu_hours
from harness.terminal.words import hours_used, table, title


def show_benchmark(benchmark: Benchmark, console: Console | None = None) -> None:
    """Print what was measured.

    Args:
        benchmark: of one run.
        console: where to; stdout by default.
    """
    measured = benchmark.measured
    (console or Console()).print(
        Group(
            *_head(benchmark),
            "",
            _whole(measured),
            "",
            *_found(benchmark),
            "",
            _parts(measured),
            *_notes(measured),
        ),
        highlight=False,
        markup=False,
    )


def _head(benchmark: Benchmark) -> list[Text]:
    spec = benchmark.spec
    branch = ", semantic branch" if spec.semantic_branch else ""
    images = spec.total_batch_size // spec.num_gpus
    each = f"{images} image{'' if images == 1 else 's'} each"
    return [
        title(f"{spec.run_id}: {spec.architecture}{branch}, {spec.scale} scale, {spec.stage}"),
        Text(f"loss {spec.loss.name}, {spec.precision}, from {benchmark.measured.started_from}"),
        Text(f"on {spec.num_gpus} x {benchmark.device} ({benchmark.host}), {each}"),
    ]


def _whole(measured: Measured) -> Table:
    view = table(f"in {measured.iteration.number} iterations")
    for heading in ("median", "quartiles", "mean"):
        view.add_column(heading, justify="right")
    for what, spread in (
        ("one as a whole", measured.iteration),
        ("  waiting for data", measured.data_wait),
    ):
        view.add_row(what, *_median(spread), f"{spread.mean * 1000:,.1f} ms")
    return view


def _found(benchmark: Benchmark) -> list[Text]:
    measured, hours = benchmark.measured, gpu_hours(benchmark.spec, (benchmark,))
    lines = [
        f"GPU-hours of this run: {hours_used(hours)}",
        f"Most memory of a process: {measured.peak_memory_gb:.2f} GB",
    ]
    if measured.mask_rois is not None:
        lines.append(f"RoIs for which a mask is trained: {measured.mask_rois:.1f} an image")
    return [Text(line) for line in lines]


def _parts(measured: Measured) -> Table:
    whole = measured.parts_iteration
    view = table(f"in {whole.number} others, by part")
    for heading in ("median", "quartiles", "share of mean"):
        view.add_column(heading, justify="right")
    for name, part in (*measured.parts.items(), ("all", whole)):
        view.add_row(name, *_median(part), f"{part.mean / whole.mean:.1%}")
    return view


def _notes(measured: Measured) -> list[str]:
    longer = measured.parts_iteration.median / measured.iteration.median - 1
    notes = [
        "",
        "Between parts the device is waited for: here these iterations take "
        f"{abs(longer):.0%} {'more' if longer >= 0 else 'less'} than undisturbed ones.",
    ]
    if measured.exchange is not None:
        notes.append(
            "Exchanging gradients overlaps with the backward. It makes an iteration longer by "
            f"{measured.exchange.median * 1000:,.1f} ms ({measured.exchange.low * 1000:,.1f} to "
            f"{measured.exchange.high * 1000:,.1f}, in {measured.exchange.number} pairs with and "
            "without it)."
        )
    if "checkpoint" not in measured.started_from:
        notes.append(
            "A network at its beginning finds fewer RoIs with a mask than later: give the command "
            "again once a base is trained."
        )
    return notes


def _median(spread: Spread) -> tuple[str, str]:
    return (
        f"{spread.median * 1000:,.1f} ms",
        f"{spread.low * 1000:,.1f} to {spread.high * 1000:,.1f}",
    )
