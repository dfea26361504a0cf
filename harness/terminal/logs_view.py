"""`harness fails` and `harness logs`: what runs printed, as they printed it. Goes to stdout."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from harness.launch.logs import Failure
from harness.terminal.words import why

MOST_COMMANDS = 10


def show_failures(failures: Sequence[Failure], console: Console | None = None) -> None:
    """Print every failure with its last lines, and how to go on.

    Args:
        failures: of `harness.launch.logs.failures`.
        console: where to; stdout by default.
    """
    console = console or Console()
    for failure in failures:
        reason = why(failure.reason, failure.cause)
        title = Text(f"{failure.name} · {failure.run_id}: {reason}", style="bold red")
        console.print(title, soft_wrap=True)
        for line in failure.last_lines:
            console.print(Text(f"  {line}"), soft_wrap=True)
        if failure.log:
            console.print(Text(f"  {failure.log}", style="dim"), soft_wrap=True)
        console.print()
    if not failures:
        console.print("No run has failed.")
        return
    commands = _commands(failures)
    by = " They are tried again, from their checkpoints, by:" if commands else ""
    console.print(
        f"{len(failures)} failed.{by}",
        *(f"\n  {again}" for again in commands),
        sep="",
        markup=False,
        highlight=False,
        soft_wrap=True,
    )


def _commands(failures: Sequence[Failure]) -> list[str]:
    every = list(dict.fromkeys(failure.again for failure in failures if failure.again))
    more = len(every) - MOST_COMMANDS
    return [*every[:MOST_COMMANDS], *([f"… and so on for {more} more"] if more > 0 else [])]


def show_log(chunks: Iterable[str], console: Console | None = None) -> None:
    """Print what a run printed, untouched.

    Args:
        chunks: of `harness.launch.logs.printed` or `follow`.
        console: where to; stdout by default.
    """
    console = console or Console()
    for chunk in chunks:
        console.file.write(chunk)
        console.file.flush()
