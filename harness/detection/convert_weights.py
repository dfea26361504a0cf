"""Published ImageNet weights -> the safetensors file that jobs read; no value gets lost."""

import hashlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from detectron2.config import instantiate
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from harness.data.weights import Weights, write_record
from harness.detection.models import model_config
from harness.detection.state_dicts import difference
from harness.errors import DataError
from harness.files import replacing
from harness.grid import NO_LOSS, Setting, finetune
from harness.grid.architectures import ARCHITECTURES

STEM = {"conv1": "stem.conv1", "bn1": "stem.conv1.norm"}
BLOCK = re.compile(r"layer(\d)\.(\d+)\.(.+)")
PARTS = {
    **{f"conv{number}": f"conv{number}" for number in (1, 2, 3)},
    **{f"bn{number}": f"conv{number}.norm" for number in (1, 2, 3)},
    "downsample.0": "shortcut",
    "downsample.1": "shortcut.norm",
}
# What a detector has no place for: the classifier, counters, and the bias of R-50's first
# convolution, which detectron2 leaves unused too (it lists stem.conv1.bias of R-50.pkl as that).
DROPPED = re.compile(r"fc\.(weight|bias)|conv1\.bias|.*\.num_batches_tracked")


def convert(published: Path, weights: Weights, folder: Path) -> None:
    """Write the file that jobs read, with its record, and read it back.

    Args:
        published: the state dict as it was fetched, its hash checked.
        weights: which it holds.
        folder: where the file goes.

    Raises:
        DataError: `published` cannot be read without running code, lacks a value that the backbone
            has, or holds one that is neither the backbone's nor known to be of no use.
    """
    state = renamed(_read(published))
    different = difference(backbone_of(weights).state_dict(), state)
    if different:
        raise DataError(
            f"{published} does not hold the weights of {weights.name}: {different}. They are those "
            f"of {weights.url}: delete the file and fetch it again."
        )
    broken = [key for key, value in state.items() if not torch.isfinite(value).all()]
    if broken:
        raise DataError(f"{published} holds infinite or NaN values: {broken[0]}. Fetch it again.")
    target = folder / weights.file
    with published.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    with replacing(target, shared=True) as temporary:
        save_file(state, temporary, {"source": weights.url, "sha256": sha256})
        written = load_file(temporary)
        if any(not torch.equal(value, written[key]) for key, value in state.items()):
            raise DataError(f"{target} does not read back as it was written: the disk is at fault.")
    write_record(weights, folder, sha256)


def renamed(published: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The values under the names of detectron2's ResNet; an unknown name stays as it is."""
    return {
        _our_name(key): value.contiguous()
        for key, value in published.items()
        if not DROPPED.fullmatch(key)
    }


def backbone_of(weights: Weights) -> nn.Module:
    """The ResNet of the paper scale that takes these weights, without memory for its own."""
    architecture = next(
        name for name, one in ARCHITECTURES.items() if one.weights.name == weights.name
    )
    spec = finetune(Setting(scale="paper"), architecture, NO_LOSS)
    with torch.device("meta"):
        return instantiate(model_config(spec, num_classes=1).backbone.bottom_up)


def _our_name(key: str) -> str:
    module, _, value = key.rpartition(".")
    block = BLOCK.fullmatch(module)
    if block is None:
        return f"{STEM.get(module, module)}.{value}"
    stage, number, part = block.groups()
    return f"res{int(stage) + 1}.{number}.{PARTS.get(part, part)}.{value}"  # res1 is the stem


def _read(published: Path) -> Mapping[str, Tensor]:
    try:
        found: Any = torch.load(published, map_location="cpu", weights_only=True)
        state: Mapping[str, Any] = found.get("state_dict", found)
    except Exception as error:  # torch raises whatever the bytes lead it to
        raise DataError(
            f"{published} cannot be read ({type(error).__name__}): it is cut short, or holds more "
            "than plain tensors and is not read, since it could run code. Fetch it again."
        ) from error
    if not all(isinstance(value, Tensor) for value in state.values()):
        raise DataError(
            f"{published} holds more than tensors: it is no state dict. Fetch it again."
        )
    return state
