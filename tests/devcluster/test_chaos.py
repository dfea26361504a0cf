"""The fault campaign in its short form; `make chaos` is the long one."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[2]
SEED = 5


@pytest.mark.slow
def test_a_grid_under_faults_ends_like_an_undisturbed_one(slurm):
    # A base and two fine-tunes, and eight faults of as many kinds.
    command = [sys.executable, "-m", "tests.chaos.campaign", "--faults", "8", "--rows", "2"]
    command += ["--seed", str(SEED)]
    done = subprocess.run(command, cwd=PROJECT, capture_output=True, text=True, timeout=1200)
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-2000:]
    assert " 0 lost or wrong" in done.stdout
