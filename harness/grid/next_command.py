"""Commands in messages: whole, so that they can be pasted."""

import os
import shlex
from pathlib import Path

from harness.grid.spec import RunSpec


def command(words: str, spec: RunSpec, runs: Path) -> str:
    """`harness <words>` with the options that bring it to the run `spec` and its like.

    Args:
        words: the command and what it needs: "submit --site local", "fails".
        spec: its scale and a user's own data folder are named.
        runs: the folder of its folder; left out where the command would find it by itself.
    """
    parts = ["harness", *words.split(), "--scale", spec.scale]
    if spec.train_split.startswith("own_"):
        parts += ["--data", str(spec.data_dir)]
    if runs.resolve() != Path(os.environ.get("HARNESS_RUNS") or "runs").resolve():
        parts += ["--runs", str(runs)]
    return shlex.join(parts)
