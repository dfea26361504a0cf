"""What a results file is worth, whoever has computed it."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter

from harness.data.fields import Item

AP = Mapping[str, float]


@dataclass(frozen=True, kw_only=True)
class Evaluation:
    """What a results file is worth.

    Attributes:
        task: what was compared, "segm" for masks, "bbox" for boxes, "boundary" for their contours.
        evaluator: name and version of what computed it.
        images, objects, crowds, detections: how many there are. Objects are no crowds; annotations
            of images or categories that the file does not list count nowhere.
        ap: by metric (EXTENDED_METRICS), in percent points; NaN without ground truth.
        per_category: the same by category, in the order of their ids. A category goes by its name,
            "cat"; where names are missing or double, each goes by name and id, "cat (id 17)".
    """

    task: str
    evaluator: str
    images: int
    objects: int
    crowds: int
    detections: int
    ap: AP
    per_category: Mapping[str, AP]


def counted(ground_truth: Item) -> dict[str, int]:
    """The images, objects and crowds of a ground truth, by those names."""
    image_ids, category_ids = (
        {item["id"] for item in ground_truth[table]} for table in ("images", "categories")
    )
    crowds = [
        annotation["iscrowd"]
        for annotation in ground_truth["annotations"]
        if annotation["image_id"] in image_ids and annotation["category_id"] in category_ids
    ]
    return {
        "images": len(ground_truth["images"]),
        "objects": crowds.count(0),
        "crowds": crowds.count(1),
    }


def category_names(ground_truth: Item) -> list[str]:
    """What each category goes by, in ascending order of the ids: no two by the same."""
    by_id = sorted(ground_truth["categories"], key=itemgetter("id"))
    names = [category.get("name") for category in by_id]
    if all(isinstance(name, str) for name in names) and len(set(names)) == len(names):
        return [str(name) for name in names]
    return [
        f"{name or 'unnamed'} (id {category['id']})"
        for name, category in zip(names, by_id, strict=True)
    ]
