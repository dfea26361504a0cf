"""An error as words that another process can read, and raise again as the same kind of error."""

import torch

from harness import errors

# Those that are told as what they are: in the run's record, the kind decides what is tried again.
KINDS: dict[str, type[Exception]] = {
    name: kind
    for name, kind in vars(errors).items()
    if isinstance(kind, type) and issubclass(kind, errors.HarnessError)
} | {kind.__name__: kind for kind in (MemoryError, torch.OutOfMemoryError)}


def in_words(error: Exception) -> str:
    """The kind of `error`, and what it says."""
    return f"{type(error).__name__}\n{error}"


def from_words(words: str, rank: int) -> Exception:
    """The error that `in_words` put into `words` in the process of `rank`.

    One that is not in `KINDS`, so a bug, is a RuntimeError here; its traceback is what the other
    process printed.
    """
    kind, _, text = words.partition("\n")
    if kind in KINDS:
        return KINDS[kind](f"rank {rank}: {text}")
    return RuntimeError(f"rank {rank}: {kind}: {text}")
