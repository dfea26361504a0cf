import hashlib
import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from pycocotools import mask as coco_mask
from pycocotools.coco import COCO

from harness.data.annotations import check_annotations, find_own_data
from harness.data.stuff_maps import stuff_map_of
from harness.errors import DataError
from harness.grid.spec import DATA_REVISION
from harness.shapes import dataset, write_shapes

SMALL, LARGE = 32**2, 96**2

# pycocotools' decode has not caught up with numpy 2.
pytestmark = pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("data") / "shapes"
    write_shapes(folder)
    return folder


@pytest.fixture(scope="module", params=["train", "val"])
def coco(folder, request):
    return COCO(folder / "annotations" / f"instances_{request.param}.json")


@pytest.fixture(scope="module")
def annotations(coco):
    return coco.loadAnns(coco.getAnnIds())


# sha256 of the annotation file, and of the pixels of all images in their order, by split. If these
# move, the runs on the old data set are others: raise DATA_REVISION in harness/grid/spec.py, then
# enter the new ones. (The pixels are those of numpy and Pillow at the versions in constraints.txt.)
GOLDEN = {
    "train": (
        "36494b4a9b76b53d14cc2d5c6dcb110fed9e78856662167c05849e7f7ea947e2",
        "721b13ec2c242e6a903c0cf45a3dae5f0f48940d28d5175df880b6e04d26cf60",
    ),
    "val": (
        "ac89cacfb53b03e1cb80d6633d020cdde87494f12ae1024a4736312458b391f6",
        "eb4f4e03acef9d17cb9a98e7af5d238f65bbcae9d41a9700c86bbbd64aa07af8",
    ),
}


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): path.read_bytes() for path in files}


def name_of(coco, annotation) -> str:
    return coco.cats[annotation["category_id"]]["name"]


def test_same_seed_gives_the_same_bytes_in_every_file(folder, tmp_path):
    write_shapes(tmp_path / "again")
    assert contents(tmp_path / "again") == contents(folder)


@pytest.mark.parametrize("split", GOLDEN)
def test_the_data_set_is_the_one_that_data_revision_1_stands_for(folder, split):
    annotations, pixels = GOLDEN[split]
    file = folder / "annotations" / f"instances_{split}.json"
    assert hashlib.sha256(file.read_bytes()).hexdigest() == annotations
    digest = hashlib.sha256()
    for image in sorted((folder / split).iterdir()):
        with Image.open(image) as opened:
            digest.update(np.asarray(opened).tobytes())
    assert digest.hexdigest() == pixels
    assert DATA_REVISION == 1


def test_another_seed_gives_other_images_and_annotations(tmp_path):
    for seed in (0, 1):
        write_shapes(tmp_path / str(seed), seed=seed, train_images=3, val_images=3)
    first, second = contents(tmp_path / "0"), contents(tmp_path / "1")
    assert first.keys() == second.keys()
    assert all(first[name] != second[name] for name in first)


def test_train_and_val_share_no_image(folder):
    files = contents(folder)
    pixels = [data for name, data in files.items() if name.startswith(("train/", "val/"))]
    assert len(set(pixels)) == len(pixels) == 460


def test_more_images_leave_the_first_ones_as_they_were(folder, tmp_path):
    write_shapes(tmp_path / "few", train_images=9, val_images=2)
    whole = json.loads((folder / "annotations/instances_train.json").read_text())
    few = json.loads((tmp_path / "few/annotations/instances_train.json").read_text())
    assert few["images"] == whole["images"][:9]
    assert few["annotations"] == whole["annotations"][: len(few["annotations"])]
    for image in few["images"]:
        path = Path("train", image["file_name"])
        assert (tmp_path / "few" / path).read_bytes() == (folder / path).read_bytes()


def test_drawn_shapes_pass_the_checks_for_own_data(folder):
    data = find_own_data(folder)
    check_annotations(data.train)
    check_annotations(data.val)


