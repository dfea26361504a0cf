"""What a run was computed with, for its evidence: code, versions, device, and where.

Of the environment's variables only those named here are recorded: others may hold secrets.
"""

import os
import platform
import socket
import subprocess
import sys
from collections.abc import Mapping
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import harness
from harness.errors import ResultsError
from harness.files import read_json
from harness.launch.code import describe_code

PACKAGES = (
    *("torch", "torchvision", "detectron2", "sal-detectron2"),
    *("numpy", "numba", "pycocotools"),
)
SLURM = {
    "cluster": "SLURM_CLUSTER_NAME",
    "partition": "SLURM_JOB_PARTITION",
    "node": "SLURMD_NODENAME",
    "job": "SLURM_JOB_ID",
}
# Where a run took place stays in its folder: metrics are made to be shared.
PRIVATE = ("host", "platform", *SLURM)
CODE_HASHES = ("losses_code", "detection_code")
DRIVER = Path("/sys/module/nvidia/version")
ASK_DRIVER = ("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")


def describe_environment() -> dict[str, str]:
    """Host, job, versions of everything that computes, and the code of harness."""
    installed = {name: package_version(name) for name in PACKAGES}
    return {
        "host": socket.gethostname(),
        "platform": platform.platform(),
        "python": platform.python_version(),
        "harness": harness.__version__,
        **{name: found for name, found in installed.items() if found},
        **describe_job(),
        **describe_code(),
    }


def earlier_code(now: Mapping[str, str], recorded: Path) -> dict[str, str]:
    """What must be added to `now` for a run that goes on from a checkpoint of other code.

    Both hashes then stand for the code that made the run, so that a table tells it from others.

    Args:
        now: of `describe_environment`.
        recorded: env.json of the attempt before.
    """
    try:
        before = read_json(recorded, "")
    except ResultsError:
        return {}
    hashes = {key: f"{before.get(key, '')} {now[key]}".split() for key in CODE_HASHES}
    return {key: " ".join(dict.fromkeys(words)) for key, words in hashes.items()}


def describe_job() -> dict[str, str]:
    """Where Slurm runs this process, the job's id as its commands take it; {} outside Slurm."""
    found = {key: os.environ[name] for key, name in SLURM.items() if os.environ.get(name)}
    array, index = (os.environ.get(f"SLURM_ARRAY_{part}_ID") for part in ("JOB", "TASK"))
    return found | {"job": f"{array}_{index}"} if array and index else found


def describe_device() -> dict[str, str]:
    """Threads, and the GPU, its driver and its CUDA version where there is one.

    To be asked once the trainer is loaded: it loads torch, which takes too long to be loaded here.
    """
    torch = sys.modules.get("torch")
    if torch is None or not torch.cuda.is_available():
        return {"threads": "1"}  # see harness.detection.device.pin_device
    driver = driver_version()
    return {
        "threads": str(torch.get_num_threads()),
        "cuda": str(torch.version.cuda),
        "gpu": torch.cuda.get_device_name(),
        **({"driver": driver} if driver else {}),
    }


def driver_version() -> str:
    """The version of NVIDIA's driver, from the kernel or else its own tool; "" without one."""
    try:
        if DRIVER.exists():
            return DRIVER.read_text().strip()
        done = subprocess.run(ASK_DRIVER, capture_output=True, text=True, check=True, timeout=60)
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.partition("\n")[0].strip()  # a line for each GPU, all the same


def package_version(name: str) -> str:
    """The installed version of `name`, "" where it is not installed. Imports nothing."""
    try:
        return version(name)
    except PackageNotFoundError:
        return ""
