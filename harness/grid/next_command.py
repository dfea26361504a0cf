"""Commands in messages: whole, so that they can be pasted."""

import os
import shlex
from collections.abc import Sequence
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


def submit_here(spec: RunSpec, runs: Path, seeds: int, experiments: Sequence[str] = ()) -> str:
    """The command that trains the run `spec`, among others, on this machine.

    Args:
        spec: of the run.
        runs: the folder of its folder.
        seeds: how many, the run's among them.
        experiments: to be named so that the run is among those: see `Grid.to_be_named`.
    """
    several = [f"--seeds {seeds}"] if seeds > 1 else []
    return command(" ".join(["submit", *experiments, "--site local", *several]), spec, runs)