def test_images_have_the_size_that_the_annotations_say(tmp_path):
    write_shapes(tmp_path / "shapes", train_images=2, val_images=1, side=96)
    described = json.loads((tmp_path / "shapes/annotations/instances_train.json").read_text())
    for image in described["images"]:
        assert (image["width"], image["height"]) == (96, 96)
        with Image.open(tmp_path / "shapes/train" / image["file_name"]) as picture:
            assert (picture.size, picture.mode) == ((96, 96), "RGB")


def test_area_and_box_are_those_of_the_mask_that_an_evaluator_decodes(coco, annotations):
    for annotation in annotations:
        rle = coco.annToRLE(annotation)
        assert annotation["area"] == coco_mask.area(rle)
        assert annotation["bbox"] == coco_mask.toBbox(rle).tolist()


def test_masks_in_one_image_share_no_pixel(coco):
    for image_id in coco.imgs:
        masks = [coco.annToMask(a) for a in coco.loadAnns(coco.getAnnIds(image_id))]
        assert np.sum(masks, axis=0).max(initial=0) <= 1


def test_enough_of_each_object_is_visible_to_be_found(annotations):
    assert min(annotation["area"] for annotation in annotations) >= 64


def test_polygons_have_three_points_or_more_inside_the_image_at_two_decimals(coco, annotations):
    polygons = [a["segmentation"] for a in annotations if isinstance(a["segmentation"], list)]
    for (polygon,) in polygons:
        assert len(polygon) >= 6
        assert len(polygon) % 2 == 0
        assert 0 <= min(polygon) <= max(polygon) <= 128
        assert polygon == [round(number, 2) for number in polygon]


def test_every_whole_ring_has_a_hole_in_its_middle(coco, annotations):
    rings = [a for a in annotations if name_of(coco, a) == "ring"]
    whole = [a for a in rings if 0.95 < a["bbox"][2] / a["bbox"][3] < 1.05]
    assert len(whole) > 3
    for ring in whole:
        x, y, width, height = ring["bbox"]
        assert isinstance(ring["segmentation"], dict)  # a polygon could not say it
        assert not coco.annToMask(ring)[int(y + height / 2), int(x + width / 2)]


def test_a_solid_shape_in_full_view_is_a_polygon_and_many_others_are_rle(coco, annotations):
    for annotation in annotations:
        x, y, width, height = annotation["bbox"]
        inside = min(x, y) > 0 and max(x + width, y + height) < 128
        alone = len(coco.getAnnIds(annotation["image_id"])) == 1
        if alone and inside and name_of(coco, annotation) != "ring":
            assert isinstance(annotation["segmentation"], list)
    kinds = [type(annotation["segmentation"]) for annotation in annotations]
    assert min(kinds.count(list), kinds.count(dict)) > len(kinds) / 4


def test_small_medium_and_large_objects_are_there_and_most_are_medium(annotations):
    areas = [annotation["area"] for annotation in annotations if not annotation["iscrowd"]]
    small = sum(area < SMALL for area in areas)
    large = sum(area > LARGE for area in areas)
    assert small > 20
    assert large > 4
    assert small + large < len(areas) / 2


def test_every_category_stands_in_every_split(coco, annotations):
    assert {name_of(coco, a) for a in annotations} == {
        *("star", "gear", "blob", "ring", "flower", "crescent")
    }


def test_a_crowd_is_one_rle_annotation_of_many_parts(coco, annotations):
    crowds = [annotation for annotation in annotations if annotation["iscrowd"]]
    assert crowds
    for crowd in crowds:
        assert isinstance(crowd["segmentation"], dict)
        mask = coco.annToMask(crowd)
        assert mask.sum() < crowd["bbox"][2] * crowd["bbox"][3] / 2  # mostly gaps


