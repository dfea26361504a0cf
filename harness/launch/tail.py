"""The end of a file, however long it is."""

import os
from pathlib import Path

TAIL_BYTES = 16 * 1024  # a line of metrics.jsonl is well below 1 KiB


def tail(path: Path, size: int = TAIL_BYTES) -> bytes:
    """The last `size` bytes of `path`; none where it is missing or may not be read."""
    try:
        with path.open("rb") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - size))
            return file.read()
    except (FileNotFoundError, PermissionError):
        return b""
