"""Which run starts next. The grid: R50 base, R50, k=2, R101 base, R101."""

import pytest

from harness.grid.state import RunState, State
from harness.launch.schedule import next_run


@pytest.fixture
def ask(grid, ids):
    """The name of the next run, where all runs are to do but those named."""

    def ask(slots, **named):
        states = dict.fromkeys(grid.runs, RunState(State.TO_DO))
        for state, names in named.items():
            for name in names:
                states[ids[name]] = RunState(State[state.upper()])
        spec = next_run(grid.runs, states, slots)
        return spec and grid.name_of(spec.run_id)

    return ask


R50_BASE, R101_BASE = "base mask_rcnn_R50_FPN", "base mask_rcnn_R101_FPN"


def test_the_first_run_is_the_first_base(ask):
    assert ask(2) == R50_BASE


def test_a_finetune_waits_for_its_base_and_the_second_slot_takes_another_base(ask):
    assert ask(2, running=[R50_BASE]) == R101_BASE


def test_no_run_starts_without_a_free_slot(ask):
    assert ask(2, running=[R50_BASE, R101_BASE]) is None


def test_finetunes_go_before_bases_on_one_slot(ask):
    assert ask(1, done=[R50_BASE]) == "table1/R50"


def test_finetunes_go_first_while_a_base_is_running(ask):
    assert ask(2, done=[R50_BASE], running=[R101_BASE]) == "table1/R50"


def test_a_base_starts_beside_finetunes_so_that_the_last_does_not_train_alone(ask):
    assert ask(2, done=[R50_BASE], running=["table1/R50"]) == R101_BASE


def test_a_failed_base_starts_none_of_its_children(ask):
    assert ask(2, failed=[R50_BASE], done=[R101_BASE]) == "table1/R101"
