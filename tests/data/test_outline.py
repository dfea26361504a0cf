import json

import pytest

from harness.data.annotations import Part, annotations_hash
from harness.data.outline import outline_of
from harness.errors import DataError
from harness.paths import CheckedData
from tests.data.small_coco import TRAIN_2017, VALMINUSMINIVAL_2014, rewrite, write_coco


@pytest.fixture
def checked(tmp_path):
    return CheckedData(tmp_path / "checked")


@pytest.fixture
def part(tmp_path):
    coco = write_coco(tmp_path / "coco", TRAIN_2017)
    return Part(coco / TRAIN_2017.annotations, coco / TRAIN_2017.images)


def test_annotations_that_passed_are_not_read_again(part, checked):
    first = outline_of(part, checked)
    # A remembered outline, changed: only who does not read the annotations believes it.
    memory = checked.annotations(part.annotations.stem, annotations_hash(part.annotations))
    rewrite(memory, lambda known: known["outline"].update(annotations=99))
    again = outline_of(part, checked)
    assert (first.annotations, again.annotations) == (5, 99)
    assert again.images == first.images
    assert again.categories == first.categories


def test_a_changed_file_is_checked_again(part, checked):
    outline_of(part, checked)
    rewrite(part.annotations, lambda content: content["annotations"][0].update(area=-1))
    with pytest.raises(DataError, match=r"annotation 9: area is -1"):
        outline_of(part, checked)


@pytest.mark.parametrize("damage", ["", "[]", "{}", '{"sha256": "0", "checks": 1, "outline": {}}'])
def test_a_memory_that_is_damaged_is_made_again(part, checked, damage):
    first = outline_of(part, checked)
    [memory] = checked.folder.iterdir()
    memory.write_text(damage)
    assert outline_of(part, checked) == first
    assert "outline" in json.loads(memory.read_text())


def test_a_file_may_not_pass_under_the_name_of_another_to_which_more_is_allowed(tmp_path, checked):
    # An annotation id used twice is allowed to minival and valminusminival alone.
    coco = write_coco(tmp_path / "coco", VALMINUSMINIVAL_2014)
    allowed = coco / VALMINUSMINIVAL_2014.annotations
    rewrite(allowed, lambda content: content["annotations"][0].update(id=73))
    outline_of(Part(allowed, coco), checked)
    other = allowed.with_name("instances_train.json")
    other.write_bytes(allowed.read_bytes())
    with pytest.raises(DataError, match="annotation id 73 is used 2 times"):
        outline_of(Part(other, coco), checked)
