"""What can be wrong with annotations in COCO's format, found before a GPU waits for it.

Each check raises at the first item that is wrong. They ask for what training and evaluation need
and no more: COCO's own files pass, all 860,000 annotations of train2017 in seconds. An evaluation
asks for less (`harness.evaluation.ground_truth`), in the same words.
"""

from collections import Counter
from collections.abc import Collection
from pathlib import Path

from harness.data.fields import BOX, Item, is_box, is_finite, listed, shortened
from harness.data.mask_checks import check_mask
from harness.errors import DataError

TABLES = ("images", "annotations", "categories")
MOST_PIXELS = 2**32 - 1  # pycocotools counts them in 32 bits
ANNOTATION_KEYS = ("image_id", "category_id", "segmentation", "bbox", "area", "iscrowd")


def check_content(where: str, content: object, *, duplicates_allowed: bool = False) -> None:
    """Pass if `content` can be trained on and evaluated on.

    Args:
        where: the annotation file, as the message shall name it.
        content: what its JSON says.
        duplicates_allowed: whether an annotation id may be used twice.

    Raises:
        DataError: the first thing that is wrong, and the way out.
    """
    images, annotations, categories = (filled_table(where, content, name) for name in TABLES)
    check_ids(where, "image", images)
    check_ids(where, "annotation", annotations, duplicates_allowed=duplicates_allowed)
    check_ids(where, "category", categories)
    _check_names(where, categories)
    _check_images(where, images)
    sizes = {image["id"]: [image["height"], image["width"]] for image in images}
    category_ids = {category["id"] for category in categories}
    for annotation in annotations:
        check_annotation_id(where, annotation)
        here = f"{where}: annotation {annotation['id']}"
        check_keys(here, annotation, ANNOTATION_KEYS)
        _check_references(here, annotation, sizes, category_ids)
        check_bbox(here, annotation)
        check_area_and_iscrowd(here, annotation)
        check_mask(here, annotation["segmentation"], sizes[annotation["image_id"]])


def table(where: str, content: object, name: str) -> list[Item]:
    """The list `name` of an annotation file.

    Raises:
        DataError: there is none.
    """
    items = content.get(name) if isinstance(content, dict) else None
    if not isinstance(items, list) or not all(isinstance(item, dict) for item in items):
        raise DataError(
            f"{where}: has no list of objects called {name!r}. COCO's format is one object with "
            f"the lists {', '.join(TABLES)}; export the annotations in that format."
        )
    return items


def filled_table(where: str, content: object, name: str) -> list[Item]:
    """The list `name` of an annotation file, with something in it.

    Raises:
        DataError: there is none, or it is empty.
    """
    items = table(where, content, name)
    if not items:
        raise DataError(f"{where}: its list {name!r} is empty. Export the annotations again.")
    return items


def check_ids(
    where: str, kind: str, items: list[Item], *, duplicates_allowed: bool = False
) -> None:
    """Pass if the ids of images, annotations or categories are integers, each used once.

    Raises:
        DataError: they are not.
    """
    for position, item in enumerate(items, start=1):
        if type(item.get("id")) is not int:
            raise DataError(
                f"{where}: {kind} number {position} in its list has id {item.get('id')!r}. "
                "An id is an integer; number them anew."
            )
    for used, times in Counter(item["id"] for item in items).most_common(1):
        if times > 1 and not duplicates_allowed:
            raise DataError(
                f"{where}: {kind} id {used} is used {times} times. An id stands for one {kind}; "
                "number them anew."
            )


def may_repeat_annotation_ids(path: Path) -> bool:
    """Whether a file of this name may use an annotation id twice, as COCO 2014's minival does.

    detectron2 allows it in the same files.
    """
    return "minival" in path.name


