"""Which images stand in which batch: a pure function of (seed, iteration, num_gpus)."""

import hashlib

import numpy as np

from harness.detection.seeding import stream_seed


def batch_order(
    landscape: np.ndarray, *, seed: int, iterations: int, num_gpus: int, images_per_gpu: int
) -> np.ndarray:
    """Indices of images, shape (iterations, num_gpus, images_per_gpu).

    Each epoch is a permutation of all images; the images of one GPU are all wide or all high, so
    that little of a batch is padding. Replayed from iteration 0 on indices alone.

    Args:
        landscape: whether an image is wider than high, shape (images,), at least one image.
        seed: of the order.
        iterations: length of the training.
        num_gpus: processes that share an iteration.
        images_per_gpu: of one iteration.
    """
    groups: list[list[int]] = []
    waiting: tuple[list[int], list[int]] = ([], [])
    epoch = 0
    while len(groups) < iterations * num_gpus:
        generator = np.random.Generator(np.random.PCG64(stream_seed(seed, "order", epoch)))
        for index in generator.permutation(len(landscape)).tolist():
            bucket = waiting[int(landscape[index])]
            bucket.append(index)
            if len(bucket) == images_per_gpu:
                groups.append(bucket.copy())
                bucket.clear()
        epoch += 1
    used = np.array(groups[: iterations * num_gpus], dtype=np.int64)
    return used.reshape(iterations, num_gpus, images_per_gpu)


def order_hash(image_ids: np.ndarray) -> str:
    """sha256 over the image ids in the order in which they are trained on."""
    return hashlib.sha256(np.ascontiguousarray(image_ids, dtype="<i8").tobytes()).hexdigest()
