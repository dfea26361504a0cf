"""The commands that carry results elsewhere and prove them. What each needs is imported inside."""

import typer

from harness.cli.options import PAPER, RUNS, BundleFile, Data, Output, Runs, Scale

app = typer.Typer()


@app.command()
def bundle(
    output: Output = None, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS
) -> None:
    """Collect, and write one zip from which all is rebuilt elsewhere, without GPU or data.

    What is missing, of runs not done or folders that are not here, is told, and in the zip too.
    """
    from harness.commands.bundle import bundle as write
    from harness.workplace import workplace

    write(workplace(scale, data, runs), output)


@app.command()
def verify(bundle: BundleFile) -> None:
    """Rebuild a bundle's tables and figures and compare them byte for byte.

    Exit 0 where nothing differs, 2 else. It says what it cannot compare, and executes nothing.
    """
    from harness.commands.bundle import verify as check

    check(bundle)
