"""A bundle that agrees with itself is equal; one that was changed, however well, is not."""

import gzip
import json
import shutil
from dataclasses import replace

import pytest

from harness.errors import BundleError
from tests.bundle.conftest import PROJECT, bundled, content_of, demo_place, verified


def test_an_untouched_bundle_is_rebuilt_to_the_same_bytes(table2):
    verification = verified(table2)
    assert verification.wrong == {}
    assert verification.other_versions == {}
    assert verification.runs == 5
    # README.md, grid.json, 5 specs, 5 environments, 4 formats of the table and 4 of its
    # differences, and the published numbers, which are here too.
    assert len(verification.equal) == 2 + 5 + 5 + 8 + 1
    # What came from elsewhere: 4 experiments, 5 metrics, 4 replicates, predictions of one run.
    assert len(verification.not_compared) == 4 + 5 + 4 + 1
    name = name_in(table2, "predictions")
    assert verification.not_compared[name] == "the ones that were scored"


def test_each_file_is_equal_or_wrong_or_told_to_be_compared_with_nothing(table2, sent):
    bundle = sent({"tables/table2.md": b"32.95", "notes/a.txt": b"a", "b": b"b"}, adapted=True)
    verification = verified(bundle)
    told = [*verification.equal, *verification.wrong, *verification.not_compared]
    assert sorted(told) == sorted(json.loads(content_of(bundle, "manifest.json"))["members"])
    assert list(verification.wrong) == ["b", "notes/a.txt", "tables/table2.md"]


def names_in(bundle, folder):
    members = json.loads(content_of(bundle, "manifest.json"))["members"]
    return sorted(name for name in members if name.startswith(f"{folder}/"))


def name_in(bundle, folder):
    return names_in(bundle, folder)[0]


def spec_id(name):
    return name.removeprefix("specs/").removesuffix(".json")


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
        verified(sent({name: same_length}, adapted=False))


@pytest.mark.parametrize("change", [{"parent": "01234567"}, {"spec": {"seed": 0}}])
def test_metrics_of_a_training_with_another_spec_are_refused(table2, sent, change):
    name, _ = other_ap(table2)
    changed = json.dumps(json.loads(content_of(table2, name)) | change).encode()
    with pytest.raises(BundleError, match=f"{name} is of a training with another spec or base"):
        verified(sent({name: changed}, adapted=True))


def test_metrics_changed_with_their_hash_do_not_fit_their_replicates(table2, sent):
    name, changed = other_ap(table2)
    with pytest.raises(BundleError, match=r"cannot be rebuilt: replicates/.* was made from other"):
        verified(sent({name: changed}, adapted=True))


def test_a_table_changed_with_its_hash_is_named(table2, sent):
    text = content_of(table2, "tables/table2.md")
    assert b"32.95" in text  # the contour loss's mAP
    changed = sent({"tables/table2.md": text.replace(b"32.95", b"34.54")}, adapted=True)
    assert verified(changed).wrong == {"tables/table2.md": "differs"}


def test_a_table_that_is_lost_and_one_that_harness_does_not_make_are_named(table2, sent):
    changed = sent({"tables/table2.md": None, "tables/table9.md": b"32.95"}, adapted=True)
    assert verified(changed).wrong == {
        "tables/table2.md": "is not in the bundle, and harness makes it",
        "tables/table9.md": "is in the bundle, and harness does not make it",
    }


def test_published_numbers_changed_with_their_hash_change_the_tables(table2, sent):
    text = content_of(table2, "published/table2.csv")
    changed = sent({"published/table2.csv": text.replace(b"34.54", b"34.64")}, adapted=True)
    wrong = verified(changed).wrong
    assert wrong["published/table2.csv"] == "differs from the one in results/published here"
    assert wrong["tables/table2.md"] == "differs"


def test_published_numbers_that_are_made_up_are_held_against_those_here(tmp_path):
    made_up = tmp_path / "made_up"
    shutil.copytree(PROJECT / "results" / "published", made_up)
    text = (made_up / "table2.csv").read_text()
    assert "34.54" in text  # the contour loss's mAP in the paper
    (made_up / "table2.csv").write_text(text.replace("34.54", "36.54"))
    place = replace(demo_place(tmp_path), published=made_up)
    bundle = bundled(place, place.grid(["table2"]), tmp_path / "b.zip")
    # Its tables are those of its numbers: only the paper's own tell.
    assert verified(bundle).wrong == {
        "published/table2.csv": "differs from the one in results/published here"
    }
    elsewhere = verified(bundle, published=tmp_path / "none")
    assert elsewhere.wrong == {}
    assert elsewhere.not_compared["published/table2.csv"] == (
        "not compared: results/published here has none of these tables"
    )


@pytest.mark.parametrize(
    "name",
    [
        "metrics/deadbeef.json",
        "metrics/README.md",
        "replicates/deadbeef.json.gz",
        "predictions/deadbeef.json.gz",
        "published/table1.csv",
        "experiments/table9.exe",
    ],
)
def test_a_file_that_nothing_reads_is_refused(sent, name):
    bundle = sent({name: gzip.compress(b"{}")}, adapted=True)
    with pytest.raises(BundleError, match=f"{name} is .* so nothing reads it"):
        verified(bundle)


