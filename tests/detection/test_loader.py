import random

import numpy as np
import pytest
import torch

from harness.detection.datasets import load_split, with_objects
from harness.detection.images import train_mapper
from harness.detection.loader import IterationBatches, batches, spec_order
from harness.errors import DataError


@pytest.fixture
def dataset(tiny_base):
    records = with_objects(load_split(tiny_base.train_split, tiny_base.data_dir))
    order = spec_order(tiny_base, records)[:, 0]
    return IterationBatches(records, order, train_mapper(tiny_base), tiny_base.seed, rank=0)


def images_of(batch):
    return [record["image"] for record in batch]


def test_a_batch_does_not_depend_on_where_the_loader_started_or_on_its_workers(dataset):
    # Flips are drawn at random, so equal pixels mean equal random numbers too.
    whole = list(batches(dataset, start=0, num_workers=0))
    resumed = list(batches(dataset, start=4, num_workers=0))
    with_workers = list(batches(dataset, start=4, num_workers=2))
    assert len(whole) == 6
    assert len(resumed) == len(with_workers) == 2
    for expected, *others in zip(whole[4:], resumed, with_workers, strict=True):
        for other in others:
            for a, b in zip(images_of(expected), images_of(other), strict=True):
                assert torch.equal(a, b)


def test_some_images_are_flipped_and_some_are_not(dataset):
    pixels = {}
    for batch in map(dataset.__getitem__, range(len(dataset))):
        for record in batch:
            pixels.setdefault(record["image_id"], set()).add(record["image"].numpy().tobytes())
    assert max(len(versions) for versions in pixels.values()) == 2


def test_loading_a_batch_leaves_all_generators_as_they_were(dataset):
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    untouched = random.random(), np.random.rand(), torch.rand(1).item()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    dataset[0]
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == untouched


def test_an_image_that_cannot_be_read_is_named(dataset, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    dataset.records = [{**record, "file_name": str(broken)} for record in dataset.records]
    with pytest.raises(DataError, match=r"broken\.png cannot be read .* Copy it again"):
        dataset[0]


def test_images_without_objects_are_not_trained_on(tiny_base):
    # The shapes' images 6, 31, ... are empty by design.
    split = load_split(tiny_base.train_split, tiny_base.data_dir)
    empty = [record["image_id"] for record in split.records if not record["annotations"]]
    assert empty
    assert not set(empty) & {record["image_id"] for record in with_objects(split)}
