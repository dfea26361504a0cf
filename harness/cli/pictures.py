"""The commands that draw. What each needs is imported inside it."""

import typer

from harness.cli.options import (
    PAPER,
    RUNS,
    Data,
    Figure,
    Images,
    RunA,
    RunB,
    Runs,
    Scale,
    Watch,
    Worst,
)

app = typer.Typer()


@app.command()
def figure(
    name: Figure,
    images: Images = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Draw a figure of the paper into results/, as PDF and PNG."""
    from harness.commands.figure import write_figure
    from harness.workplace import workplace

    for path in write_figure(workplace(scale, data, runs), name, images or ()):
        print(path)


@app.command()
def report(
    watch: Watch = False, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS
) -> None:
    """Collect what has finished, then write results/<scale>/report.html, all of it in one file."""
    from harness.commands.report import watch_report, write_report
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    print(watch_report(place) if watch else write_report(place))


@app.command()
def masks(
    run_a: RunA,
    run_b: RunB,
    worst: Worst = 20,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Show the images in which two runs' masks differ most: each object's IoUs, and pictures."""
    from harness.commands.masks import show_masks

    show_masks(run_a, run_b, worst, scale, data, runs)
