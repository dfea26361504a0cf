"""A benchmark as people read it, at 80 columns."""

from dataclasses import replace

import pytest

from harness.grid import Setting, contour, finetune
from harness.grid.benchmarks import Benchmark, Measured, Spread
from harness.terminal.benchmark_view import show_benchmark


def spread(mean: float, number: int = 200) -> Spread:
    return Spread(number=number, median=mean, low=mean / 2, high=mean * 2, mean=mean)


@pytest.fixture
def benchmark() -> Benchmark:
    """0.3 s undisturbed, 0.33 s by part."""
    return Benchmark(
        spec=finetune(Setting(), "mask_rcnn_R50_FPN", contour()),
        measured=Measured(
            started_from="a checkpoint after 120,000 iterations",
            iteration=spread(0.3),
            data_wait=spread(0.002),
            parts={"backbone": spread(0.11, 50), "backward": spread(0.22, 50)},
            parts_iteration=spread(0.33, 50),
            exchange=None,
            mask_rois=38.25,
            peak_memory_gb=3.516,
        ),
        device="NVIDIA A100-SXM4-80GB",
        host="gpu013",
        versions={},
        date="2026-11-24",
    )


def shown(benchmark, console) -> list[str]:
    show_benchmark(benchmark, console)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    return [" ".join(line.split()) for line in lines]


def test_an_iteration_its_parts_and_its_price_are_shown(benchmark, console):
    # 60,000 iterations of 0.3 s on 4 GPUs are 20 GPU-hours; 0.11 of 0.33 s are a third.
    assert shown(benchmark, console) == [
        f"{benchmark.spec.run_id}: mask_rcnn_R50_FPN, paper scale, finetune",
        "loss contour, float32, from a checkpoint after 120,000 iterations",
        "on 4 x NVIDIA A100-SXM4-80GB (gpu013), 2 images each",
        "",
        "in 200 iterations median quartiles mean",
        "one as a whole 300.0 ms 150.0 to 600.0 300.0 ms",
        "waiting for data 2.0 ms 1.0 to 4.0 2.0 ms",
        "",
        "GPU-hours of this run: 20",
        "Most memory of a process: 3.52 GB",
        "RoIs for which a mask is trained: 38.2 an image",
        "",
        "in 50 others, by part median quartiles share of mean",
        "backbone 110.0 ms 55.0 to 220.0 33.3%",
        "backward 220.0 ms 110.0 to 440.0 66.7%",
        "all 330.0 ms 165.0 to 660.0 100.0%",
        "",
        "Between parts the device is waited for: here these iterations take 10% more than",
        "undisturbed ones.",
    ]


def test_what_exchanging_gradients_adds_is_told_where_they_are_exchanged(benchmark, console):
    exchange = Spread(number=20, median=0.004, low=-0.001, high=0.009, mean=0.004)
    measured = replace(benchmark.measured, exchange=exchange)
    text = " ".join(shown(replace(benchmark, measured=measured), console))
    assert "It makes an iteration longer by 4.0 ms (-1.0 to 9.0, in 20 pairs" in text


def test_a_network_at_its_beginning_is_told_to_be_one(benchmark, console):
    measured = replace(benchmark.measured, started_from="ImageNet weights", mask_rois=None)
    text = " ".join(shown(replace(benchmark, measured=measured), console))
    assert "give the command again once a base is trained" in text
    assert "an image" not in text
