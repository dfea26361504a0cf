import re
from dataclasses import replace
from pathlib import Path

import pytest

from harness.collect import collect
from harness.errors import HarnessError, ResultsError
from harness.grid import Grid, Setting
from harness.grid.experiments import load_grid
from harness.grid.spec import identity_of
from harness.paths import ResultsFolder, RunsFolder
from harness.rebuild import draw_figure, rebuild, table_text, write_all
from harness.records import METRICS, Metrics, read_metrics, write_metrics
from harness.report.emphasis import Emphasis

PROJECT = Path(__file__).parents[1]
PUBLISHED = PROJECT / "results" / "published"


def demo_grid(*names: str) -> Grid:
    return load_grid(names, Setting(scale="demo"), PROJECT / "experiments")


@pytest.fixture
def runs(tmp_path) -> RunsFolder:
    """The runs of the demo as they stand when all is done."""
    runs = RunsFolder(tmp_path / "runs")
    for run_id, spec in demo_grid().runs.items():
        metrics = Metrics(
            run_id=run_id,
            parent=None,
            spec=identity_of(spec),
            ap={} if spec.stage == "base" else {"segm": dict.fromkeys(METRICS, 20.0)},
            annotations={"shapes_train": "a" * 64},
            order_hash="b" * 64,
            evaluator="" if spec.stage == "base" else "pycocotools 2.0.10",
            environment={},
            gpu_hours=0.1,
        )
        write_metrics(runs.run(run_id).metrics, metrics)
    return runs


@pytest.fixture
def results(tmp_path) -> ResultsFolder:
    return ResultsFolder(tmp_path / "results" / "demo")


def test_everything_is_written_from_the_runs(runs, results):
    written = rebuild(demo_grid(), runs, results, PUBLISHED)
    names = [str(path.relative_to(results.folder)) for path in written]
    assert names == [
        *(
            f"tables/table{n}{part}.{suffix}"
            for n in "123"
            for part in ("", "_differences")
            for suffix in ("md", "tex", "csv", "html")
        ),
        *("tables/claims.md", "tables/claims.csv"),
        *("figures/fig8.pdf", "figures/fig8.png"),
    ]
    assert all(path.stat().st_size > 0 for path in written)
    assert len(list(results.all_metrics.iterdir())) == len(list(runs.folder.iterdir()))


def test_a_clone_without_runs_rebuilds_the_same_bytes(runs, results, tmp_path):
    first = [path.read_bytes() for path in rebuild(demo_grid(), runs, results, PUBLISHED)]
    nowhere = RunsFolder(tmp_path / "nowhere")
    assert first == [path.read_bytes() for path in write_all(demo_grid(), results, PUBLISHED)]
    again = [path.read_bytes() for path in rebuild(demo_grid(), nowhere, results, PUBLISHED)]
    assert first == again


def test_before_any_run_the_tables_stand_with_what_is_published(results, tmp_path):
    rebuild(demo_grid(), RunsFolder(tmp_path / "runs"), results, PUBLISHED)
    text = results.table("table1", "md").read_text(encoding="utf-8")
    assert "| baseline | — (34.28; —) |" in text
    assert "k=6: not trained yet." in text


def test_a_grid_without_table_1_has_no_figure(runs, results):
    written = rebuild(demo_grid("table2"), runs, results, PUBLISHED)
    assert {path.stem for path in written} == {"table2", "table2_differences"}


def test_a_table_without_a_baseline_has_no_differences(runs, results):
    grid = demo_grid("table2")
    without = replace(grid, cells=grid.cells[1:])
    written = rebuild(without, runs, results, PUBLISHED)
    assert {path.stem for path in written} == {"table2"}


def test_differences_and_claims_are_of_the_runs_and_say_what_is_in_their_way(runs, results):
    contour = demo_grid().table("table2")[3].spec.run_id
    metrics = read_metrics(runs.run(contour).metrics, contour)
    ap = {"segm": dict.fromkeys(METRICS, 20.5)}
    write_metrics(runs.run(contour).metrics, replace(metrics, ap=ap))
    rebuild(demo_grid(), runs, results, PUBLISHED)
    baseline = demo_grid().table("table2")[0].spec.run_id
    text = results.table("table2_differences", "md").read_text(encoding="utf-8")
    # 20.5 - 20, of one seed.
    assert "| mAP    | +0.50 |            — |       — |        — |   1 |     +0.26 |" in text
    assert f"contour − baseline {contour}-{baseline}." in text
    assert "- not comparable, all: in the way, the paper's values in brackets: scale: demo" in text
    claims = results.table("claims", "md").read_text(encoding="utf-8")
    # The contour loss of Table II is k = 2 of Table I.
    assert "| mAP    | k=2       | k=2  |   1 |" in claims
    assert "says nothing about the paper; in the way, the paper's values in brackets: " in claims
    assert "scale: demo (paper)" in claims


def test_before_any_run_differences_and_claims_stand_with_what_is_published(results, tmp_path):
    rebuild(demo_grid(), RunsFolder(tmp_path / "runs"), results, PUBLISHED)
    text = results.table("table3_differences", "md").read_text(encoding="utf-8")
    assert "| mAP    |    — |            — |       — |        — |   0 |     +0.17 |" in text
    claims = results.table("claims", "md").read_text(encoding="utf-8")
    assert "| fails in 4 of 18      | not known yet |   0 |" in claims


