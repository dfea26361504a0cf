from pathlib import Path

import pytest

from harness.errors import LaunchError
from harness.grid.again import command
from harness.launch.attempt import new_attempt
from harness.launch.logs import failures, follow, printed
from harness.lease import lease
from harness.records import Outcome, write_outcome

FAILED = Outcome(ended="failed", error="no luck", seconds=1, trained_s=0)


@pytest.fixture
def paths(ids, runs):
    return runs.run(ids["table1/k=2"])


@pytest.fixture
def attempt(paths):
    attempt = new_attempt(paths)
    attempt.stdout.write_text("loading\n")
    attempt.stderr.write_text("")
    return attempt


def test_follow_gives_what_comes_until_the_attempt_has_ended(paths, attempt):
    def wait():
        with attempt.stdout.open("a") as file:
            file.write("iteration 1\n")
        attempt.stderr.write_text("no luck\n")
        write_outcome(attempt.outcome, FAILED)

    with lease(paths.lease, "k=2"):
        assert list(follow(paths, wait)) == ["loading\n", "iteration 1\n", "no luck\n"]


def test_follow_ends_when_the_job_was_killed(paths, attempt):
    assert list(follow(paths, pytest.fail)) == ["loading\n"]


def test_printed_is_stdout_then_stderr(paths, attempt):
    attempt.stderr.write_text("a warning\n")
    assert "".join(printed(paths)) == "loading\na warning\n"


def test_failures_show_the_last_lines_of_the_newest_attempt(grid, runs, ids, paths, attempt):
    write_outcome(attempt.outcome, FAILED)
    attempt.stderr.write_text("\n".join(f"line {i}" for i in range(50)))
    (failure,) = failures(grid, runs, lines=2)
    assert (failure.name, failure.reason) == ("table1/k=2", "no luck")
    assert failure.last_lines == ("line 48", "line 49")
    assert failure.log == attempt.stderr
    assert failure.again == f"harness submit --site local --scale demo --runs {runs.folder}"


def test_the_command_to_go_on_names_only_what_it_must(grid, own_grid, own_data, monkeypatch):
    spec, own = grid.cells[0].spec, own_grid.cells[0].spec
    submit = "harness submit --site local --scale demo"
    monkeypatch.delenv("HARNESS_RUNS", raising=False)
    assert command("submit --site local", spec, Path("runs").resolve()) == submit
    assert command("submit --site local", own, Path("runs")) == f"{submit} --data {own_data}"
    assert command("submit --site local", spec, Path("/my runs")) == f"{submit} --runs '/my runs'"
    monkeypatch.setenv("HARNESS_RUNS", "/my runs")
    assert command("submit --site local", spec, Path("/my runs")) == submit


def test_failures_fall_back_to_stdout(grid, runs, paths, attempt):
    write_outcome(attempt.outcome, FAILED)
    (failure,) = failures(grid, runs)
    assert failure.last_lines == ("loading",)


def test_a_run_never_started_has_no_log(paths):
    with pytest.raises(LaunchError, match=r"^Run \w{8} was never started, so it has printed noth"):
        list(printed(paths))


def test_a_run_in_the_foreground_has_no_log(paths):
    new_attempt(paths)
    with pytest.raises(LaunchError, match="printed to a terminal, not to"):
        list(follow(paths))