def check_size(where: str, image: Item) -> None:
    """Pass if an image tells its height and width, and masks can be as large.

    Raises:
        DataError: it does not, or they cannot.
    """
    for key in ("width", "height"):
        if type(image.get(key)) is not int or image[key] < 1:
            raise DataError(
                f"{where}: {key} is {image.get(key)!r}. It is the size in pixels, an integer "
                "of 1 or more; enter that of the image file."
            )
    if image["width"] * image["height"] > MOST_PIXELS:
        raise DataError(
            f"{where}: has {image['width']} x {image['height']} pixels. An RLE mask has "
            f"{MOST_PIXELS:,} at most; enter the size of the image file."
        )


def check_annotation_id(where: str, annotation: Item) -> None:
    """Pass if the id of an annotation is an integer from 1, and no longer than a float holds.

    Raises:
        DataError: it is not.
    """
    annotation_id = annotation.get("id")
    if type(annotation_id) is not int or annotation_id < 1 or not is_finite(annotation_id):
        raise DataError(
            f"{where}: annotation id {shortened(annotation_id)} is not allowed: pycocotools reads "
            "a match with 0 as no match, and counts a right detection as wrong. Number the "
            "annotations from 1."
        )


def check_keys(where: str, annotation: Item, keys: Collection[str]) -> None:
    """Pass if an annotation has a value under each of `keys`.

    Raises:
        DataError: it has not.
    """
    for key in keys:
        if annotation.get(key) is None:
            raise DataError(
                f"{where}: has no {key}. Each annotation needs {', '.join(keys)}; export them all."
            )


def check_reference_types(where: str, annotation: Item) -> None:
    """Pass if an annotation names its image and category by integers, whether or not they exist.

    Raises:
        DataError: it does not.
    """
    for key in ("image_id", "category_id"):
        if type(annotation[key]) is not int:
            raise DataError(f"{where}: {key} is {annotation[key]!r}. It is an integer; correct it.")


def check_bbox(where: str, annotation: Item) -> None:
    """Pass if the box of an annotation is one.

    Raises:
        DataError: it is not.
    """
    # Zero is allowed: two boxes in COCO's train2017 have no height, and training leaves them out.
    if not is_box(annotation["bbox"]):
        raise DataError(
            f"{where}: bbox is {shortened(annotation['bbox'])}. It is {BOX}; correct it, or remove "
            "the annotation."
        )


def check_area_and_iscrowd(where: str, annotation: Item) -> None:
    """Pass if an annotation tells its area, and whether it is a crowd.

    Raises:
        DataError: it does not.
    """
    area, iscrowd = annotation["area"], annotation["iscrowd"]
    if not is_finite(area) or area < 0:
        raise DataError(
            f"{where}: area is {area!r}. It is the mask's area in pixels, finite and not negative; "
            "correct it, or remove the annotation."
        )
    if iscrowd not in (0, 1):
        raise DataError(f"{where}: iscrowd is {iscrowd!r}. It is 0, or 1 for a crowd; correct it.")


def _check_names(where: str, categories: list[Item]) -> None:
    for category in categories:
        if not isinstance(category.get("name"), str):
            raise DataError(
                f"{where}: category {category['id']}: name is {category.get('name')!r}. It is the "
                "word for the category; enter it."
            )


def _check_images(where: str, images: list[Item]) -> None:
    for image in images:
        here = f"{where}: image {image['id']}"
        check_size(here, image)
        if not isinstance(image.get("file_name"), str):
            raise DataError(
                f"{here}: file_name is {image.get('file_name')!r}. It is the name of its file in "
                "the image folder; enter it."
            )


def _check_references(
    where: str, annotation: Item, image_ids: Collection[int], category_ids: Collection[int]
) -> None:
    image_id, category_id = annotation["image_id"], annotation["category_id"]
    if type(image_id) is not int or image_id not in image_ids:
        raise DataError(
            f"{where}: image_id {image_id!r} is not listed in images. Add the image, or remove "
            "the annotation."
        )
    if type(category_id) is not int or category_id not in category_ids:
        raise DataError(
            f"{where}: category_id {category_id!r} is not listed in categories (listed: "
            f"{listed(sorted(category_ids))}). Add the category, or correct the annotation."
        )
