"""Where the stuff map of an image lies: a PNG with a class of COCO-stuff for each pixel."""

from pathlib import Path

FOLDER = "stuffthingmaps"  # as COCO-stuff's own archive is called when unpacked
CLASSES = 183  # of COCO-stuff, things included
UNLABELED = 255
MODE = "L"  # Pillow's word for one channel of 8 bits


def stuff_map_of(image: Path) -> Path:
    """The stuff map of an image: `train2017/1.jpg` has `stuffthingmaps/train2017/1.png`."""
    return image.parent.parent / FOLDER / image.parent.name / f"{image.stem}.png"
