"""The commands that draw. What each needs is imported inside it."""

import typer

from harness.cli.options import PAPER, RUNS, Data, Figure, Scale

app = typer.Typer()


@app.command()
def figure(name: Figure, scale: Scale = PAPER, data: Data = None) -> None:
    """Draw a figure from results/, as PDF and PNG."""
    from harness.rebuild import write_figure
    from harness.workplace import workplace

    place = workplace(scale, data, RUNS)
    for path in write_figure(name, place.known_grid(), place.results, place.published):
        print(path)
