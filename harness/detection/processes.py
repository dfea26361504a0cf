"""The processes that train one run together, one for each GPU, and what they tell one another.

Gradients go through NCCL, or gloo on CPUs. All else is a few numbers or letters through a gloo
group of its own: never pickled, and no GPU waits for it.
"""

import os
import socket
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import cast

import torch
import torch.distributed as dist
from detectron2.utils import comm
from torch import Tensor, nn
from torch.distributed import TCPStore  # type: ignore[attr-defined]
from torch.nn.parallel import DistributedDataParallel

from harness.detection.told import from_words, in_words
from harness.errors import LaunchError
from harness.files import write_text
from harness.stop import PeerLost

HOST = "127.0.0.1"  # a run trains on one node
TIMEOUT = timedelta(minutes=30)  # of a wait for each other: one may be saving to a slow disk
LAST_WORDS = timedelta(seconds=30)
LOOK_EVERY_S = 0.1
ERROR = "error"


@dataclass(frozen=True)
class _Team:
    """What this process shares with the others: a table of texts, and a group for numbers."""

    rank: int
    store: TCPStore
    numbers: dist.ProcessGroup


_team: _Team | None = None  # None: this process trains alone
# Kept to the end of the process, which in rank 0 is what tells the others that it has ended.
_store: TCPStore | None = None


@contextmanager
def process_group(rank: int, world_size: int, local_rank: int, meeting: Path) -> Iterator[None]:
    """Train in the block together with the other processes of the run; nothing for one alone.

    Args:
        rank: of this process, from 0. That of rank 0 writes the run's files.
        world_size: how many processes there are.
        local_rank: of this process on its node: the GPU that it takes.
        meeting: a file that is not there yet, the same for all: rank 0 says in it where they meet.

    Raises:
        LaunchError: rank 0 has not said where.
        HarnessError: what stopped another process first, where that left a word.
        PeerLost: another process ended without a word.
    """
    if world_size == 1:
        yield
        return
    global _team, _store
    _team = _meet(rank, world_size, local_rank, meeting)
    _store = _team.store
    try:
        with true_cause():
            yield
    except BaseException:
        _hang_up()
        if rank:
            # srun kills all as soon as one ends badly: rank 0 has to write first why it ends.
            with suppress(RuntimeError):
                _store.wait(["no such key: the end of rank 0 ends this"], LAST_WORDS)
        raise
    finally:
        _team = None
    dist.destroy_process_group()
    comm._LOCAL_PROCESS_GROUP = None


@contextmanager
def true_cause() -> Iterator[None]:
    """Turn the loss of another process, in the block, into the error that ended that process.

    Raises:
        HarnessError: what stopped another process first, where that left a word.
        PeerLost: another process ended without a word.
    """
    try:
        yield
    except Exception as error:
        first = _first_error(_team, error) if _team else error
        if first is error:
            raise
        raise first from error


def agree(go: bool) -> bool:
    """The value that `go` has in the process of rank 0, in all."""
    return bool(gathered(torch.tensor([int(go)]))[0])


def any_of(asked: bool) -> bool:
    """Whether `asked` holds in any process, in all."""
    return bool(gathered(torch.tensor([int(asked)])).any())


def gathered(numbers_N: Tensor) -> Tensor:
    """The numbers of all processes, shape (processes, N), on the CPU."""
    if _team is None:
        return numbers_N.cpu()[None]
    rows = [torch.empty_like(numbers_N, device="cpu") for _ in range(_team.numbers.size())]
    dist.all_gather(rows, numbers_N.cpu(), group=_team.numbers)
    return torch.stack(rows)


@contextmanager
def together() -> Iterator[None]:
    """End the block well in all processes, or in none: an error of one becomes that of all.

    Without it the others would wait in vain for the one that failed, and be killed as they wait.
    """
    if _team is None:
        yield
        return
    try:
        yield
    except Exception as error:
        if not _lost(error):
            with suppress(RuntimeError):  # the others are gone: this error is the one to tell
                _exchanged(in_words(error))
        raise
    for rank, words in enumerate(_exchanged("")):
        if words:
            raise from_words(words, rank)


