import os

import pytest

from harness.errors import HarnessError, ResultsError
from harness.paths import RunPaths, project_folder, read_json, replacing, write_json, write_text


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "new" / "file.txt"
    write_text(path, "first")
    write_text(path, "second")
    assert path.read_text() == "second"
    assert list(path.parent.iterdir()) == [path]


def test_a_failed_write_leaves_what_stood_there_and_nothing_beside_it(tmp_path):
    path = tmp_path / "file.txt"
    write_text(path, "first")
    with pytest.raises(TypeError), replacing(path) as temporary:
        temporary.write_text(b"no text")
    assert path.read_text() == "first"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_said_with_the_file_and_the_way_out(tmp_path):
    path = tmp_path / "metrics.json"
    write_text(path, "first")
    # /dev/full answers every write as a full disk does.
    (tmp_path / f".metrics.json.{os.getpid()}.tmp").symlink_to("/dev/full")
    with pytest.raises(HarnessError, match=r"No space left .* while writing metrics\.json.*Free"):
        write_text(path, "second")
    assert path.read_text() == "first"


def test_a_number_that_is_not_one_is_never_written(tmp_path):
    path = tmp_path / "metrics.json"
    with pytest.raises(ValueError, match="nan"):
        write_json(path, {"AP": float("nan")})
    assert not path.exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ('{"AP": 3', "is not whole JSON"),
        ("", "is not whole JSON"),
        ("[]", "holds no JSON object"),
        (None, "is missing"),
    ],
)
def test_a_damaged_file_is_named_with_the_way_out(tmp_path, content, message):
    path = tmp_path / "metrics.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(ResultsError, match=rf"metrics\.json {message}.*Ask again\."):
        read_json(path, "Ask again.")


def test_attempts_are_counted_by_number_and_not_by_name(tmp_path):
    # As text "10" comes before "9".
    paths = RunPaths(tmp_path)
    for number in (1, 9, 10):
        paths.attempt(number).folder.mkdir(parents=True)
    (paths.attempts / "notes").mkdir()
    assert paths.attempt_numbers() == [1, 9, 10]
    assert paths.last_attempt() == paths.attempt(10)


def test_checkpoints_sort_by_iteration(tmp_path):
    paths = RunPaths(tmp_path)
    assert paths.checkpoint(90_000).name < paths.checkpoint(180_000).name


def test_a_folder_with_experiments_of_its_own_is_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    checkout = project_folder()
    assert (checkout / "experiments" / "table1_k_sweep.py").exists()
    (tmp_path / "experiments").mkdir()
    assert project_folder() == tmp_path
