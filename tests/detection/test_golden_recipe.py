"""What the recipe builds, whole and readable: it cannot change while RECIPE_REVISION stays."""

from collections import Counter
from collections.abc import Iterator
from enum import Enum

import pytest
import torch
from omegaconf import OmegaConf

from harness.detection.images import test_mapper as mapper_of_tests
from harness.detection.images import train_mapper
from harness.detection.models import build_model, model_config
from harness.detection.train import build_optimizer
from harness.grid import RunSpec, Setting, contour, finetune
from harness.grid.architectures import ARCHITECTURES

CLASSES = 80
SGD_OPTIONS = ("lr", "momentum", "dampening", "nesterov", "weight_decay")
IF_MEANT = (
    "What the recipe builds changed, but no run id did. If numbers move by it: raise "
    "RECIPE_REVISION in harness/grid/spec.py. Then rewrite this file with `pytest --update-golden`."
)


@pytest.mark.parametrize("scale", ["paper", "demo"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_no_part_of_a_recipe_changes_without_a_new_revision(scale, architecture, golden):
    spec = finetune(Setting(scale=scale), architecture, contour())
    text = "".join(f"{line}\n" for line in recipe_lines(spec))
    golden(f"recipe/{scale}_{architecture}.txt", text, IF_MEANT)


def recipe_lines(spec: RunSpec) -> Iterator[str]:
    """`name = value`: the configuration, what is built of it, the optimizer, the mappers."""
    config = OmegaConf.to_container(model_config(spec, CLASSES), enum_to_str=True)
    yield from sorted(flat("model", config))
    with torch.device("meta"):  # shapes without memory
        model = build_model(spec, CLASSES)
    yield f"parameters = {sum(p.numel() for p in model.parameters())}"
    yield f"trained parameters = {sum(p.numel() for p in model.parameters() if p.requires_grad)}"
    optimizer = build_optimizer(spec, model)
    groups = Counter(
        ", ".join(f"{name}={group[name]}" for name in SGD_OPTIONS)
        for group in optimizer.param_groups
        for _ in group["params"]
    )
    for options, tensors in sorted(groups.items()):
        yield f"{type(optimizer).__name__}({options}) of {tensors} tensors"
    for name, mapper in {"train": train_mapper(spec), "test": mapper_of_tests(spec)}.items():
        for augmentation in mapper.augmentations.augs:
            options = dict(sorted(vars(augmentation).items()))
            yield f"{name} images: {type(augmentation).__name__}({options})"
        yield f"{name} images: {mapper.image_format}, masks as {mapper.instance_mask_format}"


def flat(name: str, value: object) -> Iterator[str]:
    """A line for each value of a nested configuration."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(f"{name}.{key}", inner)
    elif isinstance(value, type) or callable(value):
        yield f"{name} = {value.__module__}.{value.__qualname__}"
    elif hasattr(value, "__dict__") and not isinstance(value, Enum):
        yield from flat(name, vars(value))
    else:
        yield f"{name} = {value}"