def test_replicates_without_metrics_or_of_a_base_are_refused(table2, sent):
    name = name_in(table2, "replicates")
    metrics = name.replace("replicates", "metrics").removesuffix(".gz")
    with pytest.raises(BundleError, match=f"{name} is of a run without metrics"):
        verified(sent({metrics: None, name_in(table2, "predictions"): None}, adapted=True))
    grid = json.loads(content_of(table2, "grid.json"))
    rows = {row["run_id"] for row in grid["rows"]}
    [base] = {spec_id(name) for name in names_in(table2, "specs")} - rows
    draws = json.loads(gzip.decompress(content_of(table2, name))) | {"run_id": base}
    of_base = {f"replicates/{base}.json.gz": gzip.compress(json.dumps(draws).encode())}
    with pytest.raises(BundleError, match=f"{base}.json.gz is of other numbers than its metrics"):
        verified(sent(of_base, adapted=True))


def test_another_readme_is_not_equal(sent):
    assert verified(sent({"README.md": b"hello"}, adapted=True)).wrong == {"README.md": "differs"}


def with_versions(bundle, made_with):
    manifest = json.loads(content_of(bundle, "manifest.json")) | {"made_with": made_with}
    return {"manifest.json": json.dumps(manifest).encode()}


def test_versions_that_a_bundle_does_not_tell_are_named(table2, sent):
    here = json.loads(content_of(table2, "manifest.json"))["made_with"]
    assert verified(table2).not_told == ()
    partial = {name: version for name, version in here.items() if name != "pandas"}
    of_partial = verified(sent(with_versions(table2, partial), adapted=False))
    assert (of_partial.other_versions, of_partial.not_told) == ({}, ("pandas",))
    of_none = verified(sent(with_versions(table2, {}), adapted=False))
    assert of_none.other_versions == {}
    assert {"harness", "commit", "python", "pandas", "matplotlib"} <= set(of_none.not_told)


def test_predictions_that_are_not_those_scored_are_refused(table2, sent):
    name = name_in(table2, "predictions")
    other = sent({name: gzip.compress(b"[]")}, adapted=True)
    with pytest.raises(BundleError, match=f"{name} are not the predictions that run"):
        verified(other)


def test_predictions_that_do_not_unpack_are_refused(table2, sent):
    name = name_in(table2, "predictions")
    packed = content_of(table2, name)
    for content, told in (
        (packed[:-9], "it is cut short"),
        (b"no gzip", "incorrect header check"),
        (packed + packed, "something else follows its end"),
    ):
        with pytest.raises(BundleError, match=f"{name} does not unpack.*{told}"):
            verified(sent({name: content}, adapted=True))


def test_a_spec_that_was_changed_has_another_id(table2, sent):
    name = f"specs/{other_ap(table2)[0].rpartition('/')[2]}"
    spec = json.loads(content_of(table2, name))
    changed = json.dumps(spec | {"seed": 7}).encode()
    with pytest.raises(BundleError, match=rf"{name} is not of run \w+: by this harness its id is"):
        verified(sent({name: changed}, adapted=True))


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
        verified(sent({name: json.dumps(spec).encode()}, adapted=True))


def test_a_spec_with_a_number_that_is_none_is_told_in_one_line(table2, sent):
    name = f"specs/{other_ap(table2)[0].rpartition('/')[2]}"
    spec = json.loads(content_of(table2, name))
    spec["schedule"]["warmup_factor"] = float("nan")  # Python writes it, and hashes none
    with pytest.raises(BundleError, match="cannot be rebuilt: ValueError: Out of range float"):
        verified(sent({name: json.dumps(spec).encode()}, adapted=True))


def test_a_spec_with_a_field_that_harness_does_not_know_is_not_equal(table2, sent):
    name = f"specs/{other_ap(table2)[0].rpartition('/')[2]}"
    spec = json.loads(content_of(table2, name))
    changed = json.dumps(spec | {"dropout": 0.5}, indent=2, sort_keys=True).encode()
    assert verified(sent({name: changed}, adapted=True)).wrong == {name: "differs"}


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
        verified(sent({"grid.json": content}, adapted=True))


def test_a_table_named_so_that_it_would_be_written_elsewhere_is_refused(table2, sent):
    grid = json.loads(content_of(table2, "grid.json"))
    grid["layouts"]["../../escaped"] = grid["layouts"]["table2"]
    with pytest.raises(BundleError, match=r"'../../escaped', which is no file name"):
        verified(sent({"grid.json": json.dumps(grid).encode()}, adapted=True))


def test_metrics_that_no_harness_wrote_are_told_without_a_traceback(table2, sent):
    name, _ = other_ap(table2)
    for content in (b"[" * 100_000, b"[]", b"\xff", b'{"schema": 1}'):
        with pytest.raises(BundleError, match=r"sent\.zip: it cannot be rebuilt: "):
            verified(sent({name: content}, adapted=True))
