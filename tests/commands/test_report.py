"""`harness report`: what it shows of whatever there is, and that it says what there is not."""

import json
import shutil
import subprocess
import sys
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
    path, _ = write_report(place)
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
    assert "harness submit --site local --scale demo" in seen.sections["curves"]
    assert "the run's folder is not here" in seen.sections["evidence"]


def test_the_page_loads_nothing_from_elsewhere(place):
    assert {address.partition(":")[0] for address in report(place).loads if address[0] != "#"} == {
        "data"
    }


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
    assert f"{path} is not whole JSON" in seen.sections["state"]
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
