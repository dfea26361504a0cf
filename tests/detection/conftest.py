import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.grid import Loss, RunSpec, Schedule, Setting, base_of, contour, finetune
from harness.shapes import write_shapes

# A training of seconds: 6 + 4 iterations of 2 images, a checkpoint after every second one.
CONTOUR = contour(k=2)
TINY = Schedule(base_lr=0.01, steps=(6, 8), max_iter=10, warmup_iters=2)


@pytest.fixture(scope="session")
def shapes(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "shapes"
    write_shapes(folder, train_images=10, val_images=4, side=96)
    return folder


@pytest.fixture(scope="session")
def tiny(shapes):
    """A function from a loss to its tiny fine-tune; its base is `base_of` it."""

    def spec(loss: Loss = CONTOUR, architecture: str = "mask_rcnn_R50_FPN") -> RunSpec:
        demo = finetune(Setting(scale="demo", shapes_dir=shapes), architecture, loss)
        return replace(demo, schedule=TINY, total_batch_size=2, checkpoint_every=2)

    return spec


@pytest.fixture
def tiny_base(tiny) -> RunSpec:
    return base_of(tiny())


@pytest.fixture
def side_by_side(tmp_path):
    """A function that runs a piece of code in several processes, and returns how each ended.

    The code finds its rank, the number of processes, a file to meet at and the further arguments
    in sys.argv.
    """
    started = []

    def run(code: str, *arguments: object, count: int = 2) -> list[subprocess.CompletedProcess]:
        meeting = tmp_path / f"meeting {len(started)}"
        for rank in range(count):
            words = [sys.executable, "-c", code, *map(str, (rank, count, meeting, *arguments))]
            pipe = subprocess.PIPE
            started.append(subprocess.Popen(words, stdout=pipe, stderr=pipe, text=True))
        ended = []
        for process in started[-count:]:
            out, err = process.communicate(timeout=300)
            ended.append(subprocess.CompletedProcess((), process.returncode, out, err))
        return ended

    yield run
    for process in started:
        process.kill()
        process.communicate()
