"""What a node says of itself: run as a file, by the Python that jobs would have.

Nothing but the standard library at the top: whatever is missing there is an answer.
"""

import importlib
import json
import os
import platform
import socket
import sys
from collections.abc import Sequence
from pathlib import Path

# Directories that a GPU's driver makes, also seen from inside a container that was given no GPU.
DRIVERS = ("/proc/driver/nvidia/gpus", "/sys/class/kfd/kfd/topology")
OURS = ("harness.launch.job", "harness.detection.train")
WEIGHTS = "harness.data.weights"


def look_around(weights: Sequence[str] = ()) -> dict[str, object]:
    """Host, CPUs, versions, GPUs; under "errors" why a package cannot be imported.

    Args:
        weights: names of the ImageNet weights to look for, where a job would.
    """
    errors: dict[str, str] = {}
    return {
        "host": socket.gethostname(),
        "python": platform.python_version(),
        "cpus": len(os.sched_getaffinity(0)),
        "driver": any(Path(path).is_dir() for path in DRIVERS),
        **_gpu(errors),
        "detectron2": _version("detectron2", errors),
        "harness": all(_version(name, errors) for name in OURS),
        "weights": _weights(weights, errors),
        "errors": errors,
    }


def _gpu(errors: dict[str, str]) -> dict[str, object]:
    version = _version("torch", errors)
    if not version:
        return {"torch": "", "cuda": False, "device": ""}
    cuda = importlib.import_module("torch.cuda")
    sees = bool(cuda.is_available())
    return {"torch": version, "cuda": sees, "device": cuda.get_device_name(0) if sees else ""}


def _version(name: str, errors: dict[str, str]) -> str:
    """The version of package `name`, "?" where it has none; "" where it cannot be imported."""
    try:
        return str(getattr(importlib.import_module(name), "__version__", "?"))
    except Exception as error:  # a broken library may raise anything at import
        errors[name] = f"{type(error).__name__}: {error}".strip().splitlines()[0][:300]
        return ""


def _weights(names: Sequence[str], errors: dict[str, str]) -> dict[str, str]:
    """What is wrong with each of these weights; "" for nothing."""
    if not names or not _version(WEIGHTS, errors):
        return {}
    ours = importlib.import_module(WEIGHTS)
    folder = ours.weights_folder()
    return {name: ours.fault(ours.WEIGHTS[name], folder, look_inside=False) for name in names}


def main(result: Path, weights: Sequence[str]) -> None:
    """Write `look_around` as JSON to `result`: that it arrives is an answer too."""
    text = json.dumps(look_around(weights), indent=2)
    temporary = result.with_suffix(".tmp")
    temporary.write_text(text, encoding="utf-8")
    os.replace(temporary, result)


if __name__ == "__main__":
    *names, target = sys.argv[1:]
    main(Path(target), names)
