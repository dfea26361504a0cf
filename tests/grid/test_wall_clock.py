import pytest

from harness.errors import SpecError
from harness.grid.wall_clock import Task, hours_on


def task(name, hours, parent=None, num_gpus=4) -> Task:
    return Task(name, parent, num_gpus, hours)


GRID = [
    task("R50", 10),
    task("k=1", 4, "R50"),
    task("k=2", 4, "R50"),
    task("k=3", 4, "R50"),
    task("R101", 12),
]


@pytest.mark.parametrize(
    ("gpus", "hours"),
    [
        (4, 34),  # one after the other: 10 + 4 + 4 + 4 + 12
        # R50 to 10 beside R101 to 12; k=1 from 10 to 14, k=2 from 12 to 16, k=3 from 14 to 18.
        (8, 18),
        # With a third place k=1, k=2 go from 10 to 14, k=3 from 12 to 16.
        (12, 16),
        (100, 14),  # R50, then all three at once
    ],
)
def test_runs_start_in_their_order_as_soon_as_base_and_gpus_allow(gpus, hours):
    assert hours_on(gpus, GRID) == hours


def test_a_small_run_goes_past_one_that_has_to_wait():
    # 8 GPUs: a on 4 to 6 h; b needs all 8 and waits; c takes the other 4 to 2 h. b from 6 to 7.
    tasks = [task("a", 6), task("b", 1, num_gpus=8), task("c", 2)]
    assert hours_on(8, tasks) == 7


def test_a_parent_that_is_done_is_not_waited_for():
    assert hours_on(4, [task("k=1", 4, parent="done long ago")]) == 4


def test_nothing_to_do_takes_no_time():
    assert hours_on(1, []) == 0


def test_gpus_that_no_run_fits_on_are_refused():
    with pytest.raises(SpecError, match=r"Run R50 trains on 4 GPUs, and there are 2\. Give --gpus"):
        hours_on(2, GRID)
