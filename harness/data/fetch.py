"""A file from the internet: whole and checked, or not there; what has come is not fetched again.

A file under way lies beside its place as NAME.part. Nothing is kept of what the source said of it:
one that changes between two calls is found by the hash, or by the checksums in an archive.
"""

import errno
import fcntl
import http.client
import os
import shutil
import urllib.error
import urllib.request
from pathlib import Path
from typing import BinaryIO

from harness.data.checksum import Checksum, mismatch
from harness.data.progress import Progress, unheard
from harness.errors import DownloadError
from harness.files import disk_full

CHUNK_BYTES = 1024 * 1024
TIMEOUT_S = 60.0  # without a byte
NO_LOCKS = (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP)  # some network file systems have none
NOTHING_LEFT = 416  # the range that was asked for begins at the end of the file, or beyond it


def fetch(
    url: str,
    target: Path,
    *,
    checksum: Checksum | None = None,
    progress: Progress = unheard,
) -> None:
    """Bring `url` to `target`; a file that is there already is checked and not fetched.

    A connection that breaks is opened again as long as each brings something. What has come stays
    for the next call.

    Args:
        url: of HTTP or HTTPS; proxies are those of the environment.
        target: where the file goes; its folder is made.
        checksum: of the file; None where none is published.
        progress: hears how many bytes are there.

    Raises:
        DownloadError: there is no such file or no way to it, another process fetches it, or what
            came is not what was asked for.
        HarnessError: the disk is full.
    """
    part = target.with_name(f"{target.name}.part")
    if target.exists():
        wrong = mismatch(target, checksum) if checksum else ""
        if wrong:
            raise DownloadError(
                f"{target} is not the file of {url}: {wrong}. Delete it and give the same command "
                "again."
            )
        part.unlink(missing_ok=True)  # of an earlier call, before it was brought by hand
        return
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with part.open("ab") as file:
            _refuse_two(file, target)
            _fill(url, file, target, progress)
            file.flush()
            os.fsync(file.fileno())
            wrong = mismatch(part, checksum) if checksum else ""
            if wrong:
                part.unlink()
                raise DownloadError(
                    f"What came from {url} is not what was asked for: {wrong}. It was not kept. "
                    "Give the same command again; if the same comes again, the source has another "
                    "file there now, or something on the way replaces it."
                )
            os.replace(part, target)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(target) from error
        raise


def curl(url: str, target: Path) -> str:
    """What to do where harness itself cannot fetch `url`, as a part of a sentence."""
    return (
        f"fetch it with `curl -fL -C - -O {url}` on a machine with internet and copy it to "
        f"{target.parent.absolute()}"
    )


def _refuse_two(file: BinaryIO, target: Path) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        raise DownloadError(
            f"Another process fetches {target} already. Wait for it, or end it."
        ) from error
    except OSError as error:
        if error.errno not in NO_LOCKS:  # then two calls at once are told by the checksum alone
            raise
    if target.exists():
        raise DownloadError(
            f"Another process has fetched {target} meanwhile. Give the same command again."
        )


def _fill(url: str, file: BinaryIO, target: Path, progress: Progress) -> None:
    """Append what is missing, over as many connections as bring more than there was before."""
    most = file.seek(0, os.SEEK_END)
    while True:
        why = "the connection ended too early"
        try:
            if _append(url, file, target, progress):
                return
        except _BrokenError as error:
            why = str(error)
        have = file.seek(0, os.SEEK_END)
        if have <= most:
            kept = f"The first {have:,} bytes are kept. " if have else ""
            raise DownloadError(
                f"{url} cannot be fetched: {why}. {kept}Give the same command again, or "
                f"{curl(url, target)}."
            )
        most = have


def _append(url: str, file: BinaryIO, target: Path, progress: Progress) -> bool:
    """Append what one connection brings; whether the file is whole then."""
    have = file.seek(0, os.SEEK_END)
    try:
        reply = _open(url, have)
    except urllib.error.HTTPError as error:
        if error.code != NOTHING_LEFT or not have:
            raise DownloadError(_refused(url, target, error)) from error
        if error.headers["Content-Range"] == f"bytes */{have}":
            return True
        file.truncate(0)  # longer than what is there now: of another file
        return _append(url, file, target, progress)
    with reply:
        if have and reply.status != http.HTTPStatus.PARTIAL_CONTENT:  # it sends whole files only
            file.truncate(0)
            have = 0
        length = reply.headers["Content-Length"]
        total = None if length is None else have + int(length)
        _refuse_small_disk(target, (total or have) - have)
        progress(have, total)
        while chunk := _read(reply):
            file.write(chunk)
            have += len(chunk)
            progress(have, total)
    return total is None or have == total


class _BrokenError(Exception):
    """A connection that broke, or could not be made."""


def _open(url: str, first_byte: int) -> http.client.HTTPResponse:
    headers = {"Range": f"bytes={first_byte}-"} if first_byte else {}
    try:
        request = urllib.request.Request(url, headers=headers)
        reply: http.client.HTTPResponse = urllib.request.urlopen(request, timeout=TIMEOUT_S)
    except urllib.error.HTTPError:
        raise
    except urllib.error.URLError as error:
        raise _BrokenError(str(error.reason)) from error
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(f"{type(error).__name__} {error}") from error
    return reply


def _read(reply: http.client.HTTPResponse) -> bytes:
    try:
        return reply.read(CHUNK_BYTES)
    except (OSError, http.client.HTTPException) as error:
        raise _BrokenError(f"{type(error).__name__} {error}") from error


def _refused(url: str, target: Path, error: urllib.error.HTTPError) -> str:
    said = f"{url} cannot be fetched: the server answers {error.code} ({error.reason})"
    if error.code >= http.HTTPStatus.INTERNAL_SERVER_ERROR:
        return f"{said}. Give the same command again later, or {curl(url, target)}."
    return (
        f"{said}. It may have moved, or a proxy may be in the way (the environment's https_proxy). "
        f"Otherwise {curl(url, target)}."
    )


def _refuse_small_disk(target: Path, more: int) -> None:
    free = shutil.disk_usage(target.parent).free
    if more > free:
        raise DownloadError(
            f"{target.name} needs {more / 1e9:,.1f} GB more in {target.parent}, where "
            f"{free / 1e9:,.1f} GB are free. Free some space and give the same command again."
        )
