"""`harness benchmark` from its processes to the file that plan reads. Slow: it trains."""

import subprocess
import sys
from dataclasses import replace

import pytest
import torch

from harness.detection import laps
from harness.errors import LaunchError, SpecError, TrainingError
from harness.grid import NO_LOSS, RunSpec, Setting, contour, finetune
from harness.grid.benchmarks import read_benchmarks
from harness.grid.losses import LOSS_TERMS, LossTerm
from harness.launch.benchmark import benchmark, memory_told
from harness.paths import RunsFolder
from harness.shapes import write_shapes

pytestmark = pytest.mark.slow

on_cpu = pytest.mark.skipif(torch.cuda.is_available(), reason="is about a machine without a GPU")


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


@pytest.fixture
def spec(tmp_path) -> RunSpec:
    """A demo run of two processes on a few images of the user's own."""
    folder = tmp_path / "leaves"
    write_shapes(folder, train_images=8, val_images=2, side=64)
    demo = finetune(Setting(scale="demo", data_dir=folder), "mask_rcnn_R50_FPN", contour())
    return replace(demo, num_gpus=2, total_batch_size=2)


def test_two_processes_measure_one_run_and_leave_one_file(spec, runs):
    found = benchmark(spec, runs, 2)
    assert list(read_benchmarks(runs)) == [found]
    assert list((runs.folder / "benchmarks").iterdir()) == [runs.benchmark(spec.run_id)]
    assert found.spec == spec
    assert found.measured.exchange.number == 2
    assert laps.WAIT in found.measured.parts
    assert "torch" in found.versions


def test_a_loss_without_its_function_is_not_measured(spec, runs, monkeypatch):
    monkeypatch.setitem(LOSS_TERMS, "contour", LossTerm("harness.losses:nope"))
    with pytest.raises(SpecError, match=r"harness\.losses neither defines nor imports 'nope'"):
        benchmark(spec, runs, 2)


def test_what_stops_one_process_is_told_as_it_is(spec, runs):
    # A first step at a learning rate of 1e12 throws the weights far out.
    hot = replace(spec, schedule=replace(spec.schedule, base_lr=1e12))
    with pytest.raises(TrainingError, match=r"became .*(nan|inf).* at iteration \d+ of run"):
        benchmark(hot, runs, 2)
    assert read_benchmarks(runs) == ()


KILLED_EARLY = """
import resource, sys
resource.setrlimit(resource.RLIMIT_CPU, (3, 3))  # of each process
from harness.cli import main
main()
"""


def test_a_process_that_is_killed_is_told_as_that(tmp_path, spec):
    # The one that trains needs more than 3 s for its imports and iterations; that which has
    # started it does not.
    words = ("table2/baseline", "--scale", "demo", "--data", str(spec.data_dir), "--iters", "1000")
    done = subprocess.run(
        [sys.executable, "-c", KILLED_EARLY, "benchmark", *words, "--runs", str(tmp_path / "runs")],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 2, done.stderr
    assert "LaunchError: A process of the benchmark of run" in done.stderr
    assert "was killed, as happens where the memory of the machine" in done.stderr


def test_a_lack_of_memory_is_told_and_no_other_error_is_taken_for_it(spec):
    with pytest.raises(LaunchError) as error, memory_told(spec):
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2 GiB")
    assert f"Run {spec.run_id} needs more memory than there is here" in str(error.value)
    assert "with images per GPU: 1." in str(error.value)
    assert "Tried to allocate 2 GiB" in str(error.value)
    with pytest.raises(KeyError), memory_told(spec):
        raise KeyError("a bug")


@on_cpu
def test_without_its_gpus_a_run_at_paper_scale_is_refused_with_the_way_to_get_them(
    spec, runs, tmp_path
):
    paper = finetune(Setting(data_dir=tmp_path / "leaves"), "mask_rcnn_R50_FPN", NO_LOSS)
    one = replace(paper, num_gpus=1)
    with pytest.raises(LaunchError) as error:
        benchmark(one, runs, 2)
    assert f"Run {one.run_id} trains on 1 GPU, and torch sees 0 on" in str(error.value)
    assert "srun --nodes=1 --gpus-per-node=1" in str(error.value)
    assert f"--pty harness benchmark {one.run_id} --scale paper --data" in str(error.value)
