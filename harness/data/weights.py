"""ImageNet weights of the backbones, from which bases start at paper scale.

Published are pickles of detectron2 (ImageNetPretrained: MSRA/R-50, MSRA/R-101, FAIR/X-101-32x8d),
which can run code, and OpenMMLab's conversions of the same three files to plain state dicts, which
can be read without: what mmengine's hub/openmmlab.json lists as detectron2/resnet50_caffe,
detectron2/resnet101_caffe and detectron2/resnext101_32x8d. (What it lists as detectron/... is of
the code base before that, with another pixel mean.) Their names end in the first 8 digits of their
sha256, torch's custom; we found no longer hash that a publisher names. 8 digits guard against
damage, not against somebody who means harm: that no code can run then is the affair of
`weights_only=True`, of safetensors, and of taking no layer that the model does not have.

They take images as our recipe gives them: BGR, mean 103.53, 116.28, 123.675, std 1, and for
X-101-32x8d std 57.375, 57.12, 58.395 (mmdetection's configs/mask_rcnn, which load them with
`bgr_to_rgb=False`: mask-rcnn_r50-caffe_fpn_1x_coco.py, mask-rcnn_x101-32x8d_fpn_1x_coco.py).
"""

import functools
import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import DataError
from harness.files import write_json

PREPARE = "harness prepare --weights"


@dataclass(frozen=True)
class Weights:
    """Weights of one backbone.

    Attributes:
        name: as detectron2 calls them.
        url: of the published state dict.
        sha256: the first digits of its hash.
    """

    name: str
    url: str
    sha256: str

    @property
    def published(self) -> str:
        """The name of the published file."""
        return self.url.rpartition("/")[2]

    @property
    def file(self) -> str:
        """The name of the file that jobs read: tensors under the names of detectron2's ResNet."""
        return f"{self.name}.safetensors"

    @property
    def record(self) -> str:
        """The name of the file that says what the other must be: its size and sha256."""
        return f"{self.file}.json"


def _published(name: str, file: str, sha256: str) -> Weights:
    url = f"https://download.openmmlab.com/pretrain/third_party/{file}-{sha256}.pth"
    return Weights(name, url, sha256)


R50 = _published("R-50", "resnet50_msra", "5891d200")
R101 = _published("R-101", "resnet101_msra", "6cc46731")
X101 = _published("X-101-32x8d", "resnext101_32x8d", "1516f1aa")
WEIGHTS = {one.name: one for one in (R50, R101, X101)}


def weights_folder() -> Path:
    """Where the weights lie: `HARNESS_WEIGHTS`, by default ./weights."""
    return Path(os.environ.get("HARNESS_WEIGHTS", "weights")).expanduser().absolute()


def fault(weights: Weights, folder: Path, *, look_inside: bool) -> str:
    """What is wrong with the file that jobs read, in a few words; "" for nothing.

    Args:
        weights: which.
        folder: where they lie.
        look_inside: whether to compare the hash too, half a second for the largest, or the size
            alone.
    """
    path = folder / weights.file
    try:
        state = path.stat()
        record = json.loads((folder / weights.record).read_bytes())
        size, sha256, source = record["bytes"], record["sha256"], record["source"]
        if not source.startswith(weights.sha256):
            return f"{path} was made of another file than {weights.published}"
        if state.st_size != size:
            return f"{path} has {state.st_size:,} bytes, not {size:,}: it is cut short or another's"
        found = _sha256(path, size, state.st_mtime_ns) if look_inside else sha256
    except FileNotFoundError as error:
        return f"{error.filename} is missing"
    except OSError as error:
        return f"{error.filename} cannot be read ({error.strerror})"
    except (ValueError, KeyError, TypeError, AttributeError):
        return f"{folder / weights.record} is damaged"
    if found != sha256:
        return f"{path} is damaged: its sha256 begins {found[:8]}, not {sha256[:8]}"
    return ""


def check_weights(needed: Iterable[Weights]) -> None:
    """Pass if all these files are there and whole.

    Raises:
        DataError: one is missing or damaged; says which, and what to do.
    """
    folder = weights_folder()
    faults = [wrong for one in needed if (wrong := fault(one, folder, look_inside=True))]
    if faults:
        raise DataError(
            f"ImageNet weights: {'; '.join(faults)}. Give `{PREPARE}` on a machine with internet, "
            "or name the folder that has them in HARNESS_WEIGHTS."
        )


def write_record(weights: Weights, folder: Path, source: str) -> None:
    """Say what the file that has just been written must be from now on.

    Args:
        weights: which it holds.
        folder: where it lies.
        source: sha256 of the published file that it was made of.
    """
    path = folder / weights.file
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    record = {"bytes": path.stat().st_size, "sha256": sha256, "source": source}
    write_json(folder / weights.record, record)


@functools.lru_cache(maxsize=8)
def _sha256(path: Path, size: int, mtime_ns: int) -> str:
    del size, mtime_ns  # they only tell the cache when the file is another
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
