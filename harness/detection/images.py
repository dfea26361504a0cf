"""What a model sees of an image at each scale: resizing and flips, through detectron2's mapper."""

import detectron2.data.transforms as T  # noqa: N812 (detectron2's own name)
from detectron2.data import DatasetMapper

from harness.grid.spec import RunSpec

# Shorter and longer side in px. Paper: IV-B. Demo: the drawn shapes are 128 px wide and high.
SIDES = {"paper": (800, 1333), "demo": (128, 192)}


def train_mapper(spec: RunSpec) -> DatasetMapper:
    """Single scale and horizontal flips, nothing else (IV-B; the paper's code base)."""
    shorter, longer = SIDES[spec.scale]
    return DatasetMapper(
        is_train=True,
        augmentations=[T.ResizeShortestEdge(shorter, longer), T.RandomFlip()],
        image_format="BGR",
        use_instance_mask=True,
        instance_mask_format=spec.mask_format,
    )


def test_mapper(spec: RunSpec) -> DatasetMapper:
    """The same size, without flips and annotations."""
    shorter, longer = SIDES[spec.scale]
    return DatasetMapper(
        is_train=False,
        augmentations=[T.ResizeShortestEdge(shorter, longer)],
        image_format="BGR",
    )