def test_two_rows_of_other_code_are_not_comparable(runs, results):
    for run_id in demo_grid("table2").runs:
        path = runs.run(run_id).metrics
        metrics = read_metrics(path, run_id)
        code = {"losses_code": "a", "detection_code": "b", "commit": "1a2b3c4d" * 5}
        if run_id == demo_grid("table2").table("table2")[3].spec.run_id:
            code["losses_code"] = "c"
        write_metrics(path, replace(metrics, environment=code))
    rebuild(demo_grid("table2"), runs, results, PUBLISHED)
    lines = results.table("table2_differences", "csv").read_text(encoding="utf-8").splitlines()
    other = [line for line in lines if "code: one of the two was made with another" in line]
    assert [line.split(",")[1] for line in other] == ["contour"] * 6


@pytest.mark.parametrize("format", ["md", "latex", "csv", "html"])
def test_rows_without_runs_are_missing_with_their_reason(results, format):
    text = table_text(demo_grid(), "table3", results, PUBLISHED, format=format)
    assert "not trained yet" in text


def test_table_text_follows_the_format_and_the_emphasis_asked_for(runs, results):
    collect(demo_grid(), runs, results)
    text = table_text(
        demo_grid(), "table1", results, PUBLISHED, format="latex", emphasis=Emphasis.BEST
    )
    assert r"\textbf{20.00} & 34.28 & $-$14.28" in text


def test_a_table_not_in_the_paper_needs_no_published_numbers(results, tmp_path):
    grid = demo_grid("table1")
    own = replace(grid, layouts={"table1": replace(grid.layouts["table1"], published=False)})
    assert "published" not in table_text(own, "table1", results, tmp_path)


@pytest.mark.parametrize("name", ["table1", "table2", "table3"])
def test_lost_published_numbers_are_told_and_never_left_out(results, tmp_path, name):
    missing = re.escape(f"{tmp_path / name}.csv: cannot be read (No such file or directory). ")
    with pytest.raises(ResultsError, match=missing + "Restore it: git checkout"):
        table_text(demo_grid(), name, results, tmp_path)


def test_unknown_names_are_answered_with_the_known_ones(results):
    with pytest.raises(HarnessError, match=r"Unknown table 'table4'\. .*Known tables: table1, "):
        table_text(demo_grid(), "table4", results, PUBLISHED)
    with pytest.raises(HarnessError, match=r"Unknown figure 'fig9'\. .*Known figures: fig8\."):
        draw_figure("fig9", demo_grid(), results, PUBLISHED)


def test_a_figure_needs_its_table_in_the_grid(results):
    with pytest.raises(
        HarnessError,
        match="fig8 is drawn from the paper's table1, its rows over k, and no experiment",
    ):
        draw_figure("fig8", demo_grid("table2"), results, PUBLISHED)


def test_a_row_of_other_losses_is_marked_in_the_table_that_is_written(runs, results):
    for run_id in demo_grid().runs:
        path = runs.run(run_id).metrics
        if path.exists():
            metrics = read_metrics(path, run_id)
            code = {"losses_code": "a", "detection_code": "b", "commit": "1a2b3c4d" * 5}
            write_metrics(path, replace(metrics, environment=code))
    k6 = demo_grid().table("table1")[6].spec.run_id
    metrics = read_metrics(runs.run(k6).metrics, k6)
    other = {**metrics.environment, "losses_code": "c", "commit": "5e6f7a8b" * 5}
    write_metrics(runs.run(k6).metrics, replace(metrics, environment=other))

    rebuild(demo_grid(), runs, results, PUBLISHED)
    text = results.table("table1", "md").read_text(encoding="utf-8")
    assert text.count("| Contour loss † |") == 1
    assert (
        "- † k=6 (commit 5e6f7a8b, base 1a2b3c4d): made with another harness/losses than "
        "baseline, k=1, k=2, k=3, k=4, k=5 (commit 1a2b3c4d)."
    ) in text
    assert "†" not in results.table("table2", "md").read_text(encoding="utf-8")


def test_results_can_be_read_by_those_who_may_read_the_folder(runs, results):
    rebuild(demo_grid(), runs, results, PUBLISHED)
    run_id = next(iter(demo_grid().runs))
    made = [results.folder, results.table("table1", "md").parent, results.metrics(run_id).parent]
    plain = results.folder.parent / "plain"
    plain.mkdir()
    assert {path.stat().st_mode for path in made} == {plain.stat().st_mode}


def test_a_metrics_file_cut_in_half_stops_the_rebuild_and_is_named(runs, results):
    path = runs.run(demo_grid().table("table1")[0].spec.run_id).metrics
    path.write_bytes(path.read_bytes()[:100])
    with pytest.raises(ResultsError, match=re.escape(f"{path} is not whole JSON")):
        rebuild(demo_grid(), runs, results, PUBLISHED)
    assert not results.table("table1", "md").exists()
