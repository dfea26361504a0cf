"""What the mask head learns from: an object's mask, cut to its box and brought to 28x28 pixels."""

from typing import Any

import numpy as np
import numpy.typing as npt
from pycocotools import mask as coco_mask

SIDE = 28  # of Mask R-CNN's mask head, in px

Image = npt.NDArray[np.float64]  # shape (H, W)
Box = tuple[float, float, float, float]  # left, top, right, bottom, in px


def roi_of_polygons(polygons: list[list[float]], box: Box) -> Image:
    """The mask drawn anew at the size of the RoI, as detectron2 does in mask format "polygon".

    Args:
        polygons: flat lists x, y, x, y, ... in px of the image.
        box: that fills the RoI.

    Returns:
        0 or 1, shape (SIDE, SIDE).
    """
    left, top, right, bottom = box
    size = np.maximum([right - left, bottom - top], 0.1)
    corners = [np.reshape(np.asarray(one, float), (-1, 2)) for one in polygons]
    in_roi = [((one - [left, top]) * SIDE / size).ravel().tolist() for one in corners]
    rles = coco_mask.frPyObjects(in_roi, SIDE, SIDE)
    return np.asarray(coco_mask.decode(coco_mask.merge(rles)), float)


def roi_of_bitmask(mask: npt.NDArray[np.bool_], box: Box) -> Image:
    """The mask sampled at the RoI's pixels, as detectron2 does in mask format "bitmask".

    Args:
        mask: of the whole image, shape (H, W).
        box: as for `roi_of_polygons`.

    Returns:
        0 or 1, shape (SIDE, SIDE).
    """
    import torch
    from torchvision.ops import roi_align

    stack = torch.from_numpy(mask[None, None].astype(np.float32))
    pooled = roi_align(stack, [torch.tensor([box])], SIDE, sampling_ratio=0, aligned=True)
    return np.asarray(pooled[0, 0].numpy() >= 0.5, float)


def bitmask_of(segmentation: Any, height: int, width: int) -> npt.NDArray[np.bool_]:  # noqa: ANN401
    """The mask of an annotation in its whole image, shape (height, width).

    Args:
        segmentation: polygons, or an RLE mask with counts as a list or a string.
        height: of the image in px.
        width: of the image in px.
    """
    if isinstance(segmentation, list):
        rle = coco_mask.merge(coco_mask.frPyObjects(segmentation, height, width))
    elif isinstance(segmentation["counts"], list):
        rle = coco_mask.frPyObjects(segmentation, height, width)
    else:
        rle = segmentation
    return np.asarray(coco_mask.decode(rle), bool)
