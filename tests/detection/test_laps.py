"""To which part of an iteration each moment of it counts."""

import pytest
import torch
from detectron2.utils.events import EventStorage

from harness.detection import laps as timing
from harness.detection.datasets import load_split, with_objects
from harness.detection.images import train_mapper
from harness.detection.laps import Laps, hooked, part_of, timed
from harness.detection.models import build_model
from harness.detection.train import build_optimizer
from harness.grid import NO_LOSS, contour


@pytest.fixture
def clock(monkeypatch):
    """A clock that goes on when it is told to."""

    class Clock:
        now = 0.0

        def perf_counter(self) -> float:
            return self.now

    told = Clock()
    monkeypatch.setattr(timing, "time", told)
    return told


@pytest.fixture
def laps():
    return Laps(wait=lambda: None)


def test_each_moment_counts_for_the_innermost_part(laps, clock):
    # 1 s outside, 2 s in a, 4 s in b within a, 8 s in a again, 16 s outside.
    laps.begin()
    for seconds, then in (
        (1, lambda: laps.enter("a")),
        (2, lambda: laps.enter("b")),
        (4, laps.leave),
        (8, laps.leave),
        (16, lambda: None),
    ):
        clock.now += seconds
        then()
    assert laps.end() == {timing.REST: 17, "a": 10, "b": 4}


def test_a_part_within_itself_is_one_part_and_the_device_is_not_waited_for_there(clock):
    waits = []
    laps = Laps(wait=lambda: waits.append(clock.now))
    laps.begin()
    laps.enter("a")
    clock.now = 1
    laps.enter("a")
    clock.now = 2
    laps.leave()
    clock.now = 3
    laps.leave()
    assert laps.end() == {timing.REST: 0, "a": 3}
    assert waits == [0, 0, 3, 3]  # begin, into a, out of a, end


def test_nothing_is_counted_and_nothing_waited_for_outside_of_an_iteration(clock):
    laps = Laps(wait=lambda: pytest.fail("the device was waited for"))
    laps.enter("a")
    laps.leave()
    assert laps.seconds == {}


def test_batches_come_as_they_are_and_the_wait_for_them_is_a_part(laps, clock):
    def slow():
        for batch in "ab":
            clock.now += 5
            yield batch

    laps.begin()
    assert list(timed(slow(), laps)) == ["a", "b"]
    assert laps.end() == {timing.REST: 0, timing.DATA: 10}


@pytest.mark.parametrize(
    ("name", "part"),
    [
        ("", timing.FORWARD),
        ("backbone", timing.BACKBONE),
        ("backbone.bottom_up", None),
        ("proposal_generator", timing.PROPOSALS),
        ("proposal_generator.rpn_head", None),
        ("roi_heads", timing.ROI),
        ("roi_heads.box_pooler", timing.BOX),
        # Of a cascade: heads in lists, one for each stage.
        ("roi_heads.box_head.2.fc1", timing.BOX),
        ("roi_heads.mask_head.0", timing.MASK),
        ("roi_heads.mask_pooler", timing.MASK),
        ("roi_heads.semantic_branch", timing.SEMANTIC),
        ("roi_heads.keypoint_head", None),
    ],
)
def test_a_part_is_told_by_the_name_of_its_module(name, part):
    assert part_of(name) == part


@pytest.fixture(scope="module")
def build(tiny):
    """A function from a loss to a model with its optimizer, and a batch for it."""
    split = load_split("shapes_train", tiny().data_dir)
    batch = [train_mapper(tiny())(record) for record in with_objects(split)[:2]]

    def build(loss):
        torch.manual_seed(0)
        model = build_model(tiny(loss), len(split.categories)).train()
        return model, build_optimizer(tiny(loss), model), batch

    return build


def step(laps, model, optimizer, batch) -> set[str]:
    """The parts of a training step."""
    laps.begin()
    with EventStorage():
        losses = model(batch)
    sum(losses.values()).backward()
    laps.leave()
    optimizer.step()
    return set(laps.end())


EVERYWHERE = {
    timing.BACKBONE,
    timing.PROPOSALS,
    timing.BOX,
    timing.MASK,
    timing.LOSSES,
    timing.ROI,
    timing.FORWARD,
    timing.BACKWARD,
    timing.OPTIMIZER,
    timing.REST,
}


@pytest.mark.parametrize(
    ("loss", "parts"), [(NO_LOSS, EVERYWHERE), (contour(), EVERYWHERE | {timing.TERM})]
)
def test_a_step_has_the_parts_of_its_model(build, laps, loss, parts):
    model, optimizer, batch = build(loss)
    with hooked(model, optimizer, laps):
        assert step(laps, model, optimizer, batch) == parts


def test_the_model_is_left_as_it_was(build, laps):
    model, optimizer, batch = build(contour())
    term = model.roi_heads.mask_head.term
    with hooked(model, optimizer, laps):
        assert model.roi_heads.mask_head.term is not term
        assert "losses" in vars(model.roi_heads.box_predictor)
    assert model.roi_heads.mask_head.term is term
    assert "losses" not in vars(model.roi_heads.box_predictor)
    assert step(laps, model, optimizer, batch) == {timing.REST}
