import numpy as np

from harness.detection.order import batch_order, order_hash

WIDE_OR_HIGH = np.array([True, False, True, True, False, True, False, True, True, False])


def order(**changes):
    wanted = {"seed": 0, "iterations": 20, "num_gpus": 2, "images_per_gpu": 2}
    return batch_order(WIDE_OR_HIGH, **{**wanted, **changes})


def test_the_order_is_a_pure_function_of_its_arguments():
    assert (order() == order()).all()


def test_another_seed_is_another_order():
    assert (order(seed=1) != order()).any()


def test_a_longer_training_begins_with_the_same_batches():
    # A base of 120K iterations and a fine-tune up to 180K share their first 120K.
    assert (order(iterations=30)[:20] == order()).all()


def test_each_process_of_an_iteration_has_images_of_its_own():
    first = order()[0]
    assert first.shape == (2, 2)
    assert len(set(first.ravel().tolist())) == 4


def test_images_of_one_process_are_all_wide_or_all_high():
    kinds = WIDE_OR_HIGH[order()]
    assert (kinds[..., 0] == kinds[..., 1]).all()


def test_every_image_is_seen_equally_often():
    # 6 wide and 4 high images fill pairs exactly, so 5 epochs of 10 images are 25 pairs: batches of
    # one process with two images each show every image 5 times in 25 iterations.
    seen = np.bincount(order(iterations=25, num_gpus=1).ravel(), minlength=10)
    assert seen.tolist() == [5] * 10


def test_one_image_alone_still_fills_batches():
    alone = batch_order(np.array([True]), seed=0, iterations=3, num_gpus=1, images_per_gpu=2)
    assert alone.tolist() == [[[0, 0]], [[0, 0]], [[0, 0]]]


def test_the_hash_tells_orders_apart():
    ids = np.array([[7, 8], [9, 10]])
    assert order_hash(ids) == order_hash(ids.copy())
    assert order_hash(ids) != order_hash(ids[::-1])
