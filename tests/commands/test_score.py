"""`harness score` as a user gives it: two good files, and every way in which they are not."""

import gzip
import json
import math
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import main

MASK = {"size": [40, 60], "counts": "0T3lW2"}  # run lengths 0, 100, 2300: the first 100 pixels
TWO_COLUMNS = "0`2`X2"  # run lengths 0, 80, 2320


class Files:
    """Two images of 40 x 60; two stars, of which one is found exactly; gears that never occur."""

    def __init__(self, folder: Path) -> None:
        self.gt, self.results = folder / "gt.json", folder / "results.json"
        thing = {"category_id": 3, "iscrowd": 0, "area": 100, "bbox": [0, 0, 3, 40]}
        self.truth = {
            "images": [{"id": number, "height": 40, "width": 60} for number in (1, 2)],
            "categories": [{"id": 3, "name": "star"}, {"id": 5, "name": "gear"}],
            "annotations": [
                {"id": number, "image_id": number, "segmentation": dict(MASK), **thing}
                for number in (1, 2)
            ],
        }
        self.result = {
            "image_id": 1,
            "category_id": 3,
            "score": 0.5,
            "bbox": [0, 0, 3, 40],
            "segmentation": dict(MASK),
        }
        self.write(self.truth, [self.result])

    def write(self, truth: object, results: object) -> None:
        self.gt.write_text(json.dumps(truth))
        self.results.write_text(json.dumps(results))

    @property
    def options(self) -> tuple[str, ...]:
        return ("--gt", str(self.gt), "--results", str(self.results))


@pytest.fixture
def files(tmp_path) -> Files:
    return Files(tmp_path)


