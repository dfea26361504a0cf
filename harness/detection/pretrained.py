"""ImageNet weights from which a base starts at paper scale (section IV-B)."""

from safetensors import SafetensorError, safe_open
from safetensors.torch import load_file
from torch import nn

from harness.data.weights import PREPARE, check_weights, weights_folder
from harness.detection.state_dicts import difference
from harness.errors import DataError
from harness.grid.architectures import ARCHITECTURES


def load_imagenet_weights(architecture: str, backbone: nn.Module) -> None:
    """Load the ImageNet weights of `architecture` into its ResNet: all of them, and no others.

    They were converted by `harness prepare --weights` to a file of plain tensors, which cannot
    run code and holds all that is needed: nothing is fetched here.

    Args:
        architecture: in `harness.grid.architectures`.
        backbone: its `backbone.bottom_up`.

    Raises:
        DataError: the file is missing or damaged, was made of other weights than the published
            ones, or its layers are not the backbone's.
    """
    weights = ARCHITECTURES[architecture].weights
    check_weights([weights])
    path = weights_folder() / weights.file
    try:
        with safe_open(path, "pt") as file:
            source = (file.metadata() or {}).get("sha256", "")
        state = load_file(path)
    except SafetensorError as error:
        raise DataError(
            f"{path} is no safetensors file: {error}. {_again(weights.file)}"
        ) from error
    if not source.startswith(weights.sha256):  # under the same run id they would move its numbers
        raise DataError(
            f"{path} was made of other weights (sha256 {source[:8] or 'unknown'}) than those "
            f"published as {weights.published}. {_again(weights.file)}"
        )
    different = difference(backbone.state_dict(), state)
    if different:
        raise DataError(f"{path} does not fit {architecture}: {different}. {_again(weights.file)}")
    backbone.load_state_dict(state)
    print(f"ImageNet weights: {path}", flush=True)


def _again(file: str) -> str:
    return f"Delete {file} and give `{PREPARE}` again."
