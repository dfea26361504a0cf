"""ImageNet weights from which a base starts at paper scale (section IV-B)."""

import os
from pathlib import Path

import torch
from torch import nn

from harness.errors import DataError

FILES = {
    "mask_rcnn_R50_FPN": "R-50.pth",
    "mask_rcnn_R101_FPN": "R-101.pth",
    "mask_rcnn_X101_FPN": "X-101-32x8d.pth",
}


def load_imagenet_weights(architecture: str, backbone: nn.Module) -> None:
    """Load the ImageNet weights of `architecture` into its ResNet.

    They lie below `HARNESS_WEIGHTS` (default `./weights`) as a state dict that torch reads with
    `weights_only=True`; the pickles of detectron2's model zoo can run code and are not read.

    Raises:
        DataError: the file is missing or damaged, or its layers are not the backbone's.
    """
    path = Path(os.environ.get("HARNESS_WEIGHTS", "weights")) / FILES[architecture]
    if not path.exists():
        raise DataError(
            f"The ImageNet weights of {architecture} are not at {path}. Put a state dict of "
            "detectron2's ResNet there (README, 'On COCO'), or name its folder in HARNESS_WEIGHTS."
        )
    try:
        state = dict(torch.load(path, map_location="cpu", weights_only=True))
    except Exception as error:  # torch raises whatever the bytes lead it to
        raise DataError(
            f"{path} cannot be read ({type(error).__name__}): it is cut short, or no state dict of "
            "plain tensors. Copy or convert it again (README, 'On COCO')."
        ) from error
    try:
        # The fully connected layer of the classifier has no place in a detector.
        body = {name: value for name, value in state.items() if not name.startswith("linear.")}
        backbone.load_state_dict(body)
    except (RuntimeError, AttributeError) as error:
        raise DataError(f"{path} holds no weights of {architecture}: {error}") from error
