"""The table of `harness status` at 80 columns and in a low terminal."""

import io
import socket
from dataclasses import replace

import pytest
from rich.console import Console

from harness.grid.state import Cause, State
from harness.launch.status import RunStatus
from harness.terminal.status_view import fitting_table, status_table

NAMES = ("table1/k=2", "table2/k=2", "table3/Mask R-CNN, R101 and ours")
NONE = {"loss": None, "ap": None, "left_s": None, "node": ""}
WAITS = NONE | {"attempts": 0, "gpu_hours": 0.0, "state": State.QUEUED}


@pytest.fixture
def run() -> RunStatus:
    """As wide as a row gets: a second attempt at paper scale on another host."""
    return RunStatus(
        run_id="3f9c1ab2",
        name="table1/k=2",
        stage="finetune",
        state=State.RUNNING,
        reason="",
        cause=Cause.NONE,
        iteration=152340,
        last_iteration=180000,
        loss=0.8123,
        ap=None,
        attempts=2,
        gpu_hours=1123.4,
        gpu_hours_planned=1400.0,
        left_s=3600 * 11.5,
        job="123_4",
        node="gpu-a100-013",
        cells=NAMES,
    )


def shown(view, width=80, height=25):
    """The lines of the view, and the words of each row by its run id."""
    console = Console(file=io.StringIO(), width=width, height=height)
    console.print(view)
    lines = console.file.getvalue().splitlines()
    return lines, {line.split()[0]: line.split()[1:] for line in lines if line.strip()}


def test_the_widest_row_fits_into_80_columns(run):
    lines, rows = shown(status_table([run]))
    assert max(map(len, lines)) <= 80
    wanted = "table1/k=2, running 152340/180K 0.812 2 1,123 11 h 30 m"
    assert " ".join(rows["3f9c1ab2"]) == wanted


def test_a_row_names_all_cells_of_its_run_and_where_it_runs(run):
    text = "\n".join(shown(status_table([run]), width=160)[0])
    assert f"{', '.join(NAMES)} on gpu-a100-013 " in text


def test_a_node_is_not_named_while_all_runs_are_here(run):
    here = socket.gethostname()
    assert f"on {here}" not in "\n".join(shown(status_table([replace(run, node=here)]))[0])


def test_columns_in_which_nothing_stands_are_left_out(run):
    waits = replace(run, **WAITS)
    lines, _ = shown(status_table([waits]))
    assert lines[1].split() == ["run", "name", "state"]
    first_try = replace(run, attempts=1)
    assert "tries" not in shown(status_table([first_try]))[0][1]
    assert "left" not in shown(status_table([replace(run, state=State.FAILED)]))[0][1]


def test_a_scored_run_shows_its_ap_and_a_trained_one_what_it_does(run):
    done = replace(run, state=State.DONE, ap=34.2815, left_s=None, node="")
    scoring = replace(run, run_id="5ad01c77", iteration=180000)
    saving = replace(scoring, run_id="99d01c77", stage="base")
    _, rows = shown(status_table([done, scoring, saving]), width=160)
    assert " ".join(rows["3f9c1ab2"]).endswith("152340/180K AP 34.28 2 1,123")
    assert (rows["5ad01c77"][-1], rows["99d01c77"][-1]) == ("scoring", "saving")


def test_gpu_hours_used_stand_beside_those_planned(run):
    waits = replace(run, **WAITS)
    lines, _ = shown(status_table([run, waits]))
    # 1123.4 of 1400 twice.
    assert lines[-1] == "GPU-hours: 1,123 used of 2,800 planned"


def test_reasons_name_the_cause_failures_first_and_not_all_of_many_runs(run):
    queued = replace(run, **WAITS, reason="waits for resources")
    lost = [
        replace(run, run_id=f"{number:08x}", state=State.FAILED, reason="gone", cause=Cause.LOST)
        for number in range(1000)
    ]
    lines, _ = shown(status_table([queued, *lost]), width=160)
    failed, waits = lines[-3:-1]
    assert failed.startswith("failed: lost: gone (00000000, 00000001, ")
    assert failed.endswith("00000007 and 992 more)")
    assert waits == "queued: waits for resources (3f9c1ab2)"


def test_of_many_reasons_the_first_20_are_told(run):
    queued = [replace(run, **WAITS, reason=f"waits for base {number}") for number in range(50)]
    lines, _ = shown(status_table(queued))
    assert sum(line.startswith("queued: waits") for line in lines) == 20
    assert lines[-2].startswith("… and 30 more reasons")


def test_a_note_stands_above_the_table(run):
    lines, _ = shown(status_table([run], "By files alone: squeue does not answer"))
    assert lines[:2] == ["1 running", "By files alone: squeue does not answer"]


@pytest.mark.parametrize("height", [18, 24, 60])
def test_a_watch_of_1000_runs_shows_what_fits_running_ones_first(run, height):
    console = Console(file=io.StringIO(), width=80, height=height)
    done = [
        replace(run, **NONE, run_id=f"{number:08x}", state=State.DONE, cells=("table1/x",))
        for number in range(998)
    ]
    failed = replace(run, **NONE, run_id="5ad01c77", state=State.FAILED, reason="no luck")
    lines, rows = shown(fitting_table([*done, failed, run], console), height=height)
    assert len(lines) < height
    first = lines.index(next(line for line in lines if line.startswith("run "))) + 1
    assert lines[first].startswith("3f9c1ab2")  # the one that runs
    assert "5ad01c77" in rows
    more = next(line for line in lines if line.startswith("… and"))
    listed = [name for name in rows if len(name) == 8 and name not in ("GPU-hours", "failed:")]
    assert more == f"… and {1000 - len(listed)} more; `harness status` lists all"


def test_what_fits_is_shown_in_the_order_of_the_grid(run):
    done = replace(run, **NONE, run_id="5ad01c77", state=State.DONE)
    console = Console(file=io.StringIO(), width=80, height=25)
    lines, _ = shown(fitting_table([done, run], console))
    assert lines == shown(status_table([done, run]))[0]
