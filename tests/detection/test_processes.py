"""What the processes of one run tell one another. Each test starts two or three."""

import signal
from datetime import timedelta
from pathlib import Path

import pytest
import torch

from harness.detection import processes
from harness.detection.told import from_words, in_words
from harness.errors import DataError, LaunchError, TrainingError

pytestmark = pytest.mark.slow

BEGIN = """
import os, signal, sys
from pathlib import Path
import torch
from harness.detection.processes import *
from harness.detection.processes import gathered, together, true_cause
from harness.errors import *
from harness.stop import PeerLost, Stopped

torch.set_num_threads(1)
rank, count, meeting = int(sys.argv[1]), int(sys.argv[2]), Path(sys.argv[3])
"""

ALIKE = """
class Net(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.used_last = torch.nn.Linear(64, 1)
        self.used_first = torch.nn.Linear(16, 64)
        self.used_beside = torch.nn.Linear(16, 64)

    def forward(self, x):
        hidden = torch.relu(self.used_beside(x) + self.used_first(x))
        return {"loss": self.used_last(hidden).square().mean()}

with process_group(rank, count, rank, meeting):
    torch.manual_seed(0)
    net = Net()
    ours = data_parallel(net)
    x = torch.randn(32, 16, generator=torch.Generator().manual_seed(rank))
    gradients = []
    for _ in range(3):
        net.zero_grad()
        ours(x)["loss"].backward()
        gradients.append(torch.cat([weight.grad.flatten().clone() for weight in net.parameters()]))
    print([torch.equal(gradients[0], later) for later in gradients])
"""


def test_the_first_gradient_after_a_start_has_the_bits_of_a_later_one(side_by_side):
    # Each iteration has the same images and weights here. Three numbers can be added in different
    # orders: with the buckets laid out anew after the first iteration, as torch does by itself,
    # the second and third gradients differ from the first, and so would a resumed training.
    for ended in side_by_side(BEGIN + ALIKE, count=3):
        assert ended.stdout == "[True, True, True]\n", ended.stderr


SMALL_TALK = """
with process_group(rank, count, rank, meeting):
    print(agree(rank == 0), agree(rank == 1), any_of(rank == 1), any_of(False))
    print(gathered(torch.tensor([rank, 7])).tolist())
print(agree(True), torch.distributed.is_initialized())
"""


def test_processes_agree_and_are_alone_again_afterwards(side_by_side):
    for ended in side_by_side(BEGIN + SMALL_TALK):
        assert ended.returncode == 0, ended.stderr
        # Rank 0's word counts in an agreement, any rank's in the other.
        assert ended.stdout.splitlines() == [
            "True False True False",
            "[[0, 7], [1, 7]]",
            "True False",
        ]


FAILS = """
def fail():
    if rank == 1:
        raise {error}

try:
    with process_group(rank, count, rank, meeting):
        {block}
except (Exception, PeerLost) as error:
    print(f"{{type(error).__name__}}: {{error}}")
"""


@pytest.mark.parametrize(
    ("error", "own", "told"),
    [
        ("DataError('é.png is cut')", "DataError: é.png is cut", "DataError: rank 1: é.png is cut"),
        (
            "torch.OutOfMemoryError('24 GiB')",
            "OutOfMemoryError: 24 GiB",
            "OutOfMemoryError: rank 1: 24 GiB",
        ),
        ("KeyError('a')", "KeyError: 'a'", "RuntimeError: rank 1: KeyError: 'a'"),
    ],
)
def test_what_fails_in_one_process_is_told_in_all(side_by_side, error, own, told):
    block = """
        with together():
            fail()
        gathered(torch.zeros(1))
    """
    first, second = side_by_side(BEGIN + FAILS.format(error=error, block=block.strip()))
    assert first.stdout.strip() == told, first.stderr
    assert second.stdout.strip() == own, second.stderr


def test_what_fails_where_the_others_wait_is_told_too(side_by_side):
    # Rank 0 waits for numbers of rank 1 that never come.
    code = FAILS.format(error="DataError('x.png is cut')", block="fail(); gathered(torch.zeros(1))")
    first, second = side_by_side(BEGIN + code)
    assert first.stdout.strip() == "DataError: rank 1: x.png is cut", first.stderr
    assert second.stdout.strip() == "DataError: x.png is cut", second.stderr


def test_a_process_that_is_killed_ends_the_others_as_a_stop_and_not_as_a_failure(side_by_side):
    block = "rank or gathered(torch.zeros(1)); os.kill(os.getpid(), signal.SIGKILL)"
    first, second = side_by_side(BEGIN + FAILS.format(error="", block=block))
    assert second.returncode == -signal.SIGKILL
    assert first.stdout.strip() == "PeerLost: another process of this run ended without a word"


LAST = """
try:
    with process_group(rank, count, rank, meeting):
        with together():
            raise DataError("x")
except DataError:
    if rank == 0:
        open(sys.argv[4], "w").close()
    print(os.path.exists(sys.argv[4]))
"""


def test_the_process_of_rank_0_is_the_first_to_end_badly(side_by_side, tmp_path):
    # It writes why; and Slurm kills all processes as soon as one of them ends badly.
    for ended in side_by_side(BEGIN + LAST, tmp_path / "outcome"):
        assert ended.stdout == "True\n", ended.stderr


def test_processes_whose_first_never_came_say_so(tmp_path, monkeypatch):
    monkeypatch.setattr(processes, "TIMEOUT", timedelta(0))
    meeting = tmp_path / "port"
    group = processes.process_group(rank=1, world_size=2, local_rank=1, meeting=meeting)
    with pytest.raises(LaunchError, match=f"has not said in {meeting}, within 0 minutes"):
        group.__enter__()


def test_two_runs_of_one_node_do_not_meet(side_by_side):
    # Each gets a port of its own, and its file is gone when all have met.
    code = (
        BEGIN
        + """
with process_group(rank, count, rank, meeting):
    print(meeting.exists(), gathered(torch.tensor([rank]))[:, 0].tolist())
"""
    )
    for ended in [*side_by_side(code), *side_by_side(code)]:
        assert ended.stdout == "False [0, 1]\n", ended.stderr


def test_a_process_alone_needs_no_other():
    with processes.process_group(rank=0, world_size=1, local_rank=0, meeting=Path()):
        model = torch.nn.Linear(1, 1)
        assert processes.data_parallel(model) is model
        assert processes.agree(True)
        assert not processes.any_of(False)
        assert processes.gathered(torch.tensor([3.0])).tolist() == [[3.0]]


def test_an_error_keeps_its_kind_and_words_on_its_way():
    error = from_words(in_words(TrainingError("two\nlines")), rank=3)
    assert type(error) is TrainingError
    assert str(error) == "rank 3: two\nlines"


def test_an_error_in_a_process_alone_stays_what_it_is():
    def fail():
        with processes.true_cause(), processes.together():
            raise DataError("x")

    with pytest.raises(DataError, match=r"^x$"):
        fail()
