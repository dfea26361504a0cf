"""Jobs run what was committed when they were submitted; real repositories, real processes."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from multiprocessing import get_context
from pathlib import Path

import pytest

import harness
from harness.errors import HarnessError, LaunchError
from harness.files import temporary_beside
from harness.launch.code import hash_of_code
from harness.paths import RunsFolder, code_facts
from harness.slurm.snapshot import Snapshot, assert_running, take_snapshot
from harness.slurm.submissions import Submission


def run_git(folder, *arguments):
    person = ("-c", "user.name=A", "-c", "user.email=a@example.org")
    command = ["git", "-C", str(folder), *person, *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def committed(folder: Path) -> Path:
    run_git(folder, "init", "--quiet")
    run_git(folder, "add", ".")
    run_git(folder, "commit", "--quiet", "-m", "First")
    return folder


NO_PROCESS = 2**22 + 1  # above the highest number that Linux gives


@pytest.fixture
def checkout(tmp_path):
    """A repository with a harness of two files beside an experiment."""
    folder = tmp_path / "checkout"
    for name in ("harness/__init__.py", "harness/losses/mse.py", "experiments/table.py"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(f"# {name}\n")
    (folder / ".gitignore").write_text("/runs/\n__pycache__/\n")
    return committed(folder)


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


def files_in(folder: Path) -> dict[str, str]:
    return {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}


def test_a_snapshot_is_the_harness_of_the_commit_and_says_which(runs, checkout):
    commit = run_git(checkout, "rev-parse", "HEAD")
    snapshot = take_snapshot(runs, dirty=False, checkout=checkout)
    assert snapshot == Snapshot(commit[:12], hash_of_code(checkout / "harness"))
    files = files_in(runs.code(snapshot.name))
    assert json.loads(files.pop("code.json")) == {
        "commit": commit,
        "uncommitted_changes": "no",
        "code_hash": snapshot.code_hash,
    }
    assert files == {
        "harness/__init__.py": "# harness/__init__.py\n",
        "harness/losses/mse.py": "# harness/losses/mse.py\n",
    }


def test_a_snapshot_is_its_users_alone_and_read_only(runs, checkout):
    folder = runs.code(take_snapshot(runs, dirty=False, checkout=checkout).name)
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o400}
    made = (runs.folder, folder.parent, folder, folder / "harness", folder / "harness" / "losses")
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}


def test_of_one_commit_it_is_written_once(runs, checkout):
    snapshot = take_snapshot(runs, dirty=False, checkout=checkout)
    before = runs.code(snapshot.name).stat()
    assert take_snapshot(runs, dirty=True, checkout=checkout) == snapshot  # nothing is dirty
    assert runs.code(snapshot.name).stat() == before
    assert list(runs.code("").iterdir()) == [runs.code(snapshot.name)]


def test_what_is_edited_later_leaves_it_as_it_is(runs, checkout):
    first = take_snapshot(runs, dirty=False, checkout=checkout)
    (checkout / "harness" / "losses" / "mse.py").write_text("# better\n")
    run_git(checkout, "commit", "--quiet", "-am", "Second")
    second = take_snapshot(runs, dirty=False, checkout=checkout)
    assert (runs.code(first.name) / "harness/losses/mse.py").read_text().startswith("# harness")
    assert (runs.code(second.name) / "harness/losses/mse.py").read_text() == "# better\n"


def test_changes_that_are_not_committed_are_refused_by_name(runs, checkout):
    for name in ("a", "b", "c", "d", "e"):
        (checkout / "harness" / f"{name}.py").touch()
    told = (
        f"Not committed in {checkout}: harness/a.py, harness/b.py, harness/c.py and 2 more. Jobs "
        "run what is committed. Commit first, or give --dirty: then they run the files as they are"
    )
    with pytest.raises(LaunchError, match=f"^{re.escape(told)}"):
        take_snapshot(runs, dirty=False, checkout=checkout)
    assert not runs.folder.exists()


def test_tables_and_notes_are_no_reason_to_refuse(runs, checkout):
    for name in ("results/demo/table1.md", "notes.txt", "runs/3f9c1ab2/spec.json"):
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).touch()
    take_snapshot(runs, dirty=False, checkout=checkout)


def test_changes_are_taken_along_by_choice_and_recorded(runs, checkout):
    clean = take_snapshot(runs, dirty=False, checkout=checkout)
    (checkout / "harness" / "__init__.py").unlink()
    (checkout / "harness" / "losses" / "mse.py").write_text("# tried\n")
    (checkout / "harness" / "new.py").write_text("# new\n")
    (checkout / "harness" / "data.bin").touch()
    (checkout / "harness" / "__pycache__").mkdir()
    (checkout / "harness" / "__pycache__" / "left.py").touch()
    dirty = take_snapshot(runs, dirty=True, checkout=checkout)
    assert dirty.name == f"{clean.name}-{dirty.code_hash[:8]}"
    files = files_in(runs.code(dirty.name))
    assert json.loads(files.pop("code.json"))["uncommitted_changes"] == "yes"
    assert files == {"harness/losses/mse.py": "# tried\n", "harness/new.py": "# new\n"}
    assert "# tried" not in files_in(runs.code(clean.name)).values()


def test_a_folder_that_is_no_checkout_is_refused(runs, tmp_path):
    told = f"harness runs from {tmp_path}, which is no git checkout: .*Clone the repository"
    with pytest.raises(LaunchError, match=told):
        take_snapshot(runs, dirty=True, checkout=tmp_path)


def test_a_checkout_without_a_commit_is_refused_with_what_git_says(runs, tmp_path):
    run_git(tmp_path, "init", "--quiet")
    with pytest.raises(
        LaunchError, match=r"git does not say what is committed in .*: fatal: Needed"
    ):
        take_snapshot(runs, dirty=True, checkout=tmp_path)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
def test_a_checkout_that_git_refuses_is_not_taken_for_a_clean_one(runs, checkout, monkeypatch):
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)  # it may trust every folder
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", os.devnull)
    for path in (checkout, checkout / ".git"):
        os.chown(path, 4242, 4242)
    with pytest.raises(
        LaunchError, match=r"(?s)fatal: detected dubious ownership.*safe\.directory"
    ):
        take_snapshot(runs, dirty=False, checkout=checkout)


def test_a_runs_folder_of_any_name_will_do_unless_it_splits_pythonpath(tmp_path, checkout):
    strange = RunsFolder(tmp_path / "a 'b' \"c\"\n50% $HOME")
    take_snapshot(strange, dirty=False, checkout=checkout)
    with pytest.raises(
        LaunchError, match=r"PYTHONPATH, where ':' separates folders, and .*a:b has"
    ):
        take_snapshot(RunsFolder(tmp_path / "a:b"), dirty=False, checkout=checkout)


def test_launchers_at_once_write_one_snapshot(runs, checkout):
    with ProcessPoolExecutor(4, mp_context=get_context("spawn")) as pool:
        jobs = [pool.submit(take_snapshot, runs, dirty=False, checkout=checkout) for _ in range(8)]
        snapshots = {job.result() for job in jobs}
    (snapshot,) = snapshots
    assert list(runs.code("").iterdir()) == [runs.code(snapshot.name)]


def test_what_killed_launchers_left_does_no_harm(runs, checkout):
    name = run_git(checkout, "rev-parse", "HEAD")[:12]
    mine = temporary_beside(runs.code(name))  # of an earlier process with our number
    killed = mine.with_name(mine.name.replace(f".{os.getpid()}.", f".{NO_PROCESS}."))
    elsewhere = runs.code(f".{name}.node7.13.tmp")  # this one may be alive
    for draft in (mine, killed, elsewhere):
        (draft / "harness").mkdir(parents=True)
        (draft / "harness" / "half.py").touch()
    take_snapshot(runs, dirty=False, checkout=checkout)
    assert set(runs.code("").iterdir()) == {runs.code(name), elsewhere}
    assert not (runs.code(name) / "harness" / "half.py").exists()
    two_days_ago = time.time() - 2 * 24 * 3600
    os.utime(elsewhere, (two_days_ago, two_days_ago))
    take_snapshot(runs, dirty=False, checkout=checkout)
    assert not elsewhere.exists()


def test_a_full_disk_leaves_nothing_half_written(runs, checkout, monkeypatch):
    def full(source, target):
        raise OSError(28, "No space left on device", str(target))

    (checkout / "harness" / "__init__.py").write_text("# changed\n")
    monkeypatch.setattr("harness.slurm.snapshot.shutil.copyfile", full)
    with pytest.raises(HarnessError, match=r"No space left on the disk of .*code while writing"):
        take_snapshot(runs, dirty=True, checkout=checkout)
    assert list(runs.code("").iterdir()) == []


def test_a_snapshot_that_was_changed_is_refused_and_not_mended(runs, checkout):
    folder = runs.code(take_snapshot(runs, dirty=False, checkout=checkout).name)
    (folder / "harness" / "added.py").write_text("# changed")
    told = f"The code in {folder} was changed: .*Move its folder away and submit again"
    with pytest.raises(LaunchError, match=told):
        take_snapshot(runs, dirty=False, checkout=checkout)
    assert (folder / "harness" / "added.py").exists()


def test_a_snapshot_that_others_may_write_to_is_refused(runs, checkout):
    folder = runs.code(take_snapshot(runs, dirty=False, checkout=checkout).name)
    folder.chmod(0o770)
    with pytest.raises(LaunchError, match=f"Others may write to {folder}, .*chmod go-w {folder}"):
        take_snapshot(runs, dirty=False, checkout=checkout)
    folder.chmod(0o755)
    (folder / "harness").chmod(0o777)
    with pytest.raises(LaunchError, match=f"Others may write to {folder}/harness, "):
        take_snapshot(runs, dirty=False, checkout=checkout)


# What a job does first, told in one line.
JOB = """
import json, sys
from pathlib import Path
from harness.errors import LaunchError
from harness.launch.code import describe_code
from harness.paths import RunsFolder
from harness.slurm.snapshot import assert_running
from harness.slurm.submissions import Submission

