from dataclasses import replace

import pytest

from harness.errors import ResultsError
from harness.files import write_json
from harness.records import (
    Begin,
    Metrics,
    Outcome,
    read_begin,
    read_metrics,
    read_outcome,
    reserve_outcome,
    write_begin,
    write_metrics,
    write_outcome,
    write_outcome_beside,
)

METRICS = Metrics(
    run_id="3f9c1ab2",
    parent="bdb71660",
    spec={"seed": 0},
    ap={"segm": {"AP": 34.5, "APl": None}},
    annotations={"shapes_train": "0" * 64},
    order_hash="1" * 64,
    evaluator="pycocotools 2.0.11",
    environment={"torch": "2.14.1"},
    gpu_hours=0.5,
)


def test_metrics_come_back_and_a_missing_number_stays_missing(tmp_path):
    write_metrics(tmp_path / "metrics.json", METRICS)
    assert read_metrics(tmp_path / "metrics.json", "3f9c1ab2") == METRICS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run_id": "94303a91"}, r"is of run 94303a91, not 3f9c1ab2"),
        ({"schema": 2}, r"has schema 2; this harness reads 1"),
    ],
)
def test_metrics_of_another_run_or_schema_are_refused(tmp_path, change, message):
    write_metrics(tmp_path / "metrics.json", replace(METRICS, **change))
    with pytest.raises(ResultsError, match=message):
        read_metrics(tmp_path / "metrics.json", "3f9c1ab2")


def test_metrics_that_lack_a_field_are_refused(tmp_path):
    write_json(tmp_path / "metrics.json", {"schema": 1, "run_id": "3f9c1ab2"})
    with pytest.raises(ResultsError, match="is no metrics file"):
        read_metrics(tmp_path / "metrics.json", "3f9c1ab2")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"ap": None}, "ap is None"),
        ({"ap": {"segm": 34.5}}, "ap is "),
        ({"ap": {"segm": {"AP": "34.5"}}}, "ap is "),
        ({"run_id": 3}, "run_id is 3"),
        ({"spec": []}, r"spec is \[\]"),
        ({"environment": {"threads": 1}}, "environment is "),
        ({"annotations": None}, "annotations is None"),
        ({"gpu_hours": True}, "gpu_hours is True"),
    ],
)
def test_metrics_of_a_wrong_type_are_refused_by_the_field(tmp_path, change, message):
    write_metrics(tmp_path / "metrics.json", replace(METRICS, **change))
    with pytest.raises(ResultsError, match=f"is no metrics file: {message}"):
        read_metrics(tmp_path / "metrics.json", "3f9c1ab2")


def test_a_number_that_is_none_is_refused(tmp_path):
    # Python's JSON reads what is no JSON.
    write_metrics(tmp_path / "metrics.json", METRICS)
    text = (tmp_path / "metrics.json").read_text()
    (tmp_path / "metrics.json").write_text(text.replace("34.5", "NaN"))
    with pytest.raises(ResultsError, match="is no metrics file: ap is "):
        read_metrics(tmp_path / "metrics.json", "3f9c1ab2")


def test_the_way_out_is_the_runs_or_what_the_caller_says(tmp_path):
    path = tmp_path / "metrics.json"
    path.write_text("{")
    way_out = "Delete it and give `harness run 3f9c1ab2`, which scores a trained run again"
    with pytest.raises(ResultsError, match=way_out):
        read_metrics(path, "3f9c1ab2")
    with pytest.raises(ResultsError, match=r"\. Restore it\.$"):
        read_metrics(path, "3f9c1ab2", "Restore it.")


def test_an_outcome_of_a_wrong_type_is_none(tmp_path):
    write_json(
        tmp_path / "outcome.json", {"ended": "failed", "error": None, "seconds": 1, "trained_s": 1}
    )
    assert read_outcome(tmp_path / "outcome.json") is None


def test_an_attempt_without_a_whole_outcome_has_none(tmp_path):
    path = tmp_path / "outcome.json"
    assert read_outcome(path) is None
    path.write_text('{"ended": "do')
    assert read_outcome(path) is None
    outcome = Outcome(ended="done", error="", seconds=9.0, trained_s=8.0)
    write_outcome(path, outcome)
    assert read_outcome(path) == outcome


def test_a_process_beside_leaves_the_room_to_the_one_that_took_it(tmp_path):
    path = tmp_path / "outcome.json"
    reserve_outcome(path)
    outcome = Outcome(ended="failed", error="x" * 600, seconds=9.0, trained_s=8.0)
    write_outcome_beside(path, outcome)
    assert read_outcome(path) == replace(outcome, error="x" * 500)
    assert (tmp_path / "outcome.json.reserved").stat().st_size == 8192


def test_a_begin_comes_back_and_a_damaged_one_is_none(tmp_path):
    path = tmp_path / "begin.json"
    assert read_begin(path) is None
    begin = Begin(
        host="node7", pid=1, started_at=12.5, iteration=40, sid="h-0", job_id="123_4", restart=2
    )
    write_begin(path, begin)
    assert read_begin(path) == begin
    path.write_text('{"host": "node7"}')
    assert read_begin(path) is None
