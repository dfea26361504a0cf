"""What the campaign itself decides, without a cluster."""

import os
import subprocess
import tomllib
from dataclasses import replace
from random import Random

import pytest

from harness.paths import RunsFolder
from tests.chaos import launches, project, strikes
from tests.chaos.launches import put_wrapper
from tests.chaos.sight import Row, Sight, Task, doubled
from tests.chaos.strikes import Deck
from tests.chaos.watched import REMEMBERED, WRONG_FOR_S, Watched

RUN = "1a2b3c4d"


def task(job_id, state="RUNNING", sid="h-0", run_id=RUN):
    return Task(run_id, sid, job_id, state, "None", "node1", 1)


def kind_of(name):
    return next(kind for kind in strikes.KINDS if kind.name == name)


def test_every_kind_is_dealt_before_one_comes_again():
    deck = Deck(("a", "b", "c"), Random(0))
    assert sorted(deck.deal({"a", "b", "c"}) for _ in range(3)) == ["a", "b", "c"]


def test_a_kind_that_is_not_possible_now_keeps_its_place():
    deck = Deck(("a", "b"), Random(0))
    assert deck.deal({"a"}) == "a"
    assert deck.deal({"a"}) is None  # it is the turn of "b"
    assert deck.deal({"a", "b"}) == "b"


def test_the_same_seed_deals_the_same_kinds():
    kinds = tuple(kind.name for kind in strikes.KINDS)
    one, two = Deck(kinds, Random(7)), Deck(kinds, Random(7))
    assert [one.deal(set(kinds)) for _ in range(30)] == [two.deal(set(kinds)) for _ in range(30)]


@pytest.mark.parametrize(
    ("tasks", "found"),
    [
        ((task("5_0"), task("6_0", run_id="ffffffff")), {}),
        ((task("5_0"), task("6_0", sid="h-1")), {RUN: "5_0 RUNNING, 6_0 RUNNING"}),
        # A successor waits while its forerunner ends.
        ((task("5_0"), task("6_0", "PENDING")), {}),
        ((task("5_0"), task("6_0")), {RUN: "5_0 RUNNING, 6_0 RUNNING"}),
    ],
)
def test_two_live_jobs_of_a_run_are_found(tasks, found):
    assert doubled(tasks) == found


@pytest.fixture
def clock(monkeypatch):
    """Sets what time it is for what is watched."""
    now = [0.0]
    monkeypatch.setattr("tests.chaos.watched.time.monotonic", lambda: now[0])
    return now


@pytest.mark.parametrize(
    ("kind", "cause", "true"),
    [
        ("scancel", "cancelled", True),
        ("scancel", "killed", False),
        ("kill -9 of a worker", "killed", True),
        ("kill -9 of a worker", "error", False),
        ("killed for its memory", "out of memory", True),
        ("node failure", "node failure", True),
        ("scontrol requeue", "lost", False),
    ],
)
def test_a_run_that_stands_still_must_say_what_befell_it(tmp_path, clock, kind, cause, true):
    found = []
    watched = Watched(RunsFolder(tmp_path), found.append)
    running = Sight({RUN: Row("a", "running", "", "")}, (task("5_0"),), {RUN: 1})
    watched.struck(kind_of(kind), [task("5_0")], running)
    stands = Sight({RUN: Row("a", "failed", cause, "why")}, (), {RUN: 1})
    watched.check(stands)
    assert found == []  # accounting may lag behind
    clock[0] += WRONG_FOR_S + 1
    watched.check(stands)
    assert bool(found) is not true
    assert watched.standing(stands) == [RUN]  # either way the user goes on


@pytest.mark.parametrize(
    ("kinds", "cause", "true"),
    [
        (("scancel", "SIGTERM"), "killed", True),
        # What shows at once is over when the run is struck again.
        (("scancel", "SIGTERM"), "cancelled", False),
        (("out of memory", "scancel"), "out of memory", False),
        (("node failure", *["SIGTERM"] * (REMEMBERED - 1)), "node failure", True),
        (("node failure", *["SIGTERM"] * REMEMBERED), "node failure", False),
    ],
)
def test_only_a_strike_that_lasts_explains_what_is_seen_after_the_next(
    tmp_path, clock, kinds, cause, true
):
    found = []
    watched = Watched(RunsFolder(tmp_path), found.append)
    running = Sight({RUN: Row("a", "running", "", "")}, (task("5_0"),), {RUN: 1})
    for attempts, name in enumerate(kinds, start=1):
        watched.struck(kind_of(name), [task("5_0")], replace(running, attempts={RUN: attempts}))
    stands = Sight({RUN: Row("a", "failed", cause, "why")}, (), {RUN: len(kinds)})
    watched.check(stands)
    clock[0] += WRONG_FOR_S + 1
    watched.check(stands)
    assert bool(found) is not true


