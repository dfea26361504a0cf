"""Help ends with examples that are right, and shows them whole in a terminal of 80 columns."""

import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from harness.cli import app
from harness.cli.examples import EXAMPLES, WHOLE, epilog
from harness.grid.names import matching
from harness.workplace import workplace

ROOT = Path(__file__).parents[2]
GROUP = typer.main.get_command(app)
PAIRS = [*WHOLE, *(pair for pairs in EXAMPLES.values() for pair in pairs)]
TYPED = list(dict.fromkeys(command for command, _ in PAIRS))
# What shows the committed demo, or a plan: these write nothing and need nothing.
READ_ONLY = [
    typed
    for typed in TYPED
    if re.match(r"harness (plan|status|fails|(table|diff|verdicts).* --scale demo)", typed)
    and "--watch" not in typed
]


def words_of(typed: str) -> list[str]:
    """The words that harness is given: without its name, and where its output goes."""
    return shlex.split(typed.partition(" > ")[0])[1:]


def parse(typed: str) -> None:
    """What the command line does before anything runs."""
    with GROUP.make_context("harness", words_of(typed)) as context:
        name, command, rest = GROUP.resolve_command(context, words_of(typed))
        command.make_context(name, rest, parent=context)


def help_of(*words: str) -> str:
    done = CliRunner().invoke(app, [*words, "--help"], env={"COLUMNS": "80", "TERM": "dumb"})
    assert done.exit_code == 0
    return done.output


def test_every_command_has_one_to_three_examples():
    assert set(EXAMPLES) == set(GROUP.commands)
    assert {1, 2, 3} >= {len(pairs) for pairs in EXAMPLES.values()}


@pytest.mark.parametrize("name", ["", *EXAMPLES])
def test_help_shows_each_example_in_a_line_of_its_own(name):
    shown = [line.strip() for line in help_of(*name.split()).splitlines()]
    examples = EXAMPLES[name] if name else WHOLE
    lines = epilog(examples).splitlines()[2:]
    start = shown.index("Examples:") + 1
    assert shown[start : start + len(lines)] == [line.strip() for line in lines]
    assert all(typed.startswith(f"harness {name}".strip()) for typed, _ in examples)


@pytest.mark.parametrize("name", ["", *EXAMPLES])
def test_help_cuts_nothing_off_at_80_columns(name):
    text = help_of(*name.split())
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize("typed", TYPED)
def test_each_example_is_understood(typed):
    parse(typed)


@pytest.mark.parametrize(
    "typed", ["harness plann", "harness plan --gpu 8", "harness verify", "harness run a b"]
)
def test_an_example_that_is_wrong_is_found(typed):
    with pytest.raises(
        Exception, match=r"No such command|No such option|Missing param|Got unexpec"
    ):
        parse(typed)


def test_each_row_and_run_that_is_named_exists(tmp_path):
    place = workplace("paper", None, tmp_path)
    grid = place.grid(place.experiment_names, 2)
    named = {
        word for typed in TYPED for word in words_of(typed) if re.match(r"table\d.*/|base ", word)
    }
    assert {"table1/k=2", "table1/k=*", "base mask_rcnn_R50_FPN"} <= named
    for word in named:
        assert matching(grid, [word])


@pytest.mark.parametrize("typed", READ_ONLY)
def test_each_example_that_only_shows_something_works(typed, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    done = CliRunner().invoke(app, words_of(typed), env={"HARNESS_RUNS": str(tmp_path)})
    assert done.exit_code == 0, done.output
    assert done.stdout or "fails" in typed  # nothing has failed


def test_there_are_examples_that_only_show_something():
    assert {words_of(typed)[0] for typed in READ_ONLY} == {
        *("plan", "status", "fails", "table", "diff", "verdicts")
    }
