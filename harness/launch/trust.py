"""Refuses folders in which another user could plant code: pickles and snapshots are executed."""

import os
import shlex
import stat
from pathlib import Path

from harness.errors import LaunchError

OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH
OTHERS_ENTER = stat.S_IRWXG | stat.S_IRWXO


def refuse_shared(folder: Path, within: Path) -> None:
    """Nothing comes back where this user alone can change what lies in `folder`.

    Args:
        folder: what code is run from.
        within: the runs folder, which holds it. It may belong to another user.

    Raises:
        LaunchError: another user could change it, or put another in its place.
    """
    for path in (folder, *folder.parents):
        if path == within:
            break
        _refuse_owner(path)
        _refuse_writers(path)
    # With the sticky bit, as /tmp has it, nobody takes away what another has put there.
    if not within.stat().st_mode & stat.S_ISVTX:
        _refuse_writers(within)


def refuse_shared_files(folder: Path) -> None:
    """Nothing comes back where this user alone can change the files at any depth of `folder`.

    Raises:
        LaunchError: another user could.
    """
    if folder.stat().st_mode & OTHERS_ENTER:  # else nobody gets as far
        for path in folder.rglob("*"):
            _refuse_owner(path)
            _refuse_writers(path)


def _refuse_owner(path: Path) -> None:
    owner = path.stat().st_uid
    if owner != os.geteuid():
        raise LaunchError(
            f"{path} belongs to user {owner}, and you are user {os.geteuid()}: no code is run from "
            "there. Next: move it away, or give --runs a folder of your own."
        )


def _refuse_writers(path: Path) -> None:
    if path.stat().st_mode & OTHERS_WRITE:
        raise LaunchError(
            f"Others may write to {path}, and so make you run their code: nothing is run from "
            f"there. Next: chmod go-w {shlex.quote(str(path))}"
        )
