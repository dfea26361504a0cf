"""Plans, failures, previews and words as people read them, at 80 columns."""

from dataclasses import replace

import pytest

from harness.grid import NO_LOSS, Cell, Layout, Setting, finetune, table_grid
from harness.grid.plan import make_plan
from harness.grid.spec import base_of
from harness.grid.state import Cause, RunState, State
from harness.launch.logs import Failure
from harness.slurm.submit import Submitted
from harness.terminal.logs_view import show_failures, show_log
from harness.terminal.plan_view import show_plan
from harness.terminal.runs_view import show_runs, show_submitted
from harness.terminal.words import duration, hours_used, why

AGAIN = "harness submit --site local --scale demo"


def printed(console):
    return console.file.getvalue()


def failure(run_id="3f9c1ab2", cause=Cause.ERROR, last=(), log=None, again=AGAIN):
    return Failure(run_id, "table1/k=2", "no luck", cause, last, log, again)


def test_a_plan_shows_runs_cells_reasons_costs_and_counts(grid, runs, run_id, console):
    show_plan(make_plan(grid, runs), console)
    text = printed(console)
    assert all(len(line) <= 80 for line in text.splitlines())
    assert "base mask_rcnn_R101_FPN" in text  # nothing is cut
    line = next(line for line in text.splitlines() if line.startswith(run_id))
    base = base_of(grid.cells[1].spec).run_id
    assert line.split()[1:6] == ["table1/k=2", "finetune", base, "to", "do"]
    assert "table1/[bold]again" in text
    assert "Demo scale: thin networks" in text
    for way in (
        "this plan",
        "of which still to do",
        "each distinct row trained alone",
        "every row trained alone",
    ):
        assert way in text
    assert "one CPU core counts as a GPU" in text
    assert "3 cells, 3 runs: 3 to do." in text
    assert "kept." in text


def test_a_plan_tells_how_long_the_gpus_take_where_it_was_asked(grid, runs, console):
    show_plan(make_plan(grid, runs), console)
    assert "What is still to do" not in printed(console)
    # 0.09 s an image: the base takes 300 x 4 x 0.09 s = 108 s, the two fine-tunes 36 s each after
    # it, side by side: 2.4 min.
    show_plan(make_plan(grid, runs, gpus=2), console)
    told = "What is still to do takes 2 GPUs about 2 min, queue not included."
    assert told in printed(console)


def test_a_plan_shows_what_is_missing_and_the_command_that_gets_it(runs, console, monkeypatch):
    monkeypatch.setenv("HARNESS_WEIGHTS", "/w")
    monkeypatch.setenv("DETECTRON2_DATASETS", "/d")
    cells = [
        Cell("table1", name, finetune(Setting(scale="paper", seed=seed), name, NO_LOSS), {})
        for name, seed in (("mask_rcnn_R50_FPN", 0), ("mask_rcnn_R101_FPN", 0))
    ]
    other = replace(cells[1], row="other", spec=replace(cells[1].spec, seed=1))
    grid = table_grid("table1", Layout("", ("mAP",)), [*cells, other])
    show_plan(make_plan(grid, runs), console)
    text = " ".join(printed(console).split())
    base = base_of(cells[0].spec).run_id
    get = "harness prepare --weights"
    assert (
        "Missing • coco_2014_train is not here: /d/coco/annotations/instances_train2014.json and "
        "/d/coco/train2014 are missing. 6 runs need it: harness prepare • coco_2014_minival"
    ) in text
    assert f"• /w/R-50.safetensors is missing. Run {base} needs it: {get} • " in text
    assert f"/w/R-101.safetensors is missing. 2 runs need it: {get} Assumptions" in text


def test_failures_show_their_last_lines_as_they_are(runs, console):
    log = runs.folder / "stderr"
    show_failures([failure(last=("[/bold] x",), log=log)], console)
    text = printed(console)
    assert text.startswith("table1/k=2 · 3f9c1ab2: no luck\n  [/bold] x\n")
    assert str(log) in text
    assert "1 failed. They are tried again, from their checkpoints, by:\n  harness submit " in text


def test_failures_name_their_cause_where_the_reason_does_not(console):
    show_failures([failure(cause=Cause.NODE_FAILURE)], console)
    assert printed(console).startswith("table1/k=2 · 3f9c1ab2: node failure: no luck\n")


