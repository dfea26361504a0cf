"""`harness fails` and `harness logs`: what runs printed, as they printed it. Goes to stdout."""

from collections.abc import Iterable, Sequence

from rich.console import Console
from rich.text import Text

from harness.launch.logs import Failure


def show_failures(failures: Sequence[Failure], console: Console | None = None) -> None:
    """Print every failure with its last lines, and how to go on.

    Args:
        failures: of `harness.launch.logs.failures`.
        console: where to; stdout by default.
    """
    console = console or Console()
    for failure in failures:
        title = Text(f"{failure.name} · {failure.run_id}: {failure.reason}", style="bold red")
        console.print(title, soft_wrap=True)
        for line in failure.last_lines:
            console.print(Text(f"  {line}"), soft_wrap=True)
        if failure.log:
            console.print(Text(f"  {failure.log}", style="dim"), soft_wrap=True)
        console.print()
    if failures:
        console.print(
            f"{len(failures)} failed. They are tried again, from their checkpoints, by:",
            *sorted({f"\n  {failure.again}" for failure in failures}),
            sep="",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    else:
        console.print("No run has failed.")


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
