"""Which code is running: its commit, what differs from that, and a hash of its files."""

import hashlib
import os
import subprocess
from pathlib import Path

import harness
from harness.errors import LaunchError
from harness.files import read_json
from harness.paths import code_facts

CHECKOUT = Path(harness.__file__).resolve().parent.parent
HASH_LENGTH = 16
# Set for a hook's children, they would lead git to another repository than the folder's.
LEADS_ASTRAY = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE")
WAY_OUT = "Move its folder away and submit again: it is written anew."


class GitError(LaunchError):
    """git cannot say what was asked of it."""


def describe_code() -> dict[str, str]:
    """Commit, whether files differ from it, and hashes of the parts that numbers come from."""
    package = CHECKOUT / "harness"
    return {
        **describe_commit(CHECKOUT),
        "losses_code": hash_of_code(package / "losses"),
        "detection_code": hash_of_code(package / "detection"),
    }


def describe_commit(folder: Path) -> dict[str, str]:
    """The commit of harness in `folder`, and whether files differ from it.

    {} where it is neither a checkout nor a snapshot; "unknown" where git does not say.
    """
    if is_checkout(folder):
        try:
            commit, changes = commit_of(folder), changed_files(folder)
        except GitError:  # never to be read as a clean checkout
            return {"commit": "unknown", "uncommitted_changes": "unknown"}
        return {"commit": commit, "uncommitted_changes": "yes" if changes else "no"}
    if code_facts(folder).exists():
        facts = read_json(code_facts(folder), WAY_OUT)
        return {key: str(facts.get(key, "unknown")) for key in ("commit", "uncommitted_changes")}
    return {}


def is_checkout(folder: Path) -> bool:
    """Whether git's facts are about `folder`: elsewhere git might answer for a folder above it."""
    return (folder / ".git").exists()


def commit_of(checkout: Path) -> str:
    """The commit that is checked out.

    Raises:
        GitError: there is none yet, git refuses, or is not installed.
    """
    return git(checkout, "rev-parse", "--verify", "HEAD").decode().strip()


def changed_files(checkout: Path) -> list[str]:
    """The files that differ from the commit; new ones only where code is looked for.

    Tables are rebuilt into results/ while runs go on: they move no number.

    Raises:
        GitError: git refuses, or is not installed.
    """
    changed = git(
        checkout, "diff", "--name-only", "--no-renames", "-z", "HEAD", "--", ".", ":!results"
    )
    new = git(
        checkout, "ls-files", "-z", "--others", "--exclude-standard", "--", "harness", "experiments"
    )
    return [*names(changed), *names(new)]


def names(separated: bytes) -> list[str]:
    """File names from git's output with -z."""
    return [os.fsdecode(name) for name in separated.split(b"\0") if name]


def git(checkout: Path, *arguments: str) -> bytes:
    """What git prints.

    Raises:
        GitError: it fails, or is not installed; says what git says.
    """
    # No lock: many jobs start at once in one checkout.
    command = ["git", "--no-optional-locks", "-C", str(checkout), *arguments]
    environment = {key: value for key, value in os.environ.items() if key not in LEADS_ASTRAY}
    try:
        return subprocess.run(command, capture_output=True, check=True, env=environment).stdout
    except OSError as error:
        raise GitError(f"git cannot be run ({error.strerror}). Install it.") from error
    except subprocess.CalledProcessError as error:
        said = error.stderr.decode(errors="replace").strip()
        raise GitError(f"git does not say what is committed in {checkout}: {said}") from error


def hash_of_code(folder: Path) -> str:
    """A short hash over names and contents of the Python files in `folder`, at any depth."""
    hashed = hashlib.sha256()
    for name, path in sorted((p.relative_to(folder).as_posix(), p) for p in folder.rglob("*.py")):
        content = path.read_bytes()
        hashed.update(os.fsencode(f"{name}\0{len(content)}\0") + content)
    return hashed.hexdigest()[:HASH_LENGTH]
