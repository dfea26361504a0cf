"""Which run goes into which array."""

from dataclasses import replace

import pytest

from harness.errors import LaunchError
from harness.grid import NO_LOSS, Setting, contour, finetune
from harness.grid.spec import base_of
from harness.slurm.arrays import make_arrays
from harness.slurm.site import Site

R50, R101 = "mask_rcnn_R50_FPN", "mask_rcnn_R101_FPN"


def site(**keys) -> Site:
    return Site(
        **{"name": "here", "gpus_per_node": 4, "cpus_per_gpu": 1, "time_limit_min": 60} | keys
    )


def grid(*finetunes):
    """Fine-tunes by id, each base before its first."""
    specs = {}
    for spec in finetunes:
        base = base_of(spec)
        specs.setdefault(base.run_id, base)
        specs[spec.run_id] = spec
    return specs


def of(architecture, *losses, seed=0):
    setting = Setting(scale="demo", seed=seed)
    return [finetune(setting, architecture, loss) for loss in losses]


def bases_in(specs) -> list[str]:
    return [run_id for run_id, spec in specs.items() if spec.stage == "base"]


@pytest.fixture
def two_bases():
    return grid(*of(R50, NO_LOSS, contour(k=2)), *of(R101, NO_LOSS))


def test_bases_go_together_and_fine_tunes_by_their_base(two_bases):
    bases = bases_in(two_bases)
    small, small_k2, large = (run for run in two_bases if run not in bases)
    arrays, left = make_arrays(two_bases, unfinished_bases=bases, site=site(), room=None)
    assert [(array.run_ids, array.after) for array in arrays] == [
        (tuple(bases), None),
        ((small, small_k2), bases[0]),
        ((large,), bases[1]),
    ]
    assert left == ()


def test_fine_tunes_whose_bases_are_done_wait_for_nothing_and_go_together(two_bases):
    finetunes = {run: spec for run, spec in two_bases.items() if spec.stage == "finetune"}
    arrays, _ = make_arrays(finetunes, unfinished_bases=(), site=site(), room=None)
    assert [(array.run_ids, array.after) for array in arrays] == [(tuple(finetunes), None)]


def test_a_fine_tune_waits_for_a_base_that_was_submitted_before(two_bases):
    base, run_id = list(two_bases)[:2]
    only = {run_id: two_bases[run_id]}
    arrays, _ = make_arrays(only, unfinished_bases=[base], site=site(), room=None)
    assert [(array.run_ids, array.after) for array in arrays] == [((run_id,), base)]


def test_runs_of_different_size_are_in_different_arrays():
    # The same training on 1 and on 2 GPUs: two runs, each with its base.
    small = of(R50, NO_LOSS)[0]
    specs = grid(small, replace(small, num_gpus=2))
    arrays, _ = make_arrays(specs, unfinished_bases=bases_in(specs), site=site(), room=None)
    assert [(array.num_gpus, len(array.run_ids)) for array in arrays] == [(1, 1), (2, 1)] * 2


def test_an_array_is_split_where_slurm_allows_no_larger_one():
    specs = grid(*(one for seed in range(5) for one in of(R50, NO_LOSS, seed=seed)))
    bases = bases_in(specs)
    arrays, _ = make_arrays(specs, unfinished_bases=bases, site=site(max_array_size=2), room=None)
    assert [array.run_ids for array in arrays if array.after is None] == [
        tuple(bases[:2]),
        tuple(bases[2:4]),
        tuple(bases[4:]),
    ]


def test_bases_take_the_room_first_and_no_fine_tune_goes_without_its_base(two_bases):
    bases = bases_in(two_bases)
    finetunes = [run for run in two_bases if run not in bases]
    for room in range(len(two_bases) + 1):
        arrays, left = make_arrays(two_bases, unfinished_bases=bases, site=site(), room=room)
        submitted = [run for array in arrays for run in array.run_ids]
        assert submitted + list(left) == [*bases, *finetunes]
        assert len(submitted) == room


def test_where_the_queue_is_more_than_full_nothing_is_submitted(two_bases):
    # A limit that was lowered while jobs were in the queue.
    arrays, left = make_arrays(two_bases, unfinished_bases=(), site=site(), room=-3)
    assert arrays == ()
    assert set(left) == set(two_bases)


def test_no_run_is_no_array():
    assert make_arrays({}, unfinished_bases=(), site=site(), room=None) == ((), ())


def test_a_thousand_runs_are_a_few_arrays():
    # 4 seeds: 4 bases, and 249 fine-tunes of each.
    losses = [contour(k=2, weight=weight / 100) for weight in range(1, 250)]
    specs = grid(*(one for seed in range(4) for one in of(R50, *losses, seed=seed)))
    assert len(specs) == 1000
    arrays, left = make_arrays(specs, unfinished_bases=bases_in(specs), site=site(), room=None)
    assert [len(array.run_ids) for array in arrays] == [4, 249, 249, 249, 249]
    assert sorted(run for array in arrays for run in array.run_ids) == sorted(specs)
    assert left == ()


def test_runs_for_larger_nodes_are_refused_and_never_made_smaller():
    specs = grid(replace(of(R50, NO_LOSS)[0], num_gpus=4))
    with pytest.raises(LaunchError) as error:
        make_arrays(specs, unfinished_bases=(), site=site(gpus_per_node=2), room=None)
    first = next(iter(specs))
    assert f"Run {first} and 1 more: trained on 4 GPUs, a node of site 'here' has 2" in str(
        error.value
    )
    assert "Nothing was submitted. Use a site with larger nodes" in str(error.value)