def data_parallel(model: nn.Module) -> nn.Module:
    """`model` with gradients that are means over the processes; as it is for one alone.

    A run that goes on from rank 0's checkpoint has to go on exactly, hence two options:
    * No buffers are sent around: in training BatchNorm reads its own batch and never its running
      means, so rank 0's, which are saved, follow from rank 0's images alone.
    * `find_unused_parameters` keeps the buckets as they are. Otherwise they are laid out anew after
      the first iteration, also after that of a resume; and where a number lies in its bucket says
      in which order three or more processes add it up.
    """
    if _team is None:
        return model
    with warnings.catch_warnings():
        # torch 2.14 has another name for broadcast_buffers, which older ones do not know.
        warnings.simplefilter("ignore", FutureWarning)
        return DistributedDataParallel(
            model,
            device_ids=[torch.cuda.current_device()] if torch.cuda.is_available() else None,
            broadcast_buffers=False,
            find_unused_parameters=True,
        )


def _meet(rank: int, world_size: int, local_rank: int, meeting: Path) -> _Team:
    if "lo" in (name for _, name in socket.if_nameindex()):
        # gloo's own choice is what the host's name resolves to, which a firewall may close.
        os.environ.setdefault("GLOO_SOCKET_IFNAME", "lo")
    if torch.cuda.is_available():
        # A site may show each process its own GPU only: as the first.
        torch.cuda.set_device(local_rank if torch.cuda.device_count() > 1 else 0)
    if rank == 0:
        # The kernel chooses the port: any fixed one may be taken, also by another run on the node.
        store = TCPStore(
            HOST, 0, world_size, is_master=True, wait_for_workers=False, timeout=TIMEOUT
        )
        write_text(meeting, str(store.port))
    else:
        store = TCPStore(HOST, _port(meeting), world_size, is_master=False, timeout=TIMEOUT)
    backend = "nccl" if torch.cuda.is_available() else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=TIMEOUT)
    if rank == 0:
        meeting.unlink()
    comm.create_local_process_group(world_size)
    numbers = cast(dist.ProcessGroup, dist.new_group(backend="gloo", timeout=TIMEOUT))
    return _Team(rank, store, numbers)


def _port(meeting: Path) -> int:
    give_up_at = time.monotonic() + TIMEOUT.total_seconds()
    while not meeting.exists():
        if time.monotonic() > give_up_at:
            raise LaunchError(
                f"The first process of this run has not said in {meeting}, within "
                f"{TIMEOUT.total_seconds() / 60:.0f} minutes, where the others find it. Is the "
                "runs folder the same for all processes of a node? Give the same command again."
            )
        time.sleep(LOOK_EVERY_S)
    return int(meeting.read_text())


def _hang_up() -> None:
    """Close the connections that the others may be waiting on: gloo's, by dropping the groups.

    NCCL's are left: taking them down can wait for what the others will never send.
    """
    global _team
    numbers, _team = (_team.numbers if _team else None), None
    everything = dist.get_backend() == "gloo"
    with suppress(RuntimeError):
        dist.destroy_process_group(None if everything else numbers)


def _first_error(team: _Team, error: Exception) -> BaseException:
    """`error`, or that of another process, because of which this one lost its connection.

    Where it is the first, it is left for the others to read.
    """
    alone = PeerLost("another process of this run ended without a word") if _lost(error) else error
    try:
        if alone is not error and team.store.check([ERROR]):
            rank, _, words = team.store.get(ERROR).decode().partition("\n")
            return from_words(words, int(rank))
        if alone is error and not team.store.check([ERROR]):
            team.store.set(ERROR, f"{team.rank}\n{in_words(error)}")
    except RuntimeError:  # the store is in the process of rank 0, and that has ended
        pass
    return alone


def _lost(error: Exception) -> bool:
    """Whether it says no more than that the connection to another process is gone."""
    return isinstance(error, dist.DistError) or (
        isinstance(error, RuntimeError) and "gloo" in str(error)
    )


def _exchanged(words: str) -> list[str]:
    """What each process says, by rank; one number is exchanged where nobody says anything."""
    own = words.encode()
    lengths = gathered(torch.tensor([len(own)]))[:, 0].tolist()
    if not any(lengths):
        return [""] * len(lengths)
    padded = torch.tensor(list(own.ljust(max(lengths), b"\0")), dtype=torch.uint8)
    letters = gathered(padded).tolist()
    return [bytes(row[:length]).decode() for row, length in zip(letters, lengths, strict=True)]
