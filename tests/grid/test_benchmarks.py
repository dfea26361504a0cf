"""What a benchmark leaves in the runs folder, and for which runs it counts."""

import json
from dataclasses import replace

import pytest

from harness.errors import ResultsError
from harness.grid import NO_LOSS, Setting, base_of, contour, finetune, mse_edge
from harness.grid.benchmarks import (
    Benchmark,
    Measured,
    Spread,
    fitting,
    read_benchmarks,
    write_benchmark,
)
from harness.grid.cost import gpu_hours, gpu_hours_from_scratch
from harness.grid.plan import make_plan
from harness.paths import RunsFolder

R50 = "mask_rcnn_R50_FPN"


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    return RunsFolder(tmp_path / "runs")


@pytest.fixture
def spec():
    return finetune(Setting(), R50, contour())


def benchmark(spec, seconds=0.3, date="2026-11-24", exchange=None) -> Benchmark:
    """One whose median is half its mean, so that it shows which is taken."""
    spread = Spread(number=200, median=seconds / 2, low=seconds / 4, high=seconds, mean=seconds)
    return Benchmark(
        spec=spec,
        measured=Measured(
            started_from="ImageNet weights",
            iteration=spread,
            data_wait=spread,
            parts={"backbone": spread},
            parts_iteration=spread,
            exchange=exchange,
            mask_rois=12.5,
            peak_memory_gb=3.5,
        ),
        device="NVIDIA A100",
        host="gpu013",
        versions={"torch": "2.14.1"},
        date=date,
    )


def test_what_is_written_is_read_again(spec, runs):
    exchange = Spread(number=20, median=-0.001, low=-0.02, high=0.01, mean=0.001)
    written = [benchmark(spec, exchange=exchange), benchmark(base_of(spec), date="2026-11-25")]
    for one in reversed(written):
        write_benchmark(runs, one)
    assert list(read_benchmarks(runs)) == written  # the oldest first
    assert read_benchmarks(RunsFolder(runs.folder / "none")) == ()


def test_a_run_is_measured_anew_in_the_place_of_the_old_figures(spec, runs):
    write_benchmark(runs, benchmark(spec, 0.3))
    write_benchmark(runs, benchmark(spec, 0.4))
    assert [one.measured.iteration.mean for one in read_benchmarks(runs)] == [0.4]


def test_it_counts_for_another_loss_and_stage_of_the_same_model(spec):
    measured = benchmark(spec)
    for other in (spec, base_of(spec), finetune(Setting(seed=3), R50, mse_edge())):
        assert fitting(other, [measured]) is measured


@pytest.mark.parametrize(
    "change",
    [
        {"architecture": "mask_rcnn_R101_FPN"},
        {"num_gpus": 8},
        {"total_batch_size": 16},
        {"precision": "amp"},
        {"scale": "demo"},
        {"architecture": "htc_R50_FPN", "semantic_branch": True},
    ],
)
def test_it_counts_for_nothing_that_runs_at_another_pace(spec, change):
    assert fitting(replace(spec, **change), [benchmark(spec)]) is None


def test_the_same_loss_goes_before_the_same_data_and_that_before_the_newest(spec):
    elsewhere = replace(spec, train_split="coco_2014_trainval35k")
    same_loss = benchmark(elsewhere, date="2026-11-01")
    same_data = benchmark(base_of(spec), date="2026-11-02")
    newest = benchmark(base_of(elsewhere), date="2026-11-03")
    assert fitting(spec, [newest, same_data, same_loss]) is same_loss
    assert fitting(spec, [newest, same_data]) is same_data
    assert fitting(finetune(Setting(), R50, mse_edge()), [newest, same_loss]) is newest


def test_gpu_hours_are_iterations_times_the_mean_on_all_gpus(spec):
    # 0.3 s on 4 GPUs: 120,000 x 0.3 x 4 / 3600 = 40 h a base, 20 h a fine-tune, 60 h altogether.
    measured = [benchmark(spec, 0.3)]
    assert gpu_hours(base_of(spec), measured) == pytest.approx(40)
    assert gpu_hours(spec, measured) == pytest.approx(20)
    assert gpu_hours_from_scratch(spec, measured) == pytest.approx(60)
    # Without it 0.227 s an image: 60,000 x 8 x 0.227 / 3600.
    assert gpu_hours(spec, []) == pytest.approx(30.267, abs=0.001)


def test_a_plan_says_which_hours_were_measured_here_and_which_were_published(spec, runs, tables):
    write_benchmark(runs, benchmark(spec, 0.3))
    planned = make_plan(tables(), runs)
    hours = {run.name: run.gpu_hours for run in planned.runs}
    assert hours["base mask_rcnn_R50_FPN"] == pytest.approx(40)
    assert hours["base mask_rcnn_R101_FPN"] == pytest.approx(75.733, abs=0.001)
    assert [line for line in planned.assumptions if line.startswith("GPU-hours")] == [
        f"GPU-hours of mask_rcnn_R50_FPN: measured here with run {spec.run_id}, 4 x NVIDIA A100, "
        "on 2026-11-24: 0.300 s per iteration.",
        "GPU-hours of mask_rcnn_R101_FPN, mask_rcnn_X101_FPN: what maskrcnn-benchmark publishes "
        "for V100s; `harness benchmark RUN` measures yours.",
        "GPU-hours of htc_R50_FPN: what mmdetection publishes for V100s; `harness benchmark RUN` "
        "measures yours.",
    ]


@pytest.mark.parametrize(
    ("damage", "told"),
    [
        (lambda value: value | {"schema": 9}, "schema 9; this harness reads 1"),
        (lambda value: {k: v for k, v in value.items() if k != "measured"}, "'measured'"),
        (lambda value: value | {"measured": 3}, "no benchmark"),
        (lambda value: value | {"date": 3}, "no text"),
        (lambda value: value | {"spec": {}}, "This is no run of this version of harness"),
        (
            lambda value: (
                value | {"measured": value["measured"] | {"iteration": {"number": 2, "mean": 0.1}}}
            ),
            "missing 3 required",
        ),
        (
            lambda value: value | {"measured": value["measured"] | {"parts": {"backbone": "x"}}},
            "no benchmark",
        ),
    ],
)
def test_a_damaged_file_is_named_with_the_way_out(spec, runs, damage, told):
    write_benchmark(runs, benchmark(spec))
    path = runs.benchmark(spec.run_id)
    path.write_text(json.dumps(damage(json.loads(path.read_text()))))
    with pytest.raises(ResultsError) as error:
        read_benchmarks(runs)
    assert f"{path} is no benchmark" in str(error.value)
    assert told in str(error.value)
    assert f"Delete it, or give `harness benchmark {spec.run_id}` again" in str(error.value)


def test_an_iteration_that_takes_no_time_is_refused(runs):
    write_benchmark(runs, benchmark(base_of(finetune(Setting(), R50, NO_LOSS)), seconds=0.0))
    with pytest.raises(ResultsError, match=r"an iteration takes 0\.0 s"):
        read_benchmarks(runs)
