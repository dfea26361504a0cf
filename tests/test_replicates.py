import gzip
import json

import numpy as np
import pytest

from harness.errors import ResultsError
from harness.records import EXTENDED_METRICS
from harness.replicates import Replicates, by_metric, read_replicates, write_replicates


def some_replicates(**changes):
    one = dict.fromkeys(EXTENDED_METRICS, 20.5) | {"APs": None}
    drawn = dict.fromkeys(EXTENDED_METRICS, (20.0, 21.0, None))
    values = {
        "run_id": "3f9c1ab2",
        "annotations": "a" * 64,
        "results": "b" * 64,
        "drawn": "c" * 64,
        "evaluator": "harness 0.1.0",
        "ap": {"segm": one, "boundary": one},
        "draws": {"segm": drawn, "boundary": drawn},
    }
    return Replicates(**values | changes)


def test_what_is_written_is_read_and_a_missing_number_is_nan(tmp_path):
    path = tmp_path / "replicates.json.gz"
    write_replicates(path, some_replicates())
    read = read_replicates(path, "3f9c1ab2")
    assert read.ap["segm"] == dict.fromkeys(EXTENDED_METRICS, 20.5) | {"APs": None}
    np.testing.assert_array_equal(read.drawn_values("boundary", "AP"), [20, 21, np.nan])


def test_the_same_replicates_are_the_same_bytes(tmp_path):
    for name in ("one", "other"):
        write_replicates(tmp_path / name, some_replicates())
    assert (tmp_path / "one").read_bytes() == (tmp_path / "other").read_bytes()


def test_draws_are_kept_to_a_thousandth_of_a_point():
    columns = np.tile([20.12345, np.nan], (8, 1)).T
    assert by_metric(columns, 3)["AP"] == [20.123, None]


def changed(path, change):
    value = json.loads(gzip.decompress(path.read_bytes()))
    change(value)
    path.write_bytes(gzip.compress(json.dumps(value).encode()))


def flipped(content):
    """With one byte in its middle changed."""
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 0xFF]) + content[middle + 1 :]


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.unlink(), "cannot be read"),
        (lambda path: path.write_bytes(path.read_bytes()[:50]), "cannot be read"),
        (lambda path: path.write_bytes(b"{}"), "is no file of replicates of schema 1"),
        (lambda path: path.write_bytes(flipped(path.read_bytes())), "cannot be read"),
        (lambda path: changed(path, lambda value: value.update(schema=2)), "of schema 1"),
        (lambda path: changed(path, lambda value: value.pop("ap")), "is no file of replicates"),
        (lambda path: changed(path, lambda value: value["draws"].pop("segm")), "is no file"),
        (lambda path: changed(path, lambda value: value["draws"]["segm"]["AP"].pop()), "lacks dra"),
        (
            lambda path: changed(path, lambda value: value.update(run_id="0")),
            "is of run 0, not",
        ),
    ],
)
def test_a_damaged_file_is_named_with_the_way_out(tmp_path, damage, message):
    path = tmp_path / "replicates.json.gz"
    write_replicates(path, some_replicates())
    damage(path)
    with pytest.raises(ResultsError, match=message) as raised:
        read_replicates(path, "3f9c1ab2")
    assert str(path) in str(raised.value)
    assert "Delete it and give `harness collect` where the predictions" in str(raised.value)
