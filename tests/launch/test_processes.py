"""Jobs started through submitit from folders of any name, and not from folders open to others."""

import re

import pytest

from harness.errors import LaunchError
from harness.files import private_folder
from harness.launch.processes import start_job, stop_jobs
from harness.paths import RunsFolder


@pytest.fixture
def work():
    """What a job does. A local function, so that it travels to the job by value."""

    def leave_a_word(folder):
        (folder / "word").write_text("done")

    return leave_a_word


@pytest.mark.parametrize(
    "name",
    [
        "with spaces and 'quotes\"",
        "two\nlines; echo $HOME `id`",
        "50%jobs %a %A %t %%",  # tags of submitit's, that it would fill in
        "-rf",
        "~",
    ],
)
def test_a_job_runs_in_a_folder_of_any_name(tmp_path, monkeypatch, work, name):
    monkeypatch.chdir(tmp_path)
    (tmp_path / name).mkdir()
    paths = RunsFolder(tmp_path / name).run("3f9c1ab2")
    private_folder(paths.folder)
    job = start_job(paths, work)
    job.result()
    assert (paths.folder / "word").read_text() == "done"
    assert job.paths.stderr.resolve().parent == paths.scheduler
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_what_is_left_for_a_job_is_its_users_alone(tmp_path, work):
    paths = RunsFolder(tmp_path / "runs").run("3f9c1ab2")
    job = start_job(paths, work)
    job.result()
    made = (tmp_path / "runs", paths.folder, paths.scheduler)
    assert [path.stat().st_mode & 0o777 for path in made] == [0o700] * 3


@pytest.mark.parametrize("part", ["", "submitit"])
def test_no_pickle_is_left_where_others_could_change_it(tmp_path, work, part):
    paths = RunsFolder(tmp_path / "runs").run("3f9c1ab2")
    private_folder(paths.scheduler)
    (paths.folder / part).chmod(0o775)
    told = f"Others may write to {paths.folder / part}, and so make you run their code"
    with pytest.raises(LaunchError, match=re.escape(told)):
        start_job(paths, work)
    assert list(paths.scheduler.iterdir()) == []


def test_without_jobs_there_is_nothing_to_stop():
    assert stop_jobs([]) == []
