"""Boundary AP against its definition: whole images, eroded pixel by pixel, and pycocotools."""

import contextlib
import io
import json
import math

import numpy as np
import pytest
from pycocotools import mask as rle
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval
from scipy.ndimage import binary_erosion

from harness.errors import ResultsError
from harness.evaluation import boundary_ap, coco_ap
from tests.evaluation.random_data import RandomData
from tests.evaluation.test_average_precision import write

approx = pytest.approx


def boundary(encoded_mask, dilation_ratio):
    """What erosion takes away from a mask, with outside all around the image."""
    pixels = rle.decode(encoded_mask)
    height, width = pixels.shape
    times = max(1, round(dilation_ratio * math.sqrt(height**2 + width**2)))
    inner = binary_erosion(pixels, np.ones((3, 3)), iterations=times, border_value=0)
    return rle.encode(np.asfortranarray(pixels & ~inner, np.uint8))


class Definition(COCOeval):
    """pycocotools with the lower of mask IoU and boundary IoU, but against crowds."""

    dilation_ratio = 0.02

    def computeIoU(self, image_id, category_id):  # noqa: N802
        iou = super().computeIoU(image_id, category_id)
        if not len(iou):
            return iou
        key = image_id, category_id
        best = sorted(self._dts[key], key=lambda one: -one["score"])[:100]
        ours, theirs = (
            [boundary(one["segmentation"], self.dilation_ratio) for one in those]
            for those in (best, self._gts[key])
        )
        crowds = [one["iscrowd"] for one in self._gts[key]]
        return np.where(crowds, iou, np.minimum(iou, rle.iou(ours, theirs, crowds)))


def by_definition(gt_json, results_json, dilation_ratio=0.02):
    with contextlib.redirect_stdout(io.StringIO()):
        truth, results = COCO(gt_json), json.loads(results_json.read_text())
        for one in results:
            one.pop("bbox", None)  # else the size of a mask would be that of its box
        evaluator = Definition(truth, truth.loadRes(results), "segm")
        evaluator.dilation_ratio = dilation_ratio
        evaluator.evaluate()
        evaluator.accumulate()
        evaluator.summarize()
    return [math.nan if value == -1 else 100 * value for value in evaluator.stats[:6]]


def rugged(data):
    """Masks as rectangles, many of which touch the border of the image, and most with holes."""
    sizes = {image["id"]: (image["height"], image["width"]) for image in data.images}
    for one in data.annotations + data.results:
        height, width = sizes[one["image_id"]]
        # The objects and detections of a place have most of their corners in common.
        top, left = data.rng.integers(-1, 2, 2) + data.rng.choice([0, 30], 2)
        pixels = np.zeros((height, width), bool)
        pixels[max(top, 0) : top + 50, max(left, 0) : left + 60] = True
        if data.rng.random() < 0.7:
            pixels &= data.rng.random(pixels.shape) < 0.9995
        mask = rle.encode(np.asfortranarray(pixels, np.uint8))
        one["segmentation"] = {"size": [height, width], "counts": mask["counts"].decode()}
    return data


@pytest.mark.parametrize("dilation_ratio", [0.001, 0.02, 0.1])
@pytest.mark.parametrize("change", [lambda data: data, rugged], ids=["strips", "rugged"])
def test_boundary_ap_is_that_of_the_definition(tmp_path, change, dilation_ratio):
    compared = 0
    for seed in range(40):
        data = change(RandomData(seed))
        if not data.results or not data.annotations:
            continue  # pycocotools cannot read a file without detections
        files = write(tmp_path, data)
        found = boundary_ap(*files, dilation_ratio=dilation_ratio)
        expected = by_definition(*files, dilation_ratio)
        assert list(found.values()) == approx(expected, abs=1e-9, nan_ok=True)
        compared += 0 < found["AP"] < 100
    assert compared > 10


def test_boundary_ap_is_that_of_the_definition_on_objects_of_coco(moved):
    files = moved(pixels=2)
    found = boundary_ap(*files)
    assert list(found.values()) == approx(by_definition(*files), abs=1e-9)
    assert found["AP"] < coco_ap(*files)["AP"]


def test_a_mask_that_is_right_inside_and_wrong_at_its_contour_loses_boundary_ap(new_scene):
    # 100 x 100 against its inner 90 x 90: mask IoU 0.81, right at 7 of the 10 thresholds. The
    # image is 160 x 200, so boundaries are round(0.02 * 256.1) = 5 pixels wide: the outer five
    # rings of the object, of which the detection has none.
    scene = new_scene()
    scene.add_object(20, 20, 100, 100)
    scene.detect(25, 25, 90, 90, score=0.5)
    files = scene.write()
    assert coco_ap(*files)["AP"] == approx(70)
    assert boundary_ap(*files)["AP"] == 0


def test_what_lies_inside_a_crowd_is_ignored(scene):
    # Surer than the exact detection: were it wrong, precision would be 1/2. It is far from the
    # contour of the crowd, so that its boundary IoU with it would be 0.
    scene.add_object(40, 40, 100, 100, iscrowd=1)
    scene.detect(80, 80, 10, 10, score=0.9)
    assert boundary_ap(*scene.write())["AP"] == approx(100)


def test_an_exact_detection_is_100(scene):
    assert boundary_ap(*scene.write())["AP"] == approx(100)


def test_without_detections_boundary_ap_is_0_and_without_objects_nan(scene):
    scene.results.clear()
    assert boundary_ap(*scene.write())["AP"] == 0
    scene.annotations.clear()
    assert math.isnan(boundary_ap(*scene.write())["AP"])


def test_a_damaged_mask_is_refused(scene):
    scene.results[0]["segmentation"]["counts"] = "1"
    with pytest.raises(ResultsError, match="result 1: its mask is damaged or cut short"):
        boundary_ap(*scene.write())


def test_a_dilation_ratio_that_is_not_above_0_is_refused(scene):
    with pytest.raises(ValueError, match=r"^dilation_ratio must be above 0; got 0$"):
        boundary_ap(*scene.write(), dilation_ratio=0)