def test_a_few_images_hold_no_object_and_none_more_than_four_besides_a_crowd(coco):
    counts = [len(coco.getAnnIds(image_id, iscrowd=False)) for image_id in coco.imgs]
    assert 0 < counts.count(0) < len(counts) / 15
    assert max(counts) == 4


def test_objects_stand_out_from_the_background(folder, coco):
    # Value in HSV is the largest channel: fills are bright, the background is not.
    split = "train" if len(coco.imgs) == 400 else "val"
    for image in list(coco.imgs.values())[:20]:
        masks = [coco.annToMask(a) for a in coco.loadAnns(coco.getAnnIds(image["id"]))]
        if masks:
            with Image.open(folder / split / image["file_name"]) as picture:
                value = np.asarray(picture).max(axis=2)
            inside = np.sum(masks, axis=0) > 0
            assert np.median(value[inside]) > np.median(value[~inside]) + 40


def test_stuff_maps_label_each_pixel_with_the_shape_in_view_or_half_of_the_background(folder, coco):
    split = "train" if len(coco.imgs) == 400 else "val"
    for image in list(coco.imgs.values())[:50]:
        stuff = np.asarray(Image.open(stuff_map_of(folder / split / image["file_name"])))
        assert (stuff.shape, stuff.dtype) == ((128, 128), np.uint8)
        covered = np.zeros((128, 128), dtype=bool)
        for annotation in coco.loadAnns(coco.getAnnIds(image["id"])):
            mask = coco.annToMask(annotation).astype(bool)
            covered |= mask
            # Categories count from 1, classes from 0; a crowd is unlabeled.
            label = 255 if annotation["iscrowd"] else annotation["category_id"] - 1
            assert np.unique(stuff[mask]).tolist() == [label]
        background = stuff[~covered]
        assert set(np.unique(background)) <= {6, 7}  # dark and light ground
        value = np.asarray(Image.open(folder / split / image["file_name"])).max(axis=2)[~covered]
        if (background == 6).sum() > 100 and (background == 7).sum() > 100:
            assert value[background == 6].mean() < value[background == 7].mean()


def test_a_folder_that_is_there_is_left_alone(folder):
    before = contents(folder)
    write_shapes(folder, seed=5, train_images=1, val_images=1)
    assert contents(folder) == before


def test_a_writer_that_dies_leaves_nothing_behind(tmp_path, monkeypatch):
    def fail(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(dataset, "paint", fail)
    with pytest.raises(KeyboardInterrupt):
        write_shapes(tmp_path / "shapes")
    assert list(tmp_path.iterdir()) == []


def test_two_writers_at_once_leave_one_whole_folder(tmp_path):
    def write(_):
        write_shapes(tmp_path / "shapes", train_images=10, val_images=5)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    write_shapes(tmp_path / "alone", train_images=10, val_images=5)
    assert contents(tmp_path / "shapes") == contents(tmp_path / "alone")
    assert {path.name for path in tmp_path.iterdir()} == {"shapes", "alone"}


def test_parents_are_made_and_an_empty_folder_is_filled(tmp_path):
    folder = tmp_path / "a" / "b"
    folder.mkdir(parents=True)
    write_shapes(folder, train_images=1, val_images=1)
    assert {path.name for path in folder.iterdir()} == {
        *("annotations", "train", "val", "stuffthingmaps")
    }


def test_something_else_at_the_place_is_never_overwritten(tmp_path):
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(DataError, match=r"it exists and is no data set.*name another folder"):
        write_shapes(tmp_path, train_images=1, val_images=1)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


@pytest.mark.parametrize(
    "wrong", [{"seed": -1}, {"train_images": 0}, {"val_images": 0}, {"side": 32}]
)
def test_a_wrong_argument_is_named_with_its_value(tmp_path, wrong):
    ((name, value),) = wrong.items()
    with pytest.raises(ValueError, match=f"{name}={value}"):
        write_shapes(tmp_path / "shapes", **wrong)
