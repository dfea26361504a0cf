"""Archives unpacked: each file whole, or not there under its name.

Each member of a ZIP file has a checksum, which is looked at as it is unpacked, and the list of
members stands at the end of the file. A .tgz has one checksum, at its end: it is read to there
before anything is written.
"""

import errno
import gzip
import os
import shutil
import tarfile
import zipfile
import zlib
from pathlib import Path, PurePosixPath
from typing import IO

from harness.data.progress import Progress, unheard
from harness.errors import DownloadError
from harness.files import disk_full, temporary_beside

# What is raised for bytes that are no archive, or a damaged one.
DAMAGED = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)

CHUNK_BYTES = 1024 * 1024


def unpack(archive: Path, folder: Path, progress: Progress = unheard) -> None:
    """Unpack a ZIP file or a .tgz.

    What an earlier call has unpacked of a ZIP file is left as it is: it is known by its checksum.

    Args:
        archive: the file; what it is, its name says.
        folder: what its members' paths are below.
        progress: hears how many bytes are unpacked.

    Raises:
        zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError: it is damaged.
        DownloadError: a member has a path outside of `folder`, or the disk is too small.
        HarnessError: the disk is full.
    """
    if archive.suffix == ".zip":
        _unpack_zip(archive, folder, progress)
    else:
        _unpack_tar(archive, folder, progress)


def _unpack_zip(archive: Path, folder: Path, progress: Progress) -> None:
    with zipfile.ZipFile(archive) as opened:
        files = [one for one in opened.infolist() if not one.is_dir()]
        for member in files:
            path = PurePosixPath(member.filename)
            if path.is_absolute() or ".." in path.parts or "\\" in member.orig_filename:
                raise _outside(archive, member.filename)
        missing = [one for one in files if not _is_there(folder / one.filename, one)]
        total = sum(one.file_size for one in missing)
        _refuse_small_disk(archive, folder, total)
        done = 0
        for member in missing:
            with opened.open(member) as source:
                _write(source, folder / member.filename)
            done += member.file_size
            progress(done, total)


def _unpack_tar(archive: Path, folder: Path, progress: Progress) -> None:
    _read_to_its_checksum(archive)
    with tarfile.open(archive) as opened:
        files = [_inside(archive, folder, one) for one in opened.getmembers() if one.isfile()]
        total = sum(one.size for one in files)
        _refuse_small_disk(archive, folder, total)
        done = 0
        for member in files:
            source = opened.extractfile(member)
            assert source is not None, "it is a file"
            with source:
                _write(source, folder / member.name)
            done += member.size
            progress(done, total)


def _inside(archive: Path, folder: Path, member: tarfile.TarInfo) -> tarfile.TarInfo:
    try:
        return tarfile.data_filter(member, str(folder))
    except tarfile.FilterError as error:
        raise _outside(archive, member.name) from error


def _read_to_its_checksum(archive: Path) -> None:
    with gzip.open(archive) as stream:
        while stream.read(CHUNK_BYTES):
            pass


def _outside(archive: Path, member: str) -> DownloadError:
    return DownloadError(
        f"{archive} would write outside of its folder: its member {member!r}. No archive of COCO "
        "does; it is another one. Nothing was unpacked. Delete it."
    )


def _is_there(path: Path, member: zipfile.ZipInfo) -> bool:
    try:
        if path.stat().st_size != member.file_size:
            return False
    except FileNotFoundError:
        return False
    checksum = 0
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            checksum = zlib.crc32(chunk, checksum)
    return checksum == member.CRC


def _write(source: IO[bytes], path: Path) -> None:
    # Not `replacing`: it waits for the disk, which 118,000 images need not do one by one.
    temporary = temporary_beside(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with temporary.open("wb") as file:
            shutil.copyfileobj(source, file)  # to its end, where a ZIP's checksum is compared
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