def test_a_strike_that_met_no_attempt_leaves_the_one_before_it_to_explain(tmp_path, clock):
    # The job was struck again between the end of its attempt and its own.
    found = []
    watched = Watched(RunsFolder(tmp_path), found.append)
    running = Sight({RUN: Row("a", "running", "", "")}, (task("5_0"),), {RUN: 1})
    for name in ("kill -9 of a worker", "preemption"):
        watched.struck(kind_of(name), [task("5_0")], running)
    watched.check(Sight({RUN: Row("a", "failed", "killed", "why")}, (), {RUN: 1}))
    clock[0] += WRONG_FOR_S + 1
    watched.check(Sight({RUN: Row("a", "failed", "killed", "why")}, (), {RUN: 1}))
    assert found == []


@pytest.mark.parametrize(("newest_job", "true"), [("5_0", True), ("6_0", False)])
def test_a_time_limit_stays_with_its_job_however_often_that_is_struck(
    tmp_path, clock, newest_job, true
):
    found = []
    watched = Watched(RunsFolder(tmp_path), found.append)
    running = Sight({RUN: Row("a", "running", "", "")}, (task("5_0"),), {RUN: 1})
    for attempts, name in enumerate(("time limit", *["scontrol requeue"] * REMEMBERED), start=1):
        watched.struck(kind_of(name), [task("5_0")], replace(running, attempts={RUN: attempts}))
    watched.check(Sight(running.rows, (task(newest_job),), {RUN: 1}))
    stands = Sight({RUN: Row("a", "failed", "time limit", "why")}, (), {RUN: REMEMBERED + 1})
    watched.check(stands)
    clock[0] += WRONG_FOR_S + 1
    watched.check(stands)
    assert bool(found) is not true


def test_a_new_attempt_shows_that_the_run_goes_on(tmp_path, clock):
    watched = Watched(RunsFolder(tmp_path), pytest.fail)
    running = Sight({RUN: Row("a", "running", "", "")}, (task("5_0"),), {RUN: 1})
    watched.struck(strikes.KINDS[0], [task("5_0")], running)
    watched.check(running)
    assert not watched.may_be_struck(task("5_0"), most=5)
    watched.check(Sight(running.rows, running.tasks, {RUN: 2}))
    assert watched.may_be_struck(task("5_0"), most=5)


def test_the_site_file_takes_other_values_of_its_keys(tmp_path, monkeypatch):
    (tmp_path / "slurm").mkdir()
    (tmp_path / "slurm" / "devcluster.toml").write_text(
        'partition = "low"\nrequeue = true  # a comment\n[sbatch]\nnice = 1\n'
    )
    monkeypatch.setattr(project, "ROOT", tmp_path)
    project.write_site(tmp_path, requeue=False, gpus_per_node=2)
    assert tomllib.loads((tmp_path / "slurm" / "devcluster.toml").read_text()) == {
        "requeue": False,
        "gpus_per_node": 2,
        "partition": "low",
        "sbatch": {"nice": 1},
    }


def test_the_experiment_holds_as_many_rows_as_are_asked_for(tmp_path, monkeypatch):
    from harness.grid import Setting
    from harness.grid.experiments import load_grid

    setting = Setting(scale="demo", shapes_dir=tmp_path)
    folder = project.HERE / "experiments"
    # R50 with 4 losses, R101 with 2, R50 on 2 GPUs: 7 fine-tunes of 3 bases.
    assert len(load_grid(["chaos"], setting, folder).runs) == 10
    monkeypatch.setenv("CHAOS_ROWS", "2")
    assert len(load_grid(["chaos"], setting, folder).runs) == 3


def test_sbatch_times_out_once_though_its_job_exists(tmp_path):
    (tmp_path / "real").mkdir()
    real = tmp_path / "real" / "sbatch"
    real.write_text(f'#!/bin/sh\necho "$@" >> "{tmp_path}/jobs"\necho 12\n')
    real.chmod(0o755)
    path = put_wrapper(tmp_path / "bin", f"{real.parent}:{os.defpath}")
    (tmp_path / "flag").touch()
    environ = {"PATH": path, "CHAOS_SLOW": str(tmp_path / "flag")}
    said = [
        subprocess.run(["sbatch", number], env=environ, capture_output=True, text=True)
        for number in ("one", "two")
    ]
    assert [one.returncode for one in said] == [1, 0]
    assert "Socket timed out" in said[0].stderr
    assert [one.stdout for one in said] == ["", "12\n"]
    assert (tmp_path / "jobs").read_text() == "one\ntwo\n"


@pytest.mark.parametrize(
    ("how", "code", "flag_taken", "hit"),
    [
        (launches.SLOW, "exit 2", True, True),
        (launches.SLOW, "exit 0", False, False),  # there was nothing to submit
        (launches.KILLED, "kill -9 $$", False, True),
        (launches.KILLED, "exit 0", False, False),  # it was over before
        (launches.TWICE, "exit 0", False, True),
        (launches.ALONE, "exit 1", False, False),
    ],
)
def test_a_launch_counts_as_hit_only_where_its_fault_came_to_pass(
    tmp_path, how, code, flag_taken, hit
):
    flag = tmp_path / "slow"
    if not flag_taken:
        flag.touch()
    process = subprocess.Popen(["sh", "-c", code], text=True)
    process.wait()
    launch = launches.Launch(how, [process], flag if how == launches.SLOW else None)
    assert launch.was_hit() is hit
