"""Training batches as a pure function of (seed, iteration, num_gpus)."""

from collections.abc import Iterator

import numpy as np
import torch
from torch.utils.data import DataLoader, Dataset

from harness.detection.order import batch_order
from harness.detection.reading import Mapper, Record, deaf, or_raise, telling
from harness.detection.seeding import seeded
from harness.errors import DataError
from harness.grid.spec import RunSpec


class IterationBatches(Dataset[list[Record | DataError]]):
    """Item i is the whole batch of iteration i for one process, so the loader holds no state.

    An image that cannot be used is a DataError in its place, which `batches` raises.
    """

    def __init__(
        self, records: list[Record], order_IB: np.ndarray, mapper: Mapper, seed: int, rank: int
    ):
        self.records = records
        self.order_IB = order_IB
        self.mapper = telling(mapper)
        self.seed = seed
        self.rank = rank

    def __len__(self) -> int:
        return len(self.order_IB)

    def __getitem__(self, iteration: int) -> list[Record | DataError]:
        with seeded(self.seed, "augmentation", iteration, self.rank):
            return [self.mapper(self.records[index]) for index in self.order_IB[iteration]]


def spec_order(spec: RunSpec, records: list[Record]) -> np.ndarray:
    """`batch_order` of a run, from the base's first iteration to the run's last."""
    return batch_order(
        np.array([record["width"] > record["height"] for record in records]),
        seed=spec.seed,
        iterations=spec.last_iteration,
        num_gpus=spec.num_gpus,
        images_per_gpu=spec.total_batch_size // spec.num_gpus,
    )


def batches(dataset: IterationBatches, start: int, num_workers: int) -> Iterator[list[Record]]:
    """The batches of iterations `start`, `start` + 1, ... to the last.

    Args:
        dataset: all batches of the training.
        start: the first iteration wanted, counted from 0.
        num_workers: processes that load ahead; moves no number.

    Raises:
        DataError: an image of the next batch cannot be used; says which.
    """
    return or_raise(
        DataLoader(
            dataset,
            batch_size=None,
            sampler=range(start, len(dataset)),
            num_workers=num_workers,
            collate_fn=_as_it_is,
            worker_init_fn=deaf,
            # A loader draws a number as it begins; from its own generator, and not the model's.
            generator=torch.Generator(),
        )
    )


def _as_it_is(batch: list[Record | DataError]) -> list[Record | DataError]:
    return batch
