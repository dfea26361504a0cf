"""What only a GPU can show; and that no code asks for one by name."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

import harness.detection.train as training
from harness import stop
from harness.data.splits import locate
from harness.detection.checkpoints import read_checkpoint
from harness.detection.predict import predict
from harness.detection.train import train
from harness.evaluation import coco_ap
from harness.grid import base_of
from harness.paths import RunsFolder

HARNESS = Path(__file__).parents[2] / "harness"
# A tensor's or module's .cuda(...), or a certain GPU. torch.cuda.is_available() is neither.
ASKS_BY_NAME = re.compile(r"""(?<!torch)\.cuda\(|["']cuda:\d""")

on_a_gpu = [
    pytest.mark.gpu,
    pytest.mark.slow,
    pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no GPU here"),
]


@pytest.fixture(params=[pytest.param(p, marks=on_a_gpu) for p in ("float32", "amp")])
def spec(tiny, request):
    """A tiny fine-tune for a GPU in each precision."""
    return replace(tiny(), precision=request.param)


def logged(runs, spec):
    text = runs.run(spec.run_id).metrics_log.read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_a_run_trains_and_predicts_on_a_gpu(spec, tmp_path):
    runs = RunsFolder(tmp_path)
    base, paths = base_of(spec), runs.run(spec.run_id)
    train(base, runs.run(base.run_id), runs)
    train(spec, paths, runs)
    assert [line["iteration"] for line in logged(runs, spec)] == [7, 8, 9, 10]
    state = read_checkpoint(paths.checkpoint(10), spec.run_id)["state"]
    assert {value.dtype for value in state["model"].values()} <= {torch.float32, torch.int64}
    # The factor of the loss, which is halved where a step is left out, belongs to float16 alone.
    assert ("scaler" in state) == (spec.precision == "amp")
    predict(spec, paths)
    scores = coco_ap(locate(spec.test_split, spec.data_dir).annotations, paths.results)
    assert set(scores) == {"AP", "AP50", "AP75", "APs", "APm", "APl"}


def test_a_run_stopped_on_a_gpu_goes_on_with_the_factor_that_it_had(spec, tmp_path, monkeypatch):
    # Not to the same bits: some gradients on a GPU are added up in no certain order.
    runs, base = RunsFolder(tmp_path), base_of(spec)
    paths, factors = runs.run(base.run_id), []

    class Watched(training.SeedStep):
        def before_step(self):
            super().before_step()
            factors.append((self.trainer.iter, self.trainer.scaler.get_scale()))
            if self.trainer.iter == 2 and len(factors) == 3:
                stop.request()

    monkeypatch.setattr(training, "SeedStep", Watched)
    with pytest.raises(stop.Stopped, match="stopped as asked after 3 iterations"):
        train(base, paths, runs)
    saved = read_checkpoint(paths.checkpoint(3), base.run_id)["state"].get("scaler")
    train(base, paths, runs)
    assert factors[3] == (3, saved["scale"] if saved else 1.0)
    assert [line["iteration"] for line in logged(runs, base)] == [1, 2, 3, 4, 5, 6]


def test_no_code_asks_for_a_gpu_by_name():
    files = sorted(HARNESS.rglob("*.py"))
    assert len(files) > 100
    found = [
        f"{file.relative_to(HARNESS)}:{number}: {line.strip()}"
        for file in files
        for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
        if ASKS_BY_NAME.search(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "is_found"),
    [
        ("model.cuda()", True),
        ("x = images[0].cuda(non_blocking=True)", True),
        ('x.to("cuda:0")', True),
        ("if torch.cuda.is_available():", False),
        ("model.to(device)", False),
    ],
)
def test_the_look_for_that_finds_it(line, is_found):
    assert bool(ASKS_BY_NAME.search(line)) == is_found
