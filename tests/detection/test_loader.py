import multiprocessing
import os
import random
import signal

import numpy as np
import pytest
import torch

from harness.detection.datasets import load_split, with_objects, with_stuff_maps
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


def test_signals_that_slurm_sends_to_the_whole_job_end_no_process_that_loads(dataset):
    loading = batches(dataset, start=0, num_workers=2)
    for _ in range(2):  # one of each process, so that both are up
        next(loading)
    for process in multiprocessing.active_children():
        os.kill(process.pid, signal.SIGUSR2)
        os.kill(process.pid, signal.SIGTERM)
    assert len(list(loading)) == 4  # all that were left of 6


def test_some_images_are_flipped_and_some_are_not(dataset):
    pixels = {}
    for batch in map(dataset.__getitem__, range(len(dataset))):
        for record in batch:
            pixels.setdefault(record["image_id"], set()).add(record["image"].numpy().tobytes())
    assert max(len(versions) for versions in pixels.values()) == 2


def test_a_stuff_map_is_resized_and_flipped_with_its_image(tiny_base, dataset):
    # Drawn at 96 px and trained at 128: the nearest of neighbours differ at contours alone.
    dataset.records = with_stuff_maps(dataset.records)
    flips = set()
    for batch in map(dataset.__getitem__, range(len(dataset))):
        for record in batch:
            stuff, instances = record["sem_seg"], record["instances"]
            assert stuff.shape == record["image"].shape[1:] == (128, 128)
            flips.add(record["image"].numpy().tobytes())
            for mask, category in zip(instances.gt_masks, instances.gt_classes, strict=True):
                inside = stuff[mask]
                assert (inside == category).float().mean() > 0.9
    assert len(flips) > len(dataset.records)  # some images came both ways


def test_loading_a_batch_leaves_all_generators_as_they_were(dataset):
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    untouched = random.random(), np.random.rand(), torch.rand(1).item()
    random.seed(1), np.random.seed(1), torch.manual_seed(1)
    dataset[0]
    assert (random.random(), np.random.rand(), torch.rand(1).item()) == untouched


@pytest.mark.parametrize("num_workers", [0, 2])
def test_beginning_to_load_leaves_the_models_random_numbers_as_they_were(dataset, num_workers):
    # The first batch is fetched after the generators are set for the iteration that takes it.
    torch.manual_seed(1)
    untouched = torch.rand(1).item()
    torch.manual_seed(1)
    next(batches(dataset, 4, num_workers))
    assert torch.rand(1).item() == untouched


def test_loading_a_batch_leaves_the_gpus_generator_alone(dataset, monkeypatch):
    # With workers nothing would touch it, so without them nothing may.
    touched = []
    monkeypatch.setattr("torch.cuda.manual_seed_all", touched.append)
    torch.manual_seed(0)
    assert touched == [0]  # the one way to seed a GPU that this test knows
    dataset[0]
    assert touched == [0]


def test_an_image_that_cannot_be_read_is_named(dataset, tmp_path):
    broken = tmp_path / "broken.png"
    broken.write_bytes(b"no image")
    dataset.records = [{**record, "file_name": str(broken)} for record in dataset.records]
    with pytest.raises(DataError, match=r"broken\.png cannot be read .* Copy it again"):
        next(batches(dataset, 0, num_workers=0))


def test_an_image_that_cannot_be_read_in_a_worker_is_told_in_the_same_words(dataset, tmp_path):
    missing = tmp_path / "missing.png"
    dataset.records = [{**record, "file_name": str(missing)} for record in dataset.records]
    with pytest.raises(DataError, match=r"^Image .*missing\.png cannot be read .* Copy it again"):
        next(batches(dataset, 0, num_workers=2))


def test_an_image_of_another_size_than_its_annotations_say_is_told_with_both(dataset):
    dataset.records = [{**record, "width": 100} for record in dataset.records]
    with pytest.raises(DataError, match=r"png is 96 x 96 px, its annotations say 100 x 96 \(width"):
        next(batches(dataset, 0, num_workers=0))


def test_images_without_objects_are_not_trained_on(tiny_base):
    # The shapes' images 6, 31, ... are empty by design.
    split = load_split(tiny_base.train_split, tiny_base.data_dir)
    empty = [record["image_id"] for record in split.records if not record["annotations"]]
    assert empty
    assert not set(empty) & {record["image_id"] for record in with_objects(split)}
