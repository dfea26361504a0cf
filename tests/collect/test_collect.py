import pytest

from harness.collect import collect
from harness.errors import ResultsError


def test_only_what_is_new_is_collected_whole_and_in_the_order_of_the_grid(
    grid, runs, results, leave_metrics
):
    base, baseline, k1 = list(grid.runs)[:3]
    for run_id in (k1, base):
        leave_metrics(runs.run(run_id).metrics, grid.runs[run_id])
    assert collect(grid, runs, results) == [base, k1]
    assert results.metrics(k1).read_bytes() == runs.run(k1).metrics.read_bytes()
    assert collect(grid, runs, results) == []
    leave_metrics(runs.run(baseline).metrics, grid.runs[baseline])
    assert collect(grid, runs, results) == [baseline]


def test_a_run_scored_again_takes_the_place_of_its_old_numbers(grid, runs, results, leave_metrics):
    run_id, spec = list(grid.runs.items())[1]
    leave_metrics(runs.run(run_id).metrics, spec)
    collect(grid, runs, results)
    leave_metrics(runs.run(run_id).metrics, spec, gpu_hours=0.2)
    assert collect(grid, runs, results) == [run_id]
    assert b"0.2" in results.metrics(run_id).read_bytes()


def test_what_was_collected_stays_when_the_run_folder_is_gone(grid, runs, results, leave_metrics):
    run_id, spec = list(grid.runs.items())[1]
    leave_metrics(results.metrics(run_id), spec)
    assert collect(grid, runs, results) == []
    assert results.metrics(run_id).exists()


def test_runs_of_another_grid_are_left_alone(grid, runs, results, leave_metrics):
    leave_metrics(runs.run("01234567").metrics, next(iter(grid.runs.values())))
    assert collect(grid, runs, results) == []
    assert not results.all_metrics.exists()


def test_a_file_cut_in_half_is_named_and_stays_out(grid, runs, results, leave_metrics):
    run_id, spec = list(grid.runs.items())[1]
    path = runs.run(run_id).metrics
    leave_metrics(path, spec)
    path.write_bytes(path.read_bytes()[:200])
    with pytest.raises(ResultsError, match=rf"{path} is not whole JSON .*harness run {run_id}"):
        collect(grid, runs, results)
    assert not results.metrics(run_id).exists()


def test_a_damaged_copy_in_the_results_is_mended_from_its_run(grid, runs, results, leave_metrics):
    run_id, spec = list(grid.runs.items())[1]
    leave_metrics(runs.run(run_id).metrics, spec)
    collect(grid, runs, results)
    results.metrics(run_id).write_text("{")
    assert collect(grid, runs, results) == [run_id]
    assert results.metrics(run_id).read_bytes() == runs.run(run_id).metrics.read_bytes()
