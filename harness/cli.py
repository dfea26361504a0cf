"""The command line: parses and calls. Whatever a command needs is imported inside it."""

import errno
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import HarnessError
from harness.files import disk_full
from harness.paths import LOCAL

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Trains the grids of Tables I-III, each run once, and rebuilds the tables and Fig. 8.",
)

Experiments = Annotated[
    list[str] | None, typer.Argument(help="table1, table2, table3; all where none is named.")
]
Run = Annotated[str, typer.Argument(help="A run's id or its name, as in table1/k=2.")]
Scale = Annotated[str, typer.Option(help="paper: the published schedule. demo: minutes.")]
Data = Annotated[
    Path | None, typer.Option(help="A folder of your own images and annotations, as COCO's.")
]
Runs = Annotated[Path, typer.Option(help="Where runs are written: large.", envvar="HARNESS_RUNS")]
Site = Annotated[
    str, typer.Option(help="Where the runs are trained: local, or a cluster: slurm/NAME.toml.")
]
Dirty = Annotated[
    bool,
    typer.Option("--dirty", help="On Slurm: run uncommitted code too, and say so in its records."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it, only show what would be.")]
Patterns = Annotated[
    list[str],
    typer.Argument(help="Runs: ids, names or experiments, or patterns of them: 'table1/k=*'."),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

PAPER = "paper"
RUNS = Path("runs")


@app.command()
def plan(
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    gpus: Annotated[
        int | None, typer.Option(min=1, help="How many you have: tells how long they take.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what submit would do and at what cost. Writes nothing."""
    from harness.grid.plan import make_plan
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    planned = make_plan(place.grid(experiments), place.runs, gpus)
    if as_json:
        print(json.dumps(planned.to_json(), indent=2))
        return
    from harness.terminal.plan_view import show_plan

    typer.echo(place.title, err=True)
    show_plan(planned)


@app.command()
def submit(
    site: Site,
    experiments: Experiments = None,
    only: Annotated[
        list[str] | None,
        typer.Option(help="Rows to keep, as in 'table1/k=*'; may be given several times."),
    ] = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    dirty: Dirty = False,
) -> None:
    """Train what is not done yet: here while you wait, or as jobs of a cluster.

    On Slurm it returns at once, and the grid goes on. Given twice, nothing runs twice.
    """
    from harness.grid.names import only_cells
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    grid = place.grid(experiments)
    grid = only_cells(grid, only) if only else grid
    if site == LOCAL:
        from harness.commands.local import launch

        raise typer.Exit(1 if launch(grid, place).failed else 0)
    from harness.commands.cluster import submit_grid

    submit_grid(grid, place, site, dirty=dirty)


@app.command()
def demo(site: Site = LOCAL, data: Data = None, runs: Runs = RUNS, dirty: Dirty = False) -> None:
    """Train the whole grid at demo scale and print its tables: minutes on two cores."""
    from harness.commands.demo import demo as train_and_print
    from harness.workplace import workplace

    well = train_and_print(workplace("demo", data, runs), site, dirty=dirty)
    raise typer.Exit(0 if well else 1)


@app.command()
def prepare(
    experiments: Experiments = None,
    weights: Annotated[
        bool, typer.Option("--weights", help="Fetch, check and convert the ImageNet weights.")
    ] = False,
    download: Annotated[
        bool, typer.Option("--download", help="Fetch and unpack what is missing of COCO.")
    ] = False,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Check the data of the runs, images and stuff maps too, and say how to fetch what is missing.

    Exit 0 where nothing is wrong, 1 else, as `doctor`.
    """
    from harness.workplace import workplace

    well = True
    if download or not weights:
        from harness.commands.download import prepare_with_download
        from harness.commands.prepare import prepare as check

        place = workplace(scale, data, runs)
        typer.echo(place.title, err=True)
        well = (prepare_with_download if download else check)(place.grid(experiments), place)
    if weights:
        from harness.commands.weights import prepare_weights

        prepare_weights()
    raise typer.Exit(0 if well else 1)


@app.command()
def doctor(
    site: Annotated[str, typer.Option(help="A cluster: slurm/NAME.toml.")],
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Check a cluster with one small job: partition, GPUs, folders, room, torch, time limit."""
    from harness.commands.cluster import doctor as check
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    raise typer.Exit(0 if check(place, place.grid(experiments), site) else 1)


@app.command()
def retry(
    patterns: Patterns,
    site: Annotated[
        str | None, typer.Option(help="Another cluster than that of the last attempt.")
    ] = None,
    mem_gb: Annotated[
        float | None,
        typer.Option(min=0.1, help="Memory of each run, in GB, in place of the site's."),
    ] = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    dirty: Dirty = False,
    yes: Yes = False,
) -> None:
    """Give failed runs to Slurm again, from their checkpoints. A base brings its fine-tunes."""
    from harness.commands.cluster import retry as try_again
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    try_again(place.grid(), place, patterns, site=site, mem_gb=mem_gb, dirty=dirty, yes=yes)


@app.command()
def cancel(
    patterns: Patterns, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS, yes: Yes = False
) -> None:
    """End the Slurm jobs of runs; their checkpoints stay, and submit goes on from them."""
    from harness.commands.cluster import cancel as end
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    end(place.grid(), place, patterns, yes=yes)


@app.command()
def run(run: Run, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS) -> None:
    """Train and score one run here, in the foreground."""
    from harness.commands.named import run_named
    from harness.launch.foreground import run_one

    place, spec = run_named(run, scale, data, runs)
    run_one(place.runs, spec)
    print(place.runs.run(spec.run_id).metrics)


@app.command()
def benchmark(
    run: Run,
    iters: Annotated[int, typer.Option(min=2, help="Iterations measured undisturbed.")] = 200,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Measure how long an iteration of a run takes here, by part. Plan then reckons with it."""
    from harness.commands.benchmark import benchmark as measure
    from harness.commands.named import run_named

    place, spec = run_named(run, scale, data, runs)
    measure(spec, place, iters)


@app.command()
def status(
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Until nothing runs any more.")] = False,
) -> None:
    """Show each run's state and its cause, how far it is, what it has cost, and where it runs."""
    from harness.launch.status import statuses_json
    from harness.slurm.seen import look_at
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    grid = place.grid(experiments)
    look = look_at(grid, place.runs)
    if as_json:
        seen = look()
        if seen.note:
            typer.echo(seen.note, err=True)
        print(json.dumps(statuses_json(grid, place.runs, seen), indent=2))
        return
    from harness.terminal.live import show_status, watch_status

    typer.echo(place.title, err=True)
    (watch_status if watch else show_status)(grid, place.runs, look)


@app.command()
def logs(
    run: Run,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="As it comes.")] = False,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Print what a run's newest attempt printed."""
    from harness.commands.named import run_named
    from harness.slurm.seen import log_of
    from harness.terminal.logs_view import show_log

    place, spec = run_named(run, scale, data, runs)
    show_log(log_of(spec, place.runs, follow=follow))


@app.command()
def fails(
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Print every failed run with its last lines."""
    from harness.slurm.seen import failures_of
    from harness.terminal.logs_view import show_failures
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    typer.echo(place.title, err=True)
    failures, note = failures_of(place.grid(experiments), place.runs)
    if note:
        typer.echo(note, err=True)
    show_failures(failures)


@app.command()
def collect(scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS) -> None:
    """Copy finished runs' metrics into results/ and rebuild its tables and figures."""
    from harness.rebuild import rebuild
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    for path in rebuild(place.grid(), place.runs, place.results, place.published):
        print(path)


@app.command()
def table(
    name: Annotated[str, typer.Argument(help="table1, table2 or table3.")],
    output: Annotated[str, typer.Option("--format", help="md, latex, csv or html.")] = "md",
    emphasis: Annotated[
        bool, typer.Option("--emphasis", help="Mark the best also where the paper does not.")
    ] = False,
    scale: Scale = PAPER,
    data: Data = None,
) -> None:
    """Print a table from results/: ours, published, and the difference."""
    from harness.rebuild import table_text
    from harness.workplace import workplace

    place = workplace(scale, data, RUNS)
    text = table_text(
        place.grid(), name, place.results, place.published, format=output, emphasis=emphasis
    )
    print(text, end="")


@app.command()
def figure(
    name: Annotated[str, typer.Argument(help="fig8")], scale: Scale = PAPER, data: Data = None
) -> None:
    """Draw a figure from results/, as PDF and PNG."""
    from harness.rebuild import write_figure
    from harness.workplace import workplace

    place = workplace(scale, data, RUNS)
    for path in write_figure(name, place.grid(), place.results, place.published):
        print(path)


def main() -> None:
    """Exit 2 with one message for what the user can mend; see `harness --help`."""
    try:
        app()
    except HarnessError as error:
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        sys.exit(2)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            print(disk_full(Path(error.filename or "")), file=sys.stderr)
            sys.exit(2)
        if error.errno not in (errno.EACCES, errno.EPERM, errno.EROFS):
            raise
        print(
            f"{error.filename}: you may not read or write there. Ask its owner, or use a folder "
            "of your own with --runs.",
            file=sys.stderr,
        )
        sys.exit(2)
