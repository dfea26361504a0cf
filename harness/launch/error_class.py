"""How an attempt ended that an error has ended: by what kind, errno and words say."""

import errno

from harness.errors import NoBaseError, NodeError
from harness.records import End

# What torch's allocator, oneDNN and C++ say in a plain RuntimeError, the loader of libraries in an
# ImportError, and Python in a SystemError of a library that does not check what it is given.
NO_MEMORY = (
    "out of memory",
    "can't allocate memory",
    "DefaultCPUAllocator",
    "bad allocation",
    "bad_alloc",
    "could not create a primitive",
    "failed to map segment",
    "error return without exception set",
)
# Of CUDA's errors those that tell of a card, its link or its driver, and not of a program.
BROKEN_GPU = (
    "uncorrectable ECC error",
    "uncorrectable NVLink error",
    "GPU is lost",
    "no CUDA-capable device",
    "devices are busy or unavailable",
    "CUDA driver initialization failed",
)
# torch's word for a process that loaded images beside the training: the kernel's first choice where
# the node's memory is full.
LOADER_KILLED = "is killed by signal: Killed"


def class_of(error: Exception) -> End:
    """How an attempt ended that `error` has ended."""
    said = str(error)
    if isinstance(error, NoBaseError):
        return End.NO_BASE
    if _is_of_node(error, said):
        return End.BAD_NODE
    if any(kind.__name__ == "OutOfMemoryError" for kind in type(error).__mro__):  # torch's
        return End.OUT_OF_GPU_MEMORY
    if (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
        or (isinstance(error, RuntimeError | ImportError | SystemError) and _says(said, NO_MEMORY))
    ):
        return End.OUT_OF_GPU_MEMORY if "CUDA" in said else End.OUT_OF_MEMORY
    if isinstance(error, RuntimeError) and LOADER_KILLED in said:
        return End.KILLED
    return End.FAILED


def _is_of_node(error: Exception, said: str) -> bool:
    return (
        isinstance(error, NodeError)
        or (isinstance(error, OSError) and error.errno in (errno.EIO, errno.ESTALE))
        or (isinstance(error, RuntimeError) and _says(said, BROKEN_GPU))
    )


def _says(text: str, words: tuple[str, ...]) -> bool:
    return any(word in text for word in words)
