"""What the rows of one seed share: base, order of images, first weights, sampling."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from harness.detection.loader import spec_order
from harness.detection.order import order_hash
from harness.detection.train import train
from harness.grid import NO_LOSS, Setting, base_of, contour, mse_edge
from harness.grid.experiments import load_grid
from harness.paths import RunsFolder

EXPERIMENTS = Path(__file__).parents[2] / "experiments"
LOSSES = (NO_LOSS, contour(k=2), contour(k=2, variant="sound"), mse_edge())
SHARED = ("loss_rpn_cls", "loss_rpn_loc", "loss_cls", "loss_box_reg", "loss_mask", "lr")


def test_all_rows_of_all_tables_have_the_order_of_their_seed():
    names = ("table1", "table1_sound", "table2", "table3")
    grid = load_grid(names, Setting(scale="demo"), EXPERIMENTS, seeds=range(3))
    records = [{"width": 100 + number % 3, "height": 101} for number in range(40)]
    ids = np.arange(len(records))
    hashes = {}
    for cell in grid.cells:
        order = spec_order(cell.spec, records)
        hashes.setdefault(cell.spec.seed, set()).add(order_hash(ids[order]))
        # A base sees the first iterations of the same order.
        base = base_of(cell.spec)
        assert (spec_order(base, records) == order[: base.last_iteration]).all()
    assert [len(of_seed) for of_seed in hashes.values()] == [1, 1, 1]
    assert len(set.union(*hashes.values())) == 3


@pytest.fixture(scope="module")
def trained(tiny, tmp_path_factory):
    """By seed: the base's order hash, and of each fine-tune that and its first logged line."""
    runs = RunsFolder(tmp_path_factory.mktemp("runs"))

    def trained_with(seed):
        specs = [replace(tiny(loss), seed=seed) for loss in LOSSES]
        base = base_of(specs[0])
        base_hash = train(base, runs.run(base.run_id), runs).order_hash
        return base_hash, [(hash_of(spec), first_line(spec)) for spec in specs]

    def hash_of(spec):
        return train(spec, runs.run(spec.run_id), runs).order_hash

    def first_line(spec):
        line = json.loads(runs.run(spec.run_id).metrics_log.read_text().splitlines()[0])
        assert line["iteration"] == 7  # the base did 6
        return line

    return {seed: trained_with(seed) for seed in (0, 1)}


@pytest.mark.slow
def test_all_losses_of_a_seed_are_trained_in_one_order_and_those_of_another_in_another(trained):
    hashes = {seed: {own for own, _ in finetunes} for seed, (_, finetunes) in trained.items()}
    assert [len(of_seed) for of_seed in hashes.values()] == [1, 1]
    assert hashes[0] != hashes[1]
    assert trained[0][0] != trained[1][0]


@pytest.mark.slow
def test_all_losses_of_a_seed_start_from_the_same_weights_on_the_same_samples(trained):
    # Before its first step a fine-tune has its base's weights. With the same images, flips and RoIs
    # every term that does not come from the added loss is the same number, to the last bit.
    for _, finetunes in trained.values():
        first, *others = [[line[name] for name in SHARED] for _, line in finetunes]
        assert others == [first] * 3
    of_seed = [finetunes[0][1] for _, finetunes in trained.values()]
    assert of_seed[0]["loss_mask"] != of_seed[1]["loss_mask"]
    # The added terms differ, also between the two variants.
    totals = [line["total_loss"] for _, line in trained[0][1]]
    assert len(set(totals)) == len(LOSSES)
