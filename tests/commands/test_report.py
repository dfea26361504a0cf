"""`harness report`: what it shows of whatever there is, and that it says what there is not."""

import json
import math
import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from contextlib import ExitStack
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.commands.report import watch_report, write_report
from harness.lease import lease
from harness.workplace import Workplace, workplace
from tests.commands.test_verdicts import OWN

ROOT = Path(__file__).parents[2]
BASELINE, K2 = "09d7f7e8", "d4baba01"  # of table1, at demo scale and seed 0


class Seen(HTMLParser):
    """The text of a page by section, its scripts, and the addresses that it would load."""

    def __init__(self, page: str):
        super().__init__()
        self.sections: dict[str, str] = {"": ""}
        self.scripts = 0
        self.loads: list[str] = []
        self._in: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag, attributes):
        found = dict(attributes)
        self.scripts += tag == "script"
        self.loads += [found[name] for name in ("src", "href") if name in found]
        if tag == "section":
            self._in.append(found["id"])
            self.sections[found["id"]] = ""

    def handle_endtag(self, tag):
        if tag == "section":
            self._in.pop()

    def handle_data(self, text):
        self.sections[self._in[-1] if self._in else ""] += text


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A clone as it is after `git clone`: the paper's experiments and the demo's metrics."""
    (tmp_path / "results").mkdir()
    shutil.copytree(ROOT / "experiments", tmp_path / "experiments")
    shutil.copytree(ROOT / "results" / "published", tmp_path / "results" / "published")
    for part in ("metrics", "replicates"):
        shutil.copytree(ROOT / "results" / "demo" / part, tmp_path / "results" / "demo" / part)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def place(project) -> Workplace:
    return workplace("demo", None, project / "runs")


def report(place: Workplace) -> Seen:
    path = write_report(place)
    assert path == place.results.folder / "report.html"
    return Seen(path.read_text(encoding="utf-8"))


def test_a_clone_with_metrics_alone_shows_tables_and_says_how_to_get_the_rest(place):
    seen = report(place)
    assert "19 collected" in seen.sections["state"]
    # Table II, contour loss: ours, published, and ours minus published.
    for number in ("32.95", "34.54", "−1.59"):
        assert number in seen.sections["table-1"]
    assert "not comparable" in seen.sections["table-1"]
    assert "fails in 1 of 6" in seen.sections["claims"]
    assert "the curves of all runs" in seen.sections["curves"]
    assert "is not scored" in seen.sections["masks"]
    assert "harness submit --site local --scale demo" in seen.sections["curves"]
    assert "the run's folder is not here" in seen.sections["evidence"]


def test_the_page_loads_nothing_from_elsewhere(place):
    assert {address.partition(":")[0] for address in report(place).loads if address[0] != "#"} == {
        "data"
    }


def test_runs_whose_numbers_are_here_are_not_to_be_trained_again(place):
    # Of seed 1 one row was asked for; those of seed 0 are collected, and have no folders.
    spec = next(c.spec for c in place.grid(["table1"], 2).cells if c.row == "k=2" and c.spec.seed)
    place.runs.run(spec.run_id).folder.mkdir(parents=True)
    state = report(place).sections["state"]
    command = "harness submit --site local --seeds 2 --only '*/seed=1' --scale demo"
    assert f"What is not done is trained by {command}" in state


def test_without_any_run_all_is_marked_as_missing(place, project):
    shutil.rmtree(project / "results" / "demo")
    seen = report(place)
    assert "19 to do" in seen.sections["state"]
    assert "not trained yet" in seen.sections["table-0"]
    assert "34.54" in seen.sections["table-0"]  # what is published stays


def test_a_damaged_metrics_file_is_told_and_its_row_is_missing(place):
    path = place.results.metrics(K2)
    path.write_text(path.read_text()[:100])
    seen = report(place)
    assert f"results/demo/metrics/{K2}.json is not whole JSON" in seen.sections["state"]
    assert "— in k=2: not trained yet." in seen.sections["table-0"]
    assert "30.06" in seen.sections["table-0"]  # the baseline's


def test_replicates_of_other_predictions_are_told_and_cost_only_the_error_bars(place):
    path = place.results.metrics(K2)
    changed = json.loads(path.read_text())
    changed["ap"]["segm"]["AP"] = 33.33
    path.write_text(json.dumps(changed))
    seen = report(place)
    assert "was made from other predictions" in seen.sections["state"]
    assert "33.33" in seen.sections["table-0"]


def test_metrics_of_another_scale_are_told_and_not_shown(project):
    shutil.copytree(project / "results" / "demo", project / "results" / "paper")
    seen = report(workplace("paper", None, project / "runs"))
    assert "19 runs of scale demo, not shown since no experiment asks" in seen.sections["state"]
    assert "32.95" not in seen.sections["table-0"]


def test_a_table_whose_published_numbers_are_gone_says_so_and_the_others_stand(place, project):
    (project / "results" / "published" / "table2.csv").unlink()
    seen = report(place)
    assert "table2.csv" in seen.sections["table-1"]
    assert "32.95" in seen.sections["table-0"]


def test_a_table_that_would_mix_evaluators_says_so(place):
    path = place.results.metrics(K2)
    path.write_text(path.read_text().replace("pycocotools 2.0.11", "hotcoco 1.3.0"))
    assert "would mix two evaluators" in report(place).sections["table-0"]


def test_a_run_whose_log_was_cut_short_shows_the_curves_that_it_has(place):
    paths = place.runs.run(K2)
    paths.folder.mkdir(parents=True)
    line = '{"iteration": 301, "loss_contour": -0.25, "lr": 0.002, "total_loss": 1.5}\n'
    paths.metrics_log.write_text(line + line.replace("301", "302")[:30])
    seen = report(place)
    assert f"table1/k=2 · {K2}" in seen.sections["curves"]
    assert "loss_contour −0.25" in seen.sections["curves"]
    assert "lr" not in seen.sections["curves"].partition("loss_contour")[2][:40]


NAMES = ("<script>alert(1)</script>", "\"quoted\" & 'quoted'", "表 · δοκιμή")


def test_names_with_tags_quotes_and_other_scripts_are_shown_as_text(place, project):
    losses = "{'baseline': NO_LOSS, " + ", ".join(
        f"{name!r}: contour(k={k})" for k, name in enumerate(NAMES, start=1)
    )
    (project / "experiments" / "own.py").write_text(OWN.replace("{LOSSES}", losses + "}"))
    seen = report(place)
    for name in NAMES:
        assert name in seen.sections["table-0"]  # own, the first by name
        assert f"own · {name}" in seen.sections["evidence"]
    assert seen.scripts == 1  # the page's own


def test_a_watch_writes_again_until_nothing_runs_and_then_a_page_that_stays(place):
    refreshing = []
    with ExitStack() as elsewhere:
        elsewhere.enter_context(lease(place.runs.run(K2).lease, "k=2"))

        def wait(seconds):
            page = place.results.report.read_text(encoding="utf-8")
            refreshing.append(('data-refresh="30"' in page, "1 running" in page, seconds))
            elsewhere.close()

        path = watch_report(place, wait)
    # While it ran, and once more in case that the next run needs a while to start.
    assert refreshing == [(True, True, 30), (True, False, 30)]
    assert "1 running" not in path.read_text(encoding="utf-8")
    assert "data-refresh" not in path.read_text(encoding="utf-8")


def test_a_watch_where_nothing_runs_ends_at_once(place):
    waits = []
    watch_report(place, waits.append)
    assert waits == []


def test_a_login_node_needs_no_torch_for_it(project):
    code = (
        "import sys; from harness.cli import app; sys.argv = ['harness', 'report', '--scale', "
        "'demo']; app(standalone_mode=False); print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == [str(project / "results/demo/report.html"), "False"]


def test_nothing_of_the_page_tells_where_it_was_made(place, project):
    path = place.results.metrics(K2)
    path.write_text("{")
    changed = place.results.replicates(BASELINE)
    shutil.copyfile(place.results.replicates("e7ed114c"), changed)
    paths = place.runs.run("42b40789")
    paths.folder.mkdir(parents=True)
    page = write_report(place).read_text(encoding="utf-8")
    assert "results/demo/metrics/d4baba01.json" in page
    for private in (str(project), tempfile.gettempdir(), str(Path.home())):
        assert private not in page


def leave_run(place: Workplace, run_id: str, text: str | None = None) -> None:
    """A run folder with what was collected of the run, or another text as its metrics."""
    paths = place.runs.run(run_id)
    paths.folder.mkdir(parents=True)
    metrics = place.results.metrics(run_id)
    paths.metrics.write_text(metrics.read_text() if text is None else text)
    metrics.unlink(missing_ok=True)
    replicates = place.results.replicates(run_id)
    if replicates.exists():
        replicates.rename(paths.replicates)


def test_a_damaged_run_takes_nothing_from_the_others(place):
    leave_run(place, BASELINE)
    leave_run(place, "e7ed114c")  # k=1
    leave_run(place, K2, text="{")
    seen = report(place)
    assert f"runs/{K2}/metrics.json is not whole JSON" in seen.sections["state"]
    # Both came with their replicates, so their difference has its interval.
    assert "[+1.02, +4.53]" in seen.sections["table-0"]
    assert place.results.replicates(BASELINE).exists()


def test_a_damaged_benchmark_is_told_and_hours_are_planned_without_it(place):
    path = place.runs.benchmark(K2)
    path.parent.mkdir(parents=True)
    path.write_text("{")
    seen = report(place)
    assert f"runs/benchmarks/{K2}.json is not whole JSON" in seen.sections["state"]
    assert "planned: 19 distinct runs" in seen.sections["cost"]


@pytest.mark.parametrize("labels", ['{"Method": row}', '{"Method": row, "k": row}'])
def test_a_table_of_ones_own_named_table1_has_no_fig8(place, project, labels):
    own = OWN.replace("{LOSSES}", "{'baseline': NO_LOSS, '2': contour(k=2)}")
    own = own.replace('"own"', '"table1"').replace('{"Method": row}', labels)
    if '"k"' in labels:
        own = own.replace('("Method", "mAP")', '("Method", "mAP", "k")')
    (project / "experiments" / "table1_k_sweep.py").write_text(own)
    seen = report(place)
    assert "fig8" not in seen.sections
    assert "claims" not in seen.sections
    assert "30.06" in seen.sections["table-0"]


def test_a_training_that_diverged_is_drawn_until_there(place):
    paths = place.runs.run(K2)
    paths.folder.mkdir(parents=True)
    lines = [
        {"iteration": 301, "loss_contour": math.nan, "loss_mask": 0.5, "total_loss": 1.5},
        {"iteration": 302, "loss_contour": math.nan, "loss_mask": math.inf, "total_loss": math.nan},
    ]
    paths.metrics_log.write_text("".join(json.dumps(line) + "\n" for line in lines))
    curves = report(place).sections["curves"]
    assert "loss_mask 0.5" in curves
    assert "loss_contour" not in curves
    assert "nan" not in curves


DEEP = "[" * 200_000
HOSTILE = {
    "not JSON at all": lambda path: path.write_text(DEEP),
    "half a letter": lambda path: path.write_text(
        path.read_text().replace('"harness": "0.1.0"', r'"harness": "\ud800"')
    ),
    "an AP beyond all measure": lambda path: path.write_text(
        re.sub('"AP": [0-9.]+', '"AP": 1e308', path.read_text())
    ),
    "a folder": lambda path: (path.unlink(), path.mkdir()),
}


@pytest.mark.parametrize("damage", HOSTILE.values(), ids=HOSTILE.keys())
def test_whatever_stands_in_a_metrics_file_the_rest_is_shown(place, damage):
    path = place.results.metrics(K2)
    before = path.read_bytes()
    damage(path)
    assert path.is_dir() or path.read_bytes() != before
    seen = report(place)
    assert f"results/demo/metrics/{K2}.json" in seen.sections["state"]
    assert "32.83" in seen.sections["table-0"]  # of k=1


IN_FOLDER = {
    "log": lambda paths: paths.metrics_log.write_text(DEEP),
    "log folder": lambda paths: paths.metrics_log.mkdir(),
    "outcome": lambda paths: (
        paths.attempt(1).folder.mkdir(parents=True),
        paths.attempt(1).outcome.write_text(DEEP),
    ),
    "run file": lambda paths: (paths.folder.rmdir(), paths.folder.write_text("mine")),
}


@pytest.mark.parametrize("damage", IN_FOLDER.values(), ids=IN_FOLDER.keys())
def test_whatever_stands_in_a_run_folder_the_rest_is_shown(place, damage):
    paths = place.runs.run(K2)
    paths.folder.mkdir(parents=True)
    damage(paths)
    assert "32.95" in report(place).sections["table-0"]


def test_a_run_that_never_began_has_done_no_iterations_and_no_host_is_told(place, project):
    shutil.rmtree(project / "results" / "demo")
    with lease(place.runs.run(K2).lease, "k=2"):
        state = report(place).sections["state"]
    assert "0 / 400" in state
    assert "300 / 400" not in state
    assert socket.gethostname() not in state.split()


def test_the_page_is_headed_by_the_test_images_too(project):
    seen = report(workplace("paper", None, project / "runs"))
    assert "coco_2014_train (tested on coco_2014_minival)" in seen.sections[""]
    assert "None" not in seen.sections[""]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every folder")
def test_a_colleagues_folder_is_as_if_it_were_not_here(place):
    paths = place.runs.run(K2)
    paths.folder.mkdir(parents=True)
    paths.folder.chmod(0)
    try:
        assert "32.95" in report(place).sections["table-0"]
    finally:
        paths.folder.chmod(0o700)


def test_the_same_page_is_the_same_text(place):
    from harness.report.page import render_page
    from harness.reporting.content import gather

    page = gather(place)
    assert render_page(page) == render_page(page)