runs, submission = RunsFolder(Path(sys.argv[1])), Submission(**json.loads(sys.argv[2]))
try:
    assert_running(runs, submission)
except LaunchError as error:
    print(f"refused: {error}")
else:
    print(json.dumps(describe_code()))
"""


@pytest.fixture
def own_checkout(tmp_path):
    """A repository with this very harness."""
    folder = tmp_path / "own"
    skip = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(harness.__file__).parent, folder / "harness", ignore=skip)
    return committed(folder)


def a_submission(snapshot) -> Submission:
    return Submission(
        sid="h-0123456789ab",
        site="a",
        run_ids=("3f9c1ab2",),
        num_gpus=1,
        mem_gb=None,
        time_limit_min=60,
        requeue=True,
        code=snapshot.name,
        code_hash=snapshot.code_hash,
        created_at=0.0,
    )


def job(runs, submission, pythonpath, cwd) -> str:
    done = subprocess.run(
        [sys.executable, "-P", "-c", JOB, str(runs.folder), json.dumps(asdict(submission))],
        env={**os.environ, "PYTHONPATH": str(pythonpath)},
        cwd=cwd,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout


def test_a_job_runs_its_snapshot_whatever_stands_in_the_checkout(runs, own_checkout):
    commit = run_git(own_checkout, "rev-parse", "HEAD")
    snapshot = take_snapshot(runs, dirty=False, checkout=own_checkout)
    losses = own_checkout / "harness" / "losses"
    hashed = hash_of_code(losses)
    (losses / "mse.py").write_text("1 / 0")
    submission = a_submission(snapshot)
    # Started in the checkout: its harness must not be found first.
    said = json.loads(job(runs, submission, runs.code(snapshot.name), own_checkout))
    assert (said["commit"], said["uncommitted_changes"]) == (commit, "no")
    assert said["losses_code"] == hashed
    assert take_snapshot(runs, dirty=True, checkout=own_checkout) != snapshot

    refused = job(runs, submission, own_checkout, own_checkout)
    assert refused.startswith(
        f"refused: This job runs harness from {own_checkout}, but was submitted with "
        f"{runs.code(snapshot.name)}. Take what sets PYTHONPATH out of"
    )

    (runs.code(snapshot.name) / "harness" / "added.py").write_text("")
    refused = job(runs, submission, runs.code(snapshot.name), own_checkout)
    assert f"{code_facts(runs.code(snapshot.name)).parent} was changed: its files have" in refused
    assert f"submitted was {snapshot.code_hash}. Move its folder away" in refused


def test_a_submission_whose_code_is_gone_is_refused(runs):
    submission = a_submission(Snapshot("0" * 12, "1" * 16))
    with pytest.raises(
        LaunchError, match=r"code of submission h-0123456789ab is gone: .*0000. Sub"
    ):
        assert_running(runs, submission)
