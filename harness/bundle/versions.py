"""What makes the bytes of tables and figures: its versions here, and those that a bundle tells."""

import platform
import zlib
from collections.abc import Mapping

import harness
from harness.launch.code import CHECKOUT, describe_commit
from harness.launch.environment import package_version

# Fonttools and Pillow write matplotlib's files.
PACKAGES = ("pandas", "numpy", "scipy", "jinja2", "matplotlib", "fonttools", "pillow")
HARNESS, COMMIT = "harness", "commit"
NAMES = (HARNESS, COMMIT, "uncommitted_changes", "python", "machine", "zlib", *PACKAGES)
UNKNOWN = "unknown"  # git was asked, and did not say


def versions_here() -> dict[str, str]:
    """What a bundle made here and now is made with; a name without a version is left out."""
    installed = {name: package_version(name) for name in PACKAGES}
    return {
        HARNESS: harness.__version__,
        **describe_commit(CHECKOUT),
        "python": platform.python_version(),
        "machine": platform.machine(),
        "zlib": zlib.ZLIB_RUNTIME_VERSION,
        **{name: found for name, found in installed.items() if found},
    }


def other_versions(
    then: Mapping[str, str], here: Mapping[str, str]
) -> tuple[dict[str, tuple[str, str]], tuple[str, ...]]:
    """The versions then and here that differ, and the names that one side does not tell.

    A harness that was installed without its checkout tells no commit.
    """
    told = {name for name in NAMES if UNKNOWN not in (_of(then, name), _of(here, name))}
    others = {
        name: (then[name], here[name])
        for name in NAMES
        if name in told and then[name] != here[name]
    }
    return others, tuple(name for name in NAMES if name not in told)


def _of(versions: Mapping[str, str], name: str) -> str:
    return versions.get(name) or UNKNOWN
