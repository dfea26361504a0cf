"""The commands that turn what runs left into numbers. What each needs is imported inside it."""

import typer

from harness.cli.options import (
    PAPER,
    RUNS,
    AsJson,
    BoundaryColumns,
    Data,
    Detections,
    Emphasis,
    Format,
    GroundTruth,
    Honest,
    One,
    Other,
    Row,
    Runs,
    Scale,
    Table,
    Tables,
    Task,
    WithBoundary,
)

app = typer.Typer()


@app.command()
def collect(scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS) -> None:
    """Copy finished runs' metrics into results/ and rebuild its tables and figures."""
    from harness.commands.messages import tell
    from harness.rebuild import rebuild
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    grid = place.known_grid()
    for path in rebuild(grid, place.runs, place.results, place.published, tell=tell):
        print(path)


@app.command()
def table(
    name: Table,
    output: Format = "md",
    emphasis: Emphasis = False,
    honest: Honest = False,
    boundary: BoundaryColumns = False,
    scale: Scale = PAPER,
    data: Data = None,
) -> None:
    """Print a table from results/: ours, published, and the difference."""
    from harness.commands.table import print_table
    from harness.workplace import workplace

    place = workplace(scale, data, RUNS)
    print_table(place, name, output, best=emphasis, honest=honest, boundary=boundary)


@app.command()
def diff(
    one: One, other: Other, output: Format = "md", scale: Scale = PAPER, data: Data = None
) -> None:
    """Tell how far OTHER is from ONE, and how sure that is: rows with all their seeds, or runs."""
    from harness.commands.diff import print_difference
    from harness.workplace import workplace

    print_difference(workplace(scale, data, RUNS), one, other, output)


@app.command()
def verdicts(
    tables: Tables = None, output: Format = "md", scale: Scale = PAPER, data: Data = None
) -> None:
    """Print how sure each difference is and what became of the published one, then the claims."""
    from harness.commands.verdicts import print_verdicts
    from harness.workplace import workplace

    print_verdicts(workplace(scale, data, RUNS), tables or (), output)


@app.command()
def explain(cell: Row, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS) -> None:
    """Print what stands behind a row: its runs by seed, their code, data and attempts."""
    from harness.commands.explain import print_evidence
    from harness.workplace import workplace

    print_evidence(workplace(scale, data, runs), cell)


@app.command()
def score(
    gt: GroundTruth,
    results: Detections,
    task: Task = "segm",
    boundary: WithBoundary = False,
    as_json: AsJson = False,
) -> None:
    """Print the AP of any results file, as a whole and by category, against its ground truth."""
    from harness.commands.score import print_score

    print_score(gt, results, task, boundary=boundary, as_json=as_json)
