"""The record of an array: written, read, withdrawn."""

from dataclasses import replace

import pytest

from harness.errors import ResultsError
from harness.slurm.submissions import (
    SID,
    Submission,
    new_sid,
    read_submission,
    submissions_of,
    withdraw,
    write_submission,
)

ONE = Submission(
    sid="h-000000000001",
    site="fake",
    run_ids=("aaaa", "bbbb"),
    num_gpus=4,
    mem_gb=64.0,
    time_limit_min=60,
    requeue=True,
    code="c",
    code_hash="d",
    created_at=20.0,
)


def test_a_record_is_read_as_it_was_written(runs):
    write_submission(runs, ONE)
    assert read_submission(runs.submission(ONE.sid)) == ONE


def test_a_run_is_found_in_all_its_submissions_oldest_first(runs):
    older = replace(ONE, sid="h-000000000002", created_at=10.0, run_ids=("bbbb",))
    other = replace(ONE, sid="h-000000000003", run_ids=("cccc",))
    for one in (ONE, older, other):
        write_submission(runs, one)
    assert submissions_of(runs, ["bbbb"]) == (older, ONE)


def test_a_withdrawn_submission_is_kept_and_no_longer_found(runs):
    write_submission(runs, ONE)
    withdraw(runs, ONE, "never seen")
    assert submissions_of(runs, ["aaaa"]) == ()
    assert read_submission(runs.submission(ONE.sid)).withdrawn == "never seen"


def test_submissions_are_their_users_alone(runs):
    write_submission(runs, ONE)
    assert runs.submissions.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("text", ["{", "[]", '{"sid": "h-000000000001"}', '{"run_ids": 3}'])
def test_a_damaged_record_is_told_and_never_passed_over(runs, text):
    # Passed over, its live jobs would be unknown, and the runs submitted again.
    write_submission(runs, ONE)
    runs.submission(ONE.sid).write_text(text)
    with pytest.raises(ResultsError, match=r"h-000000000001\.json .*Move it away"):
        submissions_of(runs, ["aaaa"])


def test_names_of_jobs_are_not_used_twice():
    names = {new_sid() for _ in range(1000)}
    assert len(names) == 1000
    assert all(SID.fullmatch(name) for name in names)
