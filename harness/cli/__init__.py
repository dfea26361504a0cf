"""The command line: parses and calls. Whatever a command needs is imported inside it."""

import os
import sys
from typing import NoReturn

import typer

from harness.cli import evidence, examples, pictures, results, runs, shell
from harness.errors import HarnessError
from harness.files import what_to_do

app = typer.Typer(
    pretty_exceptions_enable=False,
    no_args_is_help=True,
    help="Trains the grids of Tables I-III, each run once, and rebuilds the tables and figures.",
    epilog=examples.epilog(examples.WHOLE),
)
for commands in (runs.app, results.app, pictures.app, evidence.app):
    for command in commands.registered_commands:
        name = command.name or str(getattr(command.callback, "__name__", ""))
        command.epilog = examples.epilog(examples.EXAMPLES.get(name, ()))
    app.add_typer(commands)


def main() -> None:
    """Exit 2 with one message for what the user can mend; see `harness --help`."""
    if shell.ASKED in os.environ:
        shell.answer(app)
    try:
        app()
    except HarnessError as error:
        _refuse(f"{type(error).__name__}: {error}")
    except OSError as error:
        if message := what_to_do(error):
            _refuse(message)
        raise


def _refuse(message: str) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(2)