@pytest.fixture
def score(monkeypatch, capsys):
    """A function that gives the command and returns its exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["harness", "score", *arguments])
        with pytest.raises(SystemExit) as ended:
            main()
        return (ended.value.code or 0, *capsys.readouterr())

    return call


@pytest.fixture
def refused(score, files):
    """A function that returns the message of a refused command: exit 2, nothing on stdout."""

    def call(*arguments: str) -> str:
        code, printed, message = score(*(arguments or files.options))
        assert (code, printed) == (2, "")
        return message

    return call


def test_two_files_are_scored_in_a_process_of_their_own(files):
    code = "from harness.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "score", *files.options],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "2 images · 2 objects · 0 crowds · 1 detection\n" in done.stdout
    assert done.stderr == ""


def test_json_is_one_object_with_null_for_what_is_missing(files, score):
    # One of two objects found: recall 0.5, so 51 of 101 recalls. No object is medium or large.
    code, printed, message = score(*files.options, "--json")
    found = json.loads(printed, parse_constant=pytest.fail)  # no NaN
    half = pytest.approx(100 * 51 / 101)
    star = {"AP": half, "AP50": half, "AP75": half, "APs": half, "APm": None, "APl": None}
    star |= {"AP80": half, "AP90": half}
    assert (code, message) == (0, "")
    assert found.pop("evaluator").startswith("hotcoco ")
    assert found == {
        "task": "segm",
        "images": 2,
        "objects": 2,
        "crowds": 0,
        "detections": 1,
        "ap": star,
        "per_category": {"star": star, "gear": dict.fromkeys(star)},
    }


def test_no_detections_at_all_is_0(files, score):
    files.write(files.truth, [])
    found = json.loads(score(*files.options, "--json")[1])
    assert (found["detections"], found["ap"]["AP"], found["ap"]["APl"]) == (0, 0, None)


def test_without_annotations_there_is_no_ap(files, score):
    files.write(files.truth | {"annotations": []}, [files.result])
    code, printed, _ = score(*files.options)
    assert code == 0
    assert "2 images · 0 objects" in printed
    assert "all       n/a" in printed


def test_boxes_are_scored_when_they_are_asked_for(files, score):
    del files.result["segmentation"]
    files.write(files.truth, [files.result])
    code, printed, _ = score(*files.options, "--task", "bbox")
    assert code == 0
    assert printed.startswith("COCO AP of boxes, in percent points\n")


def test_boundary_ap_follows_the_masks(files, score):
    masks, both = (score(*files.options, *more)[1] for more in ((), ("--boundary",)))
    assert both.startswith(masks)
    assert "\n\nBoundary AP of masks, in percent points\n2 images" in both


def test_boundary_ap_is_one_more_key_of_the_json(files, score):
    # The object is two columns of 40 pixels and half of a third; found are the two: mask IoU 0.8,
    # right at seven of ten thresholds. Contours are round(0.02 * 72.1) = 1 pixel wide: the object's
    # leaves out 18 pixels of its second column, the detection's none. Boundary IoU is 62 / 100,
    # right at three.
    files.result["segmentation"] = MASK | {"counts": TWO_COLUMNS}
    files.write(files.truth, [files.result])
    half = 100 * 51 / 101
    found = json.loads(score(*files.options, "--json", "--boundary")[1], parse_constant=pytest.fail)
    assert found["ap"]["AP"] == pytest.approx(0.7 * half)
    star = {"AP": 0.3 * half, "AP50": half, "AP75": 0, "APs": 0.3 * half, "APm": None, "APl": None}
    star |= {"AP80": 0, "AP90": 0}
    boundary = found["boundary"]
    assert set(boundary) == {"ap", "per_category"}
    assert boundary["ap"] == pytest.approx(star)
    assert boundary["per_category"]["star"] == pytest.approx(star)
    assert boundary["per_category"]["gear"] == dict.fromkeys(star)


def test_boxes_have_no_boundary_ap(files, refused):
    message = refused(*files.options, "--task", "bbox", "--boundary")
    assert message == (
        "HarnessError: --boundary compares masks, and --task bbox has none. "
        "Leave one of the two out.\n"
    )


def test_gzip_is_read_as_it_is(files, score):
    plain = score(*files.options)
    for file in (files.gt, files.results):
        file.write_bytes(gzip.compress(file.read_bytes()))
    assert score(*files.options) == plain


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gt", "gt.json: cut short or damaged, no valid JSON in its 80 bytes: it is gzip, and doe"),
        ("results", "results.json: not valid JSON, perhaps cut short (it is gzip, and does not u"),
    ],
)
def test_gzip_cut_short_is_told(files, refused, name, message):
    file = getattr(files, name)
    file.write_bytes(gzip.compress(file.read_bytes())[:80])
    assert message in refused()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("gt", "Cannot read the annotations"),
        ("results", "results.json: cannot be read (No such file or directory). Needed: a list of"),
    ],
)
def test_a_missing_file_is_told(files, refused, name, message):
    getattr(files, name).unlink()
    assert message in refused()


def test_a_folder_is_told(files, refused):
    folder = str(files.gt.parent)
    assert "Is a directory" in refused("--gt", folder, "--results", str(files.results))
    assert "Is a directory" in refused("--gt", str(files.gt), "--results", folder)


@pytest.mark.parametrize("text", ["", "AP 37.2", '[{"image_id": 1, "cat'])
def test_what_is_no_json_is_told(files, refused, text):
    files.results.write_text(text)
    assert "results.json: not valid JSON, perhaps cut short (" in refused()
    files.gt.write_text(text)
    assert f"gt.json: cut short or damaged, no valid JSON in its {len(text)} bytes" in refused()


def test_files_that_are_swapped_are_told(files, refused):
    message = refused("--gt", str(files.results), "--results", str(files.gt))
    assert "results.json: has no list of objects called 'images'. COCO's format" in message


def test_an_object_in_place_of_a_list_is_told(files, refused):
    files.write(files.truth, files.truth)
    assert "results.json: holds an object, not a list. Needed: a list of detections" in refused()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"score": math.nan}, "result 1: score is nan. Needed: a finite number"),
        ({"score": None}, "result 1: score is None. Needed: a finite number"),
        ({"image_id": 77}, "image_id 77 is not in the ground truth. Allowed: the ids of its 2 im"),
        ({"category_id": 1}, "category_id 1 is not in the ground truth. Allowed: the ids of its 2"),
        ({"segmentation": [[1, 1, 9, 1, 9, 9]]}, "is a list of polygons. Needed: compressed RLE"),
        (
            {"segmentation": {"size": [40, 60], "counts": [0, 100, 2300]}},
            "'counts': [0, 100, 2300]}. Needed: compressed RLE",
        ),
        (
            {"segmentation": MASK | {"size": [60, 40]}},
            "its mask has size [60, 40], its image 1 has [40, 60] (height, width). They must agree",
        ),
        (
            {"segmentation": MASK | {"counts": "0T3l"}},
            "its mask is damaged or cut short. Needed: run lengths that add up to the 2400 pixels",
        ),
    ],
)
def test_a_result_that_cannot_be_scored_is_told(files, refused, changed, message):
    files.write(files.truth, [files.result | changed])
    assert message in refused()


def test_a_missing_score_is_told(files, refused):
    del files.result["score"]
    files.write(files.truth, [files.result])
    assert "result 1: score is missing. Needed: a finite number" in refused()


def test_boxes_in_place_of_masks_are_told_with_the_option_that_scores_them(files, refused):
    del files.result["segmentation"]
    files.write(files.truth, [files.result])
    message = refused()
    assert "result 1: has only a box, no segmentation. Needed: a mask" in message
    assert "(harness score --task bbox)" in message


def test_an_unknown_task_is_told_with_those_that_exist(files, refused):
    message = refused(*files.options, "--task", "mask")
    assert message == "HarnessError: Unknown task 'mask'. Known tasks: bbox, segm.\n"


@pytest.mark.parametrize("missing", ["--gt", "--results"])
def test_an_option_left_out_is_told(files, refused, missing):
    given = list(files.options)
    del given[given.index(missing) : given.index(missing) + 2]
    assert f"Missing option '{missing}'" in refused(*given)
