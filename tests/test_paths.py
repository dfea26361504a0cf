import socket
from pathlib import Path

import pytest

from harness.errors import HarnessError, ResultsError
from harness.files import (
    disk_full,
    private_folder,
    read_json,
    replacing,
    reserve,
    temporary_beside,
    write_json,
    write_reserved,
    write_text,
)
from harness.paths import RunPaths, RunsFolder, project_folder


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
    temporary_beside(path).symlink_to("/dev/full")
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
    experiment = tmp_path / "experiments" / "mine.py"
    experiment.parent.mkdir()
    experiment.write_text("1 / 0  # of another project: never to be executed")
    assert project_folder() == checkout
    experiment.write_text("from harness.grid import Grid")
    assert project_folder() == tmp_path


def test_notebooks_are_of_the_project_around_them(tmp_path, monkeypatch):
    for folder in (tmp_path, tmp_path / "notebooks", tmp_path / "other"):
        (folder / "experiments").mkdir(parents=True)
    (tmp_path / "experiments" / "mine.py").write_text("from harness.grid import Grid")
    monkeypatch.chdir(tmp_path / "notebooks")
    assert project_folder() == tmp_path
    (tmp_path / "notebooks" / "experiments" / "own.py").write_text("import harness")
    assert project_folder() == tmp_path / "notebooks"


def test_what_lies_above_another_folder_is_never_executed(tmp_path, monkeypatch):
    # As in /tmp, where /tmp/experiments may be anyone's.
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "theirs.py").write_text("import harness")
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    assert project_folder() == Path(__file__).parents[1]


def test_a_script_that_is_no_text_is_no_experiment(tmp_path, monkeypatch):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "latin.py").write_bytes(b"# caf\xe9")
    monkeypatch.chdir(tmp_path)
    assert project_folder() == Path(__file__).parents[1]


def test_what_killed_writers_left_is_removed_but_nothing_else(tmp_path):
    paths = RunPaths(tmp_path)
    paths.checkpoints.mkdir()
    left = [
        paths.checkpoints / ".iteration_0000004.pth.node7.12.tmp",
        paths.checkpoints / ".iteration_0000004.pth.13.tmp",  # as earlier versions named them
        tmp_path / ".metrics.json.node7.12.tmp",
    ]
    # A launcher may be writing the spec at this moment.
    kept = [paths.checkpoint(4), paths.metrics_log, temporary_beside(paths.spec)]
    for path in left + kept:
        path.touch()
    paths.remove_temporaries()
    assert {p for p in tmp_path.rglob("*") if p.is_file()} == set(kept)


def test_what_killed_launchers_and_prepares_were_writing_is_removed(tmp_path):
    runs = RunsFolder(tmp_path)
    host = socket.gethostname()
    # No process has the number 0; this one is alive.
    gone = [folder / f".a.json.{host}.0.tmp" for folder in (runs.submissions, runs.checked.folder)]
    alive = temporary_beside(runs.checked.annotations("instances_val", "0" * 64))
    for path in (*gone, alive):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    runs.remove_temporaries()
    assert [path.exists() for path in (*gone, alive)] == [False, False, True]


def test_processes_of_one_number_on_two_hosts_write_different_temporaries(tmp_path, monkeypatch):
    here = temporary_beside(tmp_path / "file")
    monkeypatch.setattr("socket.gethostname", lambda: "elsewhere")
    assert temporary_beside(tmp_path / "file") != here


def test_what_room_was_reserved_for_is_written_whole_and_alone(tmp_path):
    path = tmp_path / "outcome.json"
    reserve(path, 4096)
    assert not path.exists()
    write_reserved(path, "short")
    assert path.read_text() == "short"
    assert list(tmp_path.iterdir()) == [path]


def test_without_a_reserve_it_is_written_like_any_file(tmp_path):
    write_reserved(tmp_path / "outcome.json", "short")
    assert (tmp_path / "outcome.json").read_text() == "short"


def test_a_disk_too_full_for_a_folder_is_said_too(tmp_path, monkeypatch):
    def full(self, **how):
        raise OSError(28, "No space left on device", str(self))

    monkeypatch.setattr("pathlib.Path.mkdir", full)
    with pytest.raises(HarnessError, match=r"No space left .* while writing file"):
        write_text(tmp_path / "new" / "file", "first")


@pytest.mark.parametrize(
    ("path", "where"),
    [
        ("/scratch/runs/file", "on the disk of /scratch/runs while writing file. Nothing"),
        (".", "No space left on the disk. Nothing"),
    ],
)
def test_a_full_disk_is_named_where_it_is_known(path, where):
    assert where in str(disk_full(Path(path)))


def test_runs_that_are_a_file_are_refused_in_a_line(tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(HarnessError, match=r"runs is a file, not a folder.*--runs"):
        RunsFolder(tmp_path / "runs")


def test_a_file_that_may_not_be_read_is_named(tmp_path, monkeypatch):
    def refuse(self):
        raise PermissionError(13, "Permission denied", str(self))

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    with pytest.raises(ResultsError, match=r"file cannot be read \(Permission denied\)\. Ask"):
        read_json(tmp_path / "file", "Ask.")


def test_folders_that_are_made_are_their_users_alone_and_others_stay_as_they_are(tmp_path):
    shared = tmp_path / "scratch"
    shared.mkdir()
    shared.chmod(0o777)
    private_folder(shared / "runs" / "3f9c1ab2")
    assert shared.stat().st_mode & 0o777 == 0o777
    assert (shared / "runs").stat().st_mode & 0o777 == 0o700
    assert (shared / "runs" / "3f9c1ab2").stat().st_mode & 0o777 == 0o700
    (shared / "runs").chmod(0o750)
    private_folder(shared / "runs")
    assert (shared / "runs").stat().st_mode & 0o777 == 0o750


def test_what_is_written_into_a_new_folder_is_private_unless_it_is_to_be_shared(tmp_path):
    write_text(tmp_path / "run" / "spec.json", "")
    write_text(tmp_path / "results" / "table.md", "", shared=True)
    (tmp_path / "plain").mkdir()
    plain = (tmp_path / "plain").stat().st_mode
    assert (tmp_path / "run").stat().st_mode & 0o777 == 0o700
    assert (tmp_path / "results").stat().st_mode == plain
