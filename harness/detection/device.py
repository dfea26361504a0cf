"""The device of this process, and how many processes load images beside it."""

import torch

WORKERS = {"cpu": 0, "cuda": 4}


def gpus_here() -> int:
    """How many GPUs torch sees."""
    return torch.cuda.device_count() if torch.cuda.is_available() else 0


def pin_device() -> str:
    """The device of this process; on a CPU one thread, since their number changes bits.

    Of several GPUs it is the one that `harness.detection.processes` has set for this process.
    """
    if torch.cuda.is_available():
        return "cuda"
    torch.set_num_threads(1)
    return "cpu"
