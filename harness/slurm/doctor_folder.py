"""The doctor's look at the runs folder: whose it is, who can write there, how much room it has."""

import os
import shlex
import shutil
import stat
from pathlib import Path

from harness.slurm.check import Check


def runs_folder(folder: Path) -> Check:
    """Whether it can be made, is one's own, and private."""
    what = "runs folder"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        state = folder.stat()
    except OSError as error:
        advice = "Give --runs (or HARNESS_RUNS) a folder of your own on the shared file system."
        return Check(what, False, f"{folder}: {error.strerror}", advice, stops=True)
    found, mode = f"{folder}", stat.S_IMODE(state.st_mode)
    if state.st_uid != os.getuid():
        advice = "Give --runs one of your own."
        return Check(what, False, f"{found} is another user's", advice, stops=True)
    if not os.access(folder, os.W_OK | os.X_OK):
        advice = f"`chmod u+wx {shlex.quote(str(folder))}`, or give --runs another one."
        return Check(what, False, f"{found} cannot be written by yourself", advice, stops=True)
    if mode & 0o022:
        name = shlex.quote(str(folder))
        advice = f"Others could plant files that your jobs run: `chmod go-w {name}`."
        return Check(what, False, f"{found} can be written by others", advice)
    if mode & 0o055:
        advice = f"Where that is not meant: `chmod 700 {shlex.quote(str(folder))}`."
        return Check(what, None, f"{found} can be read by others", advice)
    return Check(what, True, f"{found} is private")


def free_disk(folder: Path, plan_gb: float) -> Check:
    """Whether the plan has room there."""
    try:
        free_gb = shutil.disk_usage(folder).free / 1e9
    except OSError as error:
        return Check("free disk", None, str(error.strerror), "")
    found = f"{free_gb:,.0f} GB free, the plan needs {plan_gb:,.1f} GB at most"
    if free_gb < plan_gb:
        return Check("free disk", False, found, "Give --runs a folder on a larger file system.")
    return Check("free disk", True, f"{found} (a quota is not seen here: `quota -s`)")
