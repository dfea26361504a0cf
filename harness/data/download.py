"""An archive from the internet, unpacked: COCO's images and annotations, COCO-stuff's maps.

COCO publishes no hashes of its archives. Each member of a ZIP file has a checksum, which is looked
at as it is unpacked, and the list of members stands at the end of the file.
"""

import errno
import os
import shutil
import zipfile
import zlib
from pathlib import Path, PurePosixPath

from harness.data.fetch import curl, fetch
from harness.data.progress import Progress, unheard
from harness.errors import DownloadError
from harness.files import disk_full, temporary_beside

# What zipfile raises for bytes that are no archive, or a damaged one.
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError)


def download(url: str, folder: Path, progress: Progress = unheard) -> None:
    """Fetch the ZIP file `url` into `folder`, unpack it there, and delete it.

    Stopped at whatever point, the same call goes on from there. An archive that was put into
    `folder` by hand is unpacked without being fetched.

    Args:
        url: of the archive.
        folder: what its members' paths are below; made where it is missing.
        progress: hears how much of the archive has come.

    Raises:
        DownloadError: it cannot be fetched, is damaged, or would write outside of `folder`.
        HarnessError: the disk is full.
    """
    archive = folder / PurePosixPath(url).name
    fetch(url, archive, progress=progress)
    try:
        unpack(archive, folder)
    except DAMAGED as error:
        archive.unlink()
        raise DownloadError(
            f"{archive} is damaged, or no ZIP file: {error}. It was deleted. Give the same command "
            f"again, or {curl(url, archive)}."
        ) from error
    os.sync()  # before what could replace it is deleted
    archive.unlink()


def unpack(archive: Path, folder: Path) -> None:
    """Unpack a ZIP file; what an earlier call has unpacked is left as it is.

    Each file is whole when it has its name, and so known by its size.

    Args:
        archive: the ZIP file.
        folder: what its members' paths are below.

    Raises:
        zipfile.BadZipFile, zlib.error, EOFError: it is damaged.
        DownloadError: a member has a path outside of `folder`, or the disk is too small.
        HarnessError: the disk is full.
    """
    with zipfile.ZipFile(archive) as opened:
        files = [one for one in opened.infolist() if not one.is_dir()]
        for member in files:
            _refuse_outside(archive, member)
        missing = [one for one in files if not _is_there(folder / one.filename, one.file_size)]
        _refuse_small_disk(archive, folder, sum(one.file_size for one in missing))
        for member in missing:
            _unpack_one(opened, member, folder / member.filename)


def _refuse_outside(archive: Path, member: zipfile.ZipInfo) -> None:
    path = PurePosixPath(member.filename)
    if path.is_absolute() or ".." in path.parts or "\\" in member.orig_filename:
        raise DownloadError(
            f"{archive} would write outside of its folder: its member {member.filename!r}. No "
            "archive of COCO does; it is another one. Nothing was unpacked. Delete it."
        )


def _is_there(path: Path, size: int) -> bool:
    try:
        return path.stat().st_size == size
    except FileNotFoundError:
        return False


def _unpack_one(opened: zipfile.ZipFile, member: zipfile.ZipInfo, path: Path) -> None:
    # Not `replacing`: it waits for the disk, which 118,000 images need not do one by one.
    temporary = temporary_beside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with opened.open(member) as source, temporary.open("wb") as file:
            shutil.copyfileobj(source, file)  # to its end, where the checksum is compared
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def _refuse_small_disk(archive: Path, folder: Path, needed: int) -> None:
    free = shutil.disk_usage(folder).free
    if needed > free:
        raise DownloadError(
            f"{archive.name} needs {needed / 1e9:,.1f} GB in {folder} when unpacked, and "
            f"{free / 1e9:,.1f} GB are free. Free some space and give the same command again."
        )
