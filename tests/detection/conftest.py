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
