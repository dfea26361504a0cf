"""How files are written: whole or not at all, private unless they are made to be shared.

Every write is a temporary file, fsync and rename in the same folder, so a file is either whole or
not there, whatever kills the writer.
"""

import errno
import gzip
import json
import os
import socket
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from harness.errors import HarnessError, ResultsError

TEMPORARY = ".tmp"
ABANDONED_AFTER_S = 24 * 3600.0
TAIL_BYTES = 64 * 1024  # some hundred lines of a log
GZIP = b"\x1f\x8b"  # how it begins (RFC 1952)


def private_folder(path: Path) -> None:
    """Make the folder `path` and those above it that are missing: only their user may enter them.

    A folder that is there stays as it is.
    """
    if path.is_dir():
        return
    private_folder(path.parent)
    path.mkdir(mode=0o700, exist_ok=True)


@contextmanager
def replacing(path: Path, *, shared: bool = False) -> Iterator[Path]:
    """A temporary file beside `path` that takes its place if the block succeeds.

    Args:
        path: the file.
        shared: whether folders made for it are open to all readers, as the umask says.

    Raises:
        HarnessError: the disk is full; what stood at `path` stands there still.
    """
    temporary = temporary_beside(path)
    try:
        if shared:
            path.parent.mkdir(parents=True, exist_ok=True)
        else:
            private_folder(path.parent)
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise disk_full(path) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def temporary_beside(path: Path) -> Path:
    """Where this process, and no other on any host, writes what is to become `path`."""
    return path.with_name(f".{path.name}.{socket.gethostname()}.{os.getpid()}{TEMPORARY}")


def is_abandoned(temporary: Path) -> bool:
    """Whether the process that wrote to a path of `temporary_beside` is known to be gone.

    One of another host counts as gone a day after its last write.
    """
    writer, _, pid = temporary.name.removesuffix(TEMPORARY).rpartition(".")
    if writer.endswith(f".{socket.gethostname()}"):
        return not Path(f"/proc/{pid}").exists()
    with suppress(FileNotFoundError):
        return time.time() - temporary.stat().st_mtime > ABANDONED_AFTER_S
    return False


def what_to_do(error: OSError) -> str:
    """What a person can do about a file that cannot be read or written; "" where not known."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return str(disk_full(Path(error.filename or "")))
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{error.filename}: you may not read or write there. Ask its owner, or use a folder of "
            "your own with --runs."
        )
    if error.errno in (errno.EISDIR, errno.ENOTDIR):
        there, needed = ("folder", "file") if error.errno == errno.EISDIR else ("file", "folder")
        return (
            f"{error.filename2 or error.filename}: there is a {there} where harness needs a "
            f"{needed}. Move it away, and give the same command again."
        )
    return ""


def disk_full(path: Path) -> HarnessError:
    """The error for a disk without room for `path`; `Path()` where that is not known."""
    place = f" of {path.absolute().parent} while writing {path.name}" if path.name else ""
    return HarnessError(
        f"No space left on the disk{place}. Nothing that was there is lost. Free some space and "
        "give the same command again: it goes on from there."
    )


def reserved_for(path: Path) -> Path:
    """Where room for `path` is reserved."""
    return path.with_name(f"{path.name}.reserved")


def reserve(path: Path, size: int) -> None:
    """Take room on the disk now, so that `write_reserved` can write `path` when it is full.

    Args:
        path: the file to be written later.
        size: in bytes, at least that of the later text.
    """
    write_text(reserved_for(path), " " * size)


def write_reserved(path: Path, text: str) -> None:
    """Write `text` as UTF-8 into the room reserved for `path`; without one, like `write_text`."""
    reserved = reserved_for(path)
    if not reserved.exists():
        write_text(path, text)
        return
    # Written over in place: given back first, the room could be gone to another writer.
    with reserved.open("r+", encoding="utf-8") as file:
        file.write(text)
        file.truncate()
    _flush_to_disk(reserved)
    os.replace(reserved, path)


def write_text(path: Path, text: str, *, shared: bool = False) -> None:
    """Write `text` as UTF-8; `shared` is that of `replacing`."""
    with replacing(path, shared=shared) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:  # noqa: ANN401 (any JSON value)
    """Write `value` as JSON. Missing numbers are null: a NaN is a ValueError."""
    write_text(path, json_text(value))


def json_text(value: Any) -> str:  # noqa: ANN401 (any JSON value)
    """`value` as JSON. Missing numbers are null: a NaN is a ValueError."""
    return json.dumps(value, indent=2, sort_keys=True, allow_nan=False) + "\n"


def read_json(path: Path, way_out: str) -> dict[str, Any]:
    """The JSON object in `path`.

    Args:
        path: the file.
        way_out: what the user can do where it is damaged, as a sentence.

    Raises:
        ResultsError: the file is missing, not readable, cut short, or holds something else.
    """
    try:
        value = json.loads(path.read_bytes())
    except FileNotFoundError as error:
        raise ResultsError(f"{path} is missing. {way_out}") from error
    except OSError as error:  # it may not be read, it is a folder, it lies in a file
        raise ResultsError(f"{path} cannot be read ({error.strerror}). {way_out}") from error
    except (ValueError, RecursionError) as error:
        raise ResultsError(f"{path} is not whole JSON ({error}). {way_out}") from error
    if not isinstance(value, dict):
        raise ResultsError(f"{path} holds no JSON object. {way_out}")
    return value


def unpacked(content: bytes) -> bytes:
    """The content of a file, unpacked where it is gzip; its name does not matter.

    Args:
        content: the file's bytes.

    Raises:
        ValueError: it begins as gzip, and is cut short or damaged.
    """
    if not content.startswith(GZIP):
        return content
    try:
        return gzip.decompress(content)
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise ValueError(f"it is gzip, and does not unpack: {error}") from error


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as file:
        os.fsync(file.fileno())


def tail(path: Path, size: int = TAIL_BYTES) -> bytes:
    """The last `size` bytes of `path`; none where it is missing or may not be read."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - size))
            return file.read()
    except OSError:
        return b""
