import torch

from harness.detection.state_dicts import difference

MODEL = {f"layer{number}": torch.zeros(2, 3) for number in range(5)}


def test_equal_keys_and_shapes_are_no_difference():
    assert difference(MODEL, {key: value + 1 for key, value in MODEL.items()}) == ""


def test_of_many_keys_the_first_few_are_named_and_all_counted():
    assert difference(MODEL, {"fc": torch.zeros(1)}) == (
        "missing: layer0, layer1, layer2, ... (5 in all); not the model's: fc"
    )


def test_a_shape_is_told_with_the_models():
    assert difference(MODEL, MODEL | {"layer1": torch.zeros(3, 2)}) == (
        "of another shape: layer1 (3, 2), not (2, 3)"
    )
