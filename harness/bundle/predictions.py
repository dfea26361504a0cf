"""Packs the predictions of runs, and finds out on the way whether they are the ones scored."""

import gzip
import hashlib
from pathlib import Path
from typing import IO

from harness.replicates import Replicates

NO_FOLDER = "the run's folder, or its predictions, were not where the bundle was made"
UNREADABLE = "the user who made the bundle may not read them, or they are no file"
NOT_SCORED = "no replicates tell whether those in the run's folder are the ones its numbers are of"
OTHERS = "those in the run's folder are not the ones that its numbers are of"
LEVEL = 6  # of gzip: 9 takes twice as long for a hundredth less
CHUNK = 1 << 20


def pack_predictions(source: Path, replicates: Replicates | None, target: IO[bytes]) -> str:
    """Write `source` into `target` as gzip: the same predictions give the same bytes.

    Args:
        source: the results file in a run's folder.
        replicates: of the run; None where it was never scored on draws of the test images.
        target: an empty file, useless if they are to be left out.

    Returns:
        Why they are to be left out; "" where they are the ones that were scored.
    """
    try:
        file = source.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return NO_FOLDER
    except OSError:
        return UNREADABLE
    with file:
        if replicates is None:
            return NOT_SCORED
        return "" if _pack(file, target) == replicates.results else OTHERS


def _pack(source: IO[bytes], target: IO[bytes]) -> str:
    """The sha256 of what was packed: of just these bytes, whoever writes the file meanwhile."""
    sha256 = hashlib.sha256()
    # Without time and name.
    with gzip.GzipFile("", "wb", LEVEL, fileobj=target, mtime=0) as packed:
        while piece := source.read(CHUNK):
            sha256.update(piece)
            packed.write(piece)
    return sha256.hexdigest()
