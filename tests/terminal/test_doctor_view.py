"""What people read of the doctor's checks."""

import io

import pytest
from rich.console import Console

from harness.slurm.check import Check
from harness.terminal.doctor_view import show_checks


@pytest.fixture
def printed():
    """A function from checks to what is printed at 80 columns."""

    def text(*checks: Check) -> str:
        console = Console(file=io.StringIO(), width=80)
        show_checks(checks, console)
        return console.file.getvalue()

    return text


def test_each_check_has_a_mark_and_its_advice_below(printed):
    text = printed(
        Check("partition", True, "gpu is up, 6 nodes"),
        Check("runs folder", None, "[/scratch] can be read by others", "chmod 700"),
        Check("nodes", False, "0 of 6 have 8 GPUs", "Correct gpus_per_node."),
    )
    assert [line.rstrip() for line in text.splitlines()] == [
        "✓ partition: gpu is up, 6 nodes",
        "– runs folder: [/scratch] can be read by others",
        "    chmod 700",
        "✗ nodes: 0 of 6 have 8 GPUs",
        "    Correct gpus_per_node.",
        "1 in order, 1 to look at, 1 wrong.",
    ]


def test_long_advice_stays_indented(printed):
    lines = printed(Check("nodes", False, "none", "Correct one of the keys. " * 8)).splitlines()
    assert all(len(line.rstrip()) <= 80 for line in lines)
    assert all(line.startswith("    ") for line in lines[1:-1])
    assert len(lines) > 3
