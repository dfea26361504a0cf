"""The code that jobs run: harness as committed when they were submitted, whatever is edited since.

A snapshot is written once and never changed: its name says which commit it is of.
"""

import errno
import io
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import harness
from harness.errors import LaunchError
from harness.files import (
    TEMPORARY,
    disk_full,
    is_abandoned,
    private_folder,
    read_json,
    temporary_beside,
    write_json,
)
from harness.launch.code import (
    CHECKOUT,
    WAY_OUT,
    changed_files,
    commit_of,
    git,
    hash_of_code,
    is_checkout,
    names,
)
from harness.launch.trust import refuse_shared, refuse_shared_files
from harness.paths import RunsFolder, code_facts
from harness.slurm.submissions import Submission

PACKAGE = "harness"
NAMED = 3  # changed files in a message


@dataclass(frozen=True)
class Snapshot:
    """Code in the runs folder.

    Attributes:
        name: of its folder in `RunsFolder.code`: the commit, and the content where it differs.
        code_hash: of its files.
    """

    name: str
    code_hash: str


def take_snapshot(runs: RunsFolder, *, dirty: bool, checkout: Path = CHECKOUT) -> Snapshot:
    """The snapshot of the harness that this process runs, written where it is not there yet.

    Args:
        runs: where it goes.
        dirty: take the files as they are where they differ from the commit; it is recorded.
        checkout: the folder that holds harness.

    Raises:
        LaunchError: `checkout` is no git checkout, has changes that are not committed, or the
            snapshot was changed or can be by others.
    """
    if os.pathsep in str(runs.folder):
        raise LaunchError(
            f"Jobs find their code through PYTHONPATH, where {os.pathsep!r} separates folders, and "
            f"{runs.folder} has one in its name. Give --runs a folder without it."
        )
    commit, changes = _state_of(checkout)
    if changes and not dirty:
        raise LaunchError(_not_committed(checkout, changes))
    name = commit[:12]
    with _draft(runs.code(name)) as draft:
        if changes:
            _copy_files(checkout, draft)
        else:
            _extract(git(checkout, "archive", "--format=tar", commit, PACKAGE), draft)
        code_hash = hash_of_code(draft / PACKAGE)
        if changes:
            name += f"-{code_hash[:8]}"
        if not runs.code(name).exists():
            facts = {"commit": commit, "uncommitted_changes": "yes" if changes else "no"}
            write_json(code_facts(draft), facts | {"code_hash": code_hash})
            _settle(draft)
            _move(draft, runs.code(name))
    _refuse_unsafe(runs, runs.code(name), code_hash)
    return Snapshot(name, code_hash)


def assert_running(runs: RunsFolder, submission: Submission) -> None:
    """Nothing comes back where this process runs the code that `submission` was made with.

    Raises:
        LaunchError: harness comes from elsewhere, or its files were changed or can be by others.
    """
    folder = runs.code(submission.code)
    imported = Path(harness.__file__).resolve().parent
    if not folder.is_dir():
        raise LaunchError(
            f"The code of submission {submission.sid} is gone: {folder}. Submit again: it is "
            "written anew."
        )
    if imported != (folder / PACKAGE).resolve():
        raise LaunchError(
            f"This job runs harness from {imported.parent}, but was submitted with {folder}. Take "
            "what sets PYTHONPATH out of the site's set-up lines and container, and submit again."
        )
    _refuse_unsafe(runs, folder, submission.code_hash)


def _state_of(checkout: Path) -> tuple[str, list[str]]:
    """The commit, and the files that differ from it."""
    if not is_checkout(checkout):
        raise LaunchError(
            f"harness runs from {checkout}, which is no git checkout: jobs could not say which "
            "commit they ran. Clone the repository, give `make setup` there, and submit from it."
        )
    return commit_of(checkout), changed_files(checkout)


def _not_committed(checkout: Path, changes: list[str]) -> str:
    named = ", ".join(changes[:NAMED])
    more = f" and {len(changes) - NAMED} more" if len(changes) > NAMED else ""
    return (
        f"Not committed in {checkout}: {named}{more}. Jobs run what is committed. Commit first, or "
        "give --dirty: then they run the files as they are, which is recorded with the numbers."
    )


@contextmanager
def _draft(folder: Path) -> Iterator[Path]:
    """A folder beside `folder` for a snapshot in the making; gone at the end, unless renamed."""
    draft = temporary_beside(folder)
    private_folder(draft.parent)
    _remove_abandoned(draft.parent)
    try:
        shutil.rmtree(draft, ignore_errors=True)  # of a killed process with our number
        private_folder(draft)
        yield draft
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(folder) from error
        raise
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _remove_abandoned(folder: Path) -> None:
    """Delete what killed launchers were writing."""
    for draft in folder.glob(f".*{TEMPORARY}"):
        if is_abandoned(draft):
            shutil.rmtree(draft, ignore_errors=True)


def _extract(archive: bytes, folder: Path) -> None:
    with tarfile.open(fileobj=io.BytesIO(archive)) as files:
        # Python 3.11.0 to 3.11.3 know no filters; what git archives is the user's own code.
        if hasattr(tarfile, "data_filter"):
            files.extraction_filter = tarfile.data_filter
        files.extractall(folder)


def _copy_files(checkout: Path, folder: Path) -> None:
    """Copy what git knows of harness, and new Python files, as they are now."""
    known = names(git(checkout, "ls-files", "-z", "--cached", "--", PACKAGE))
    new = names(git(checkout, "ls-files", "-z", "--others", "--exclude-standard", "--", PACKAGE))
    for name in (*known, *(name for name in new if name.endswith(".py"))):
        if (checkout / name).is_file():  # it may be deleted and not yet committed
            private_folder((folder / name).parent)
            shutil.copyfile(checkout / name, folder / name)


def _settle(folder: Path) -> None:
    """Make the files read-only and safe on the disk; the folder keeps others out."""
    for path in folder.rglob("*"):
        if path.is_dir():
            path.chmod(0o700)
            continue
        with path.open("rb") as file:
            os.fsync(file.fileno())
        path.chmod(0o400)


def _move(draft: Path, folder: Path) -> None:
    try:
        draft.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another launcher was faster
            raise


def _refuse_unsafe(runs: RunsFolder, folder: Path, code_hash: str) -> None:
    refuse_shared(folder, within=runs.folder)
    refuse_shared_files(folder)
    found = hash_of_code(folder / PACKAGE)
    recorded = read_json(code_facts(folder), WAY_OUT).get("code_hash")
    if not found == recorded == code_hash:
        raise LaunchError(
            f"The code in {folder} was changed: its files have hash {found}, its record says "
            f"{recorded}, submitted was {code_hash}. {WAY_OUT}"
        )
