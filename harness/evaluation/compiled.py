"""Compiles functions, and keeps what was compiled for as long as no file of this package changes.

numba alone would look at the file of a function only, and go on with what it has compiled when a
constant, a field or a function that comes from another file has changed: numbers would be those of
old code. To compile all of it takes some ten seconds.
"""

import functools
import hashlib
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., object])

HERE = Path(__file__).parent


def compiled(function: Function) -> Function:
    """The function, compiled when it is first called; it lets go of Python's lock."""
    config: Any = numba.config
    before, config.CACHE_DIR = config.CACHE_DIR, str(_folder())
    try:
        return cast(Function, numba.njit(nogil=True, cache=True)(function))
    finally:
        config.CACHE_DIR = before


def fingerprint(folder: Path) -> str:
    """Of all that the compiled code of the package in `folder` can depend on."""
    digest = hashlib.sha256(numba.__version__.encode())
    for file in sorted(folder.glob("*.py")):
        digest.update(file.name.encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()[:16]


@functools.cache
def _folder() -> Path:
    """Where compiled code is kept: beside its source, else with the user's caches."""
    name = f"compiled-{fingerprint(HERE)}"
    for folder in _places():
        try:
            (folder / name).mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=folder / name):
                return folder / name
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix=f"harness-{name}-"))  # compiled anew in each process


def _places() -> Iterator[Path]:
    yield HERE / "__pycache__"
    caches = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
    yield Path(caches, "harness")
