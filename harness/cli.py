"""The command line: parses and calls. Whatever a command needs is imported inside it."""

import errno
import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from harness.errors import HarnessError
from harness.paths import disk_full

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
Site = Annotated[str, typer.Option(help="Where the runs are trained: local.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]

PAPER = "paper"
RUNS = Path("runs")


@app.command()
def plan(
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
) -> None:
    """Show what submit would do and at what cost. Writes nothing."""
    from harness.grid.plan import make_plan
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    planned = make_plan(place.grid(experiments), place.runs)
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
        str | None, typer.Option(help="Names or ids to keep, as in 'table1/k=*'.")
    ] = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Run what is not done yet: bases first, as many runs at a time as there are cores."""
    from harness.commands import launch
    from harness.grid.names import only_cells
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    grid = place.grid(experiments)
    ended = launch(only_cells(grid, only) if only else grid, place, site)
    raise typer.Exit(1 if ended.failed else 0)


@app.command()
def demo(site: Site = "local", data: Data = None, runs: Runs = RUNS) -> None:
    """Train the whole grid at demo scale and print its tables: minutes on two cores."""
    from harness.commands import demo as train_and_print
    from harness.workplace import workplace

    ended = train_and_print(workplace("demo", data, runs), site)
    raise typer.Exit(1 if ended.failed else 0)


@app.command()
def run(run: Run, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS) -> None:
    """Train and score one run here, in the foreground."""
    from harness.commands import run_named
    from harness.launch.submit import run_one

    place, spec = run_named(run, scale, data, runs)
    run_one(place.runs, spec)
    print(place.runs.run(spec.run_id).metrics)


@app.command()
def status(
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
    watch: Annotated[bool, typer.Option("--watch", help="Until nothing runs any more.")] = False,
) -> None:
    """Show each run's state, iteration and loss."""
    from harness.launch.status import statuses_json
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    grid = place.grid(experiments)
    if as_json:
        print(json.dumps(statuses_json(grid, place.runs), indent=2))
        return
    from harness.terminal.live import show_status, watch_status

    typer.echo(place.title, err=True)
    (watch_status if watch else show_status)(grid, place.runs)


@app.command()
def logs(
    run: Run,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="As it comes.")] = False,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Print what a run's newest attempt printed."""
    from harness.commands import run_named
    from harness.launch import logs as log_files
    from harness.terminal.logs_view import show_log

    place, spec = run_named(run, scale, data, runs)
    paths = place.runs.run(spec.run_id)
    show_log(log_files.follow(paths) if follow else log_files.printed(paths))


@app.command()
def fails(
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Print every failed run with its last lines."""
    from harness.launch.logs import failures
    from harness.terminal.logs_view import show_failures
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    typer.echo(place.title, err=True)
    show_failures(failures(place.grid(experiments), place.runs))


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
