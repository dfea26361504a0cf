"""A bundle that agrees with itself is equal; one that was changed, however well, is not."""

import gzip
import json

import pytest

from harness.bundle import verify_bundle
from harness.errors import BundleError
from tests.bundle.conftest import content_of


def test_an_untouched_bundle_is_rebuilt_to_the_same_bytes(table2):
    verification = verify_bundle(table2)
    assert verification.wrong == {}
    assert verification.other_versions == {}
    assert verification.runs == 5
    # grid.json, 5 specs, 5 environments, 4 formats of the table and 4 of its differences.
    assert len(verification.equal) == 1 + 5 + 5 + 8
    assert len(verification.predictions) == 1


def name_in(bundle, folder):
    members = json.loads(content_of(bundle, "manifest.json"))["members"]
    return min(name for name in members if name.startswith(f"{folder}/"))


def other_ap(bundle):
    """A run's metrics with another AP, in the second digit behind the point."""
    for name in json.loads(content_of(bundle, "manifest.json"))["members"]:
        if name.startswith("metrics/"):
            metrics = json.loads(content_of(bundle, name))
            if "segm" in metrics["ap"]:
                metrics["ap"]["segm"]["AP"] += 0.01
                return name, json.dumps(metrics, indent=2, sort_keys=True).encode() + b"\n"
    raise AssertionError("no run with AP")


def test_metrics_with_one_digit_changed_are_not_the_ones_that_were_bundled(table2, sent):
    name, changed = other_ap(table2)
    same_length = changed[: len(content_of(table2, name))]
    with pytest.raises(BundleError, match=rf"{name} is not the file that was bundled|has \d+ byt"):
        verify_bundle(sent({name: same_length}, adapted=False))


@pytest.mark.parametrize("change", [{"parent": "01234567"}, {"spec": {"seed": 0}}])
def test_metrics_of_a_training_with_another_spec_are_refused(table2, sent, change):
    name, _ = other_ap(table2)
    changed = json.dumps(json.loads(content_of(table2, name)) | change).encode()
    with pytest.raises(BundleError, match=f"{name} is of a training with another spec or base"):
        verify_bundle(sent({name: changed}, adapted=True))


def test_metrics_changed_with_their_hash_do_not_fit_their_replicates(table2, sent):
    name, changed = other_ap(table2)
    with pytest.raises(BundleError, match=r"cannot be rebuilt: replicates/.* was made from other"):
        verify_bundle(sent({name: changed}, adapted=True))


def test_a_table_changed_with_its_hash_is_named(table2, sent):
    text = content_of(table2, "tables/table2.md")
    assert b"32.95" in text  # the contour loss's mAP
    changed = sent({"tables/table2.md": text.replace(b"32.95", b"34.54")}, adapted=True)
    assert verify_bundle(changed).wrong == {"tables/table2.md": "differs"}


def test_a_table_that_is_lost_and_one_that_harness_does_not_make_are_named(table2, sent):
    changed = sent({"tables/table2.md": None, "tables/table9.md": b"32.95"}, adapted=True)
    assert verify_bundle(changed).wrong == {
        "tables/table2.md": "is not in the bundle, and harness makes it",
        "tables/table9.md": "is in the bundle, and harness does not make it",
    }


def test_published_numbers_changed_with_their_hash_change_the_tables(table2, sent):
    text = content_of(table2, "published/table2.csv")
    changed = sent({"published/table2.csv": text.replace(b"34.54", b"34.64")}, adapted=True)
    wrong = verify_bundle(changed).wrong
    assert "tables/table2.md" in wrong
    assert set(wrong.values()) == {"differs"}


def test_predictions_that_are_not_those_scored_are_refused(table2, sent):
    name = name_in(table2, "predictions")
    other = sent({name: gzip.compress(b"[]")}, adapted=True)
    with pytest.raises(BundleError, match=f"{name} are not the predictions that run"):
        verify_bundle(other)


def test_predictions_that_do_not_unpack_are_refused(table2, sent):
    name = name_in(table2, "predictions")
    packed = content_of(table2, name)
    for content, told in (
        (packed[:-9], "it is cut short"),
        (b"no gzip", "incorrect header check"),
        (packed + packed, "something else follows its end"),
    ):
        with pytest.raises(BundleError, match=f"{name} does not unpack.*{told}"):
            verify_bundle(sent({name: content}, adapted=True))


def test_a_spec_that_was_changed_has_another_id(table2, sent):
    name = f"specs/{other_ap(table2)[0].rpartition('/')[2]}"
    spec = json.loads(content_of(table2, name))
    changed = json.dumps(spec | {"seed": 7}).encode()
    with pytest.raises(BundleError, match=rf"{name} is not of run \w+: by this harness its id is"):
        verify_bundle(sent({name: changed}, adapted=True))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"architecture": "yolo"}, "cannot be rebuilt: Unknown model 'yolo'"),
        ({"seed": "0"}, "is damaged: seed: Input should be a valid integer"),
        ({"num_gpus": 0}, "cannot be rebuilt: total_batch_size=4 on num_gpus=0"),
    ],
)
def test_a_spec_that_cannot_be_is_told_in_one_line(table2, sent, change, told):
    name = f"specs/{other_ap(table2)[0].rpartition('/')[2]}"
    spec = json.loads(content_of(table2, name)) | change
    with pytest.raises(BundleError, match=told):
        verify_bundle(sent({name: json.dumps(spec).encode()}, adapted=True))


def test_a_spec_with_a_number_that_is_none_is_told_in_one_line(table2, sent):
    name = f"specs/{other_ap(table2)[0].rpartition('/')[2]}"
    spec = json.loads(content_of(table2, name))
    spec["schedule"]["warmup_factor"] = float("nan")  # Python writes it, and hashes none
    with pytest.raises(BundleError, match="cannot be rebuilt: ValueError: Out of range float"):
        verify_bundle(sent({name: json.dumps(spec).encode()}, adapted=True))


def test_a_spec_with_a_field_that_harness_does_not_know_is_not_equal(table2, sent):
    name = f"specs/{other_ap(table2)[0].rpartition('/')[2]}"
    spec = json.loads(content_of(table2, name))
    changed = json.dumps(spec | {"dropout": 0.5}, indent=2, sort_keys=True).encode()
    assert verify_bundle(sent({name: changed}, adapted=True)).wrong == {name: "differs"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"{}", "grid.json is damaged: layouts: Field required"),
        (b"[" * 100_000, "grid.json is damaged"),
        (b'{"layouts": {}, "on_request": [], "rows": [{"table": 3}]}', "grid.json is damaged"),
    ],
)
def test_a_grid_that_is_none_is_refused(sent, content, told):
    with pytest.raises(BundleError, match=told):
        verify_bundle(sent({"grid.json": content}, adapted=True))


def test_a_table_named_so_that_it_would_be_written_elsewhere_is_refused(table2, sent):
    grid = json.loads(content_of(table2, "grid.json"))
    grid["layouts"]["../../escaped"] = grid["layouts"]["table2"]
    with pytest.raises(BundleError, match=r"'../../escaped', which is no file name"):
        verify_bundle(sent({"grid.json": json.dumps(grid).encode()}, adapted=True))


def test_metrics_that_no_harness_wrote_are_told_without_a_traceback(table2, sent):
    name, _ = other_ap(table2)
    for content in (b"[" * 100_000, b"[]", b"\xff", b'{"schema": 1}'):
        with pytest.raises(BundleError, match=r"sent\.zip: it cannot be rebuilt: "):
            verify_bundle(sent({name: content}, adapted=True))