def test_each_command_that_tries_again_is_told_once_and_ten_at_most(console):
    shared = [failure(), failure()]
    retries = [failure(again=f"harness retry {number:08x}") for number in range(12)]
    show_failures([*shared, *retries], console)
    text = printed(console)
    assert text.count(AGAIN) == 1
    assert text.count("harness retry") == 9
    assert text.endswith("\n  … and so on for 3 more\n")


def test_where_no_command_helps_none_is_told(console):
    show_failures([failure(again="")], console)
    assert printed(console).endswith("\n1 failed.\n")


def test_no_failure_is_said_too(console):
    show_failures([], console)
    assert printed(console) == "No run has failed.\n"


def test_a_log_is_printed_untouched(console):
    show_log(["[red]a" + "x" * 100 + "\n", "\x1b[32mgreen\x1b[0m\n"], console)
    assert printed(console) == "[red]a" + "x" * 100 + "\n\x1b[32mgreen\x1b[0m\n"


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(45, "45 s"), (720, "12 min"), (3 * 3600 + 300, "3 h 05 min"), (100 * 3600, "4 d 4 h")],
)
def test_a_duration_has_two_units_at_most(seconds, words):
    assert duration(seconds) == words


@pytest.mark.parametrize(
    ("hours", "words"), [(0.031, "0.03"), (1.23, "1.2"), (9.96, "10.0"), (1154.2, "1,154")]
)
def test_gpu_hours_have_no_more_digits_than_are_read(hours, words):
    assert hours_used(hours) == words


@pytest.mark.parametrize(
    ("reason", "cause", "words"),
    [
        ("loss became nan", Cause.ERROR, "loss became nan"),
        ("Killed: the attempt ended without a word", Cause.KILLED, None),
        ("on gpu013", Cause.PREEMPTED, "preempted: on gpu013"),
        ("", Cause.LOST, "lost"),
        ("", Cause.NONE, ""),
    ],
)
def test_a_cause_is_told_where_the_reason_does_not_tell_it(reason, cause, words):
    assert why(reason, cause) == (reason if words is None else words)


def test_a_preview_shows_each_run_with_its_state_and_why(console):
    lost = RunState(State.FAILED, "[b]its node went", Cause.NODE_FAILURE)
    rows = [
        ("3f9c1ab2", "table1/k=2", lost),
        ("5ad01c77", "base mask_rcnn_R101_FPN", RunState(State.QUEUED, "waits for resources")),
    ]
    show_runs("Runs to cancel", rows, console)
    lines = [line.rstrip() for line in printed(console).splitlines()]
    assert lines[0] == "Runs to cancel: 2"
    assert lines[2].split(maxsplit=3) == [
        "3f9c1ab2",
        "table1/k=2",
        "failed",
        "node failure: [b]its node went",
    ]
    assert lines[3].endswith("queued  waits for resources")


def test_a_preview_of_nothing_is_one_line(console):
    show_runs("Runs to cancel", [], console)
    assert printed(console) == "Runs to cancel: 0\n"


WAYS = {"watch": "harness status --watch", "fails": "harness fails"}


def test_a_launch_on_slurm_tells_each_kind_with_its_way_on(console):
    many = tuple(f"{number:08x}" for number in range(1000))
    kinds = {"live": many[1:3], "held": ("3f9c1ab2",), "blocked": ("5ad01c77",)}
    names = {"3f9c1ab2": "table1/k=2", "5ad01c77": "table3/HTC"} | dict.fromkeys(many, "t/x")
    result = Submitted(submitted=many, waiting=many[3:12], **kinds)
    show_submitted(result, names, **WAYS, console=console)
    assert printed(console).splitlines() == [
        "1,000 submitted to Slurm; you may log out, the grid goes on. Next: harness status --watch",
        "2 in the queue or running already, left alone (t/x · 00000001, t/x · 00000002)",
        "1 held back: their last attempt failed or ran out of memory (table1/k=2 · 3f9c1ab2). "
        "Next: harness fails",
        "1 blocked: their base is held back (table3/HTC · 5ad01c77)",
        "9 waiting for room in the queue (max_submitted): jobs that end submit them",
    ]


def test_a_launch_that_finds_all_done_says_so(console):
    show_submitted(Submitted(), {}, **WAYS, console=console)
    assert printed(console) == "Nothing to submit: every run is done.\n"
