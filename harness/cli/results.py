"""The commands that turn what runs left into numbers. What each needs is imported inside it."""

import typer

from harness.cli.options import (
    PAPER,
    RUNS,
    AsJson,
    Data,
    Detections,
    Emphasis,
    Figure,
    Format,
    GroundTruth,
    Runs,
    Scale,
    Table,
    Task,
)

app = typer.Typer()


@app.command()
def collect(scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS) -> None:
    """Copy finished runs' metrics into results/ and rebuild its tables and figures."""
    from harness.rebuild import rebuild
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    for path in rebuild(place.known_grid(), place.runs, place.results, place.published):
        print(path)


@app.command()
def table(
    name: Table,
    output: Format = "md",
    emphasis: Emphasis = False,
    scale: Scale = PAPER,
    data: Data = None,
) -> None:
    """Print a table from results/: ours, published, and the difference."""
    from harness.rebuild import table_text
    from harness.workplace import workplace

    place = workplace(scale, data, RUNS)
    grid = place.known_grid(place.experiment_names)
    text = table_text(grid, name, place.results, place.published, format=output, emphasis=emphasis)
    print(text, end="")


@app.command()
def figure(name: Figure, scale: Scale = PAPER, data: Data = None) -> None:
    """Draw a figure from results/, as PDF and PNG."""
    from harness.rebuild import write_figure
    from harness.workplace import workplace

    place = workplace(scale, data, RUNS)
    for path in write_figure(name, place.known_grid(), place.results, place.published):
        print(path)


@app.command()
def score(
    gt: GroundTruth, results: Detections, task: Task = "segm", as_json: AsJson = False
) -> None:
    """Print the AP of any results file, as a whole and by category, against its ground truth."""
    from harness.commands.score import print_score

    print_score(gt, results, task, as_json=as_json)
