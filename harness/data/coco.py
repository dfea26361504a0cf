"""COCO's annotation files and image folders: where they lie, and what is known of them.

Below detectron2's data root, in the places that detectron2's own registry uses. Counts are those of
cocodataset.org's download page; sizes are those of the files in its archives of September 2017.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CATEGORY_IDS = range(1, 91)  # 80 categories, with holes
# sha256 of the 5,000 ids, rising, in decimal, joined by commas. Three public lists agree: val2017's
# in arvijj/icam (coco/val2017.txt) and AdamCuellar/PyTorch_YOLOv4 (data/val2017.txt), minival2014's
# in gaopeng-eugene/real-time-instance-segmentation (data/coco/minival.txt).
MINIVAL_IDS = "650f780b44aa5a9b65c66ecb0a7ea5345919bb427ea4e6ef8dd42bd3083351b8"


@dataclass(frozen=True)
class CocoFile:
    """One annotation file of COCO and the folder of its images, both below `coco/`.

    Attributes:
        annotations: the file.
        images: the folder.
        count: images that the file lists.
        size: of the file, in bytes; None where no source tells it.
        image_ids: sha256 of its image ids, as `MINIVAL_IDS`; None where no source tells them.
    """

    annotations: str
    images: str
    count: int
    size: int | None = None
    image_ids: str | None = None


TRAIN_2014 = CocoFile("annotations/instances_train2014.json", "train2014", 82_783, 332_556_225)
VALMINUSMINIVAL_2014 = CocoFile("annotations/instances_valminusminival2014.json", "val2014", 35_504)
MINIVAL_2014 = CocoFile(
    "annotations/instances_minival2014.json", "val2014", 5_000, image_ids=MINIVAL_IDS
)
TRAIN_2017 = CocoFile("annotations/instances_train2017.json", "train2017", 118_287, 469_785_474)
VAL_2017 = CocoFile("annotations/instances_val2017.json", "val2017", 5_000, 19_987_840, MINIVAL_IDS)

Layout = tuple[CocoFile, ...]  # the files that together are one split
Layouts = Mapping[str, tuple[Layout, ...]]

# By split, each way in which it may lie on disk, the one that detectron2 registers first. That
# 2017's files hold the same images as 2014's is what Detectron's README says
# (detectron/datasets/data/README.md): val2017 is minival, and train2017 the union of train2014 and
# valminusminival. What a file holds is checked all the same: `harness.data.examine`.
COCO: Layouts = {
    "coco_2014_train": ((TRAIN_2014,),),
    "coco_2014_trainval35k": ((TRAIN_2014, VALMINUSMINIVAL_2014), (TRAIN_2017,)),
    "coco_2014_minival": ((MINIVAL_2014,), (VAL_2017,)),
    "coco_2017_train": ((TRAIN_2017,),),
    "coco_2017_val": ((VAL_2017,),),
}
