"""What is published of a file's bytes, to hold a copy against."""

import hashlib
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Checksum:
    """The checksum of a file.

    Attributes:
        algorithm: as hashlib calls it: "sha256", "md5".
        digits: in hex: all of them, or the first ones where only they are published.
    """

    algorithm: str
    digits: str


def mismatch(path: Path, checksum: Checksum) -> str:
    """In what the file at `path` is not the one that has `checksum`; "" where it is."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, checksum.algorithm).hexdigest()
    begins = found[: len(checksum.digits)]
    if begins == checksum.digits:
        return ""
    return f"its {checksum.algorithm} begins {begins}, not {checksum.digits}"
