"""Names that several folders share."""

import os
import re
from pathlib import Path

RUN_ID = re.compile("[0-9a-f]{8}")
LOCAL = "local"  # the site that has no file: this machine


def names_in(folder: Path) -> list[str]:
    """The names in a folder; none where it is not there."""
    try:
        return os.listdir(folder)
    except FileNotFoundError:
        return []
