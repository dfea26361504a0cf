"""What a run was computed with, for its evidence: commit, versions, device. No variables."""

import platform
import socket
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import harness

PACKAGES = ("torch", "torchvision", "detectron2", "sal-detectron2", "numpy", "pycocotools")


def describe_environment() -> dict[str, str]:
    """Host, versions of everything that computes, and the commit of harness."""
    installed = {name: package_version(name) for name in PACKAGES}
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "harness": harness.__version__,
        **{name: found for name, found in installed.items() if found},
        **describe_commit(Path(__file__).resolve().parents[2]),
    }


def describe_device() -> dict[str, str]:
    """Threads, and the GPU and its CUDA version where there is one.

    To be asked once the trainer is loaded: it loads torch, which takes too long to be loaded here.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {"threads": "1"}  # see harness.detection.device.pin_device
    return {
        "threads": str(torch.get_num_threads()),
        "cuda": str(torch.version.cuda),
        "gpu": torch.cuda.get_device_name(),
    }


def package_version(name: str) -> str:
    """The installed version of `name`, "" where it is not installed. Imports nothing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""


def describe_commit(checkout: Path) -> dict[str, str]:
    """The commit of `checkout` and whether files differ from it; {} where it is no checkout."""
    if not (checkout / ".git").exists():  # installed: git might answer for a folder further up
        return {}
    commit = _git(checkout, "rev-parse", "--verify", "HEAD")
    # Tables are rebuilt into results/ while runs go on: they move no number.
    changes = _git(checkout, "status", "--porcelain", "--", ".", ":!results")
    return {"commit": commit or "none", "uncommitted_changes": "yes" if changes else "no"}


def _git(checkout: Path, *arguments: str) -> str:
    # No lock: many jobs start at once in one checkout.
    command = ["git", "--no-optional-locks", "-C", str(checkout), *arguments]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return done.stdout.strip()
