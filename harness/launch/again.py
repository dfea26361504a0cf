"""Commands in messages: whole, so that they can be pasted."""

import os
import shlex
from pathlib import Path

from harness.grid.spec import RunSpec


def command(verb: str, scale: str, data: str | None, runs: Path) -> str:
    """`harness <verb>` with the options that bring it to the same runs.

    Args:
        verb: the command and what it needs: "submit --site local", "fails".
        scale: of the runs.
        data: a user's own data folder; None for all other data.
        runs: the folder of their folders; left out where the command would find it by itself.
    """
    words = ["harness", *verb.split(), "--scale", scale]
    if data is not None:
        words += ["--data", data]
    if runs.resolve() != Path(os.environ.get("HARNESS_RUNS") or "runs").resolve():
        words += ["--runs", str(runs)]
    return shlex.join(words)


def submit_command(spec: RunSpec, runs: Path) -> str:
    """The `harness submit` that goes on with `spec`, whose folder is in `runs`."""
    data = spec.data_dir if spec.train_split.startswith("own_") else None
    return command("submit --site local", spec.scale, data, runs)
