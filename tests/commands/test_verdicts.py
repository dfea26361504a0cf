"""`harness verdicts`: which tables it tells of, and when it tells of claims."""

import csv
import io
from pathlib import Path

import pytest

from harness.commands.verdicts import print_verdicts
from harness.errors import HarnessError
from harness.grid.spec import identity_of
from harness.records import METRICS, Metrics, write_metrics
from harness.workplace import Workplace, workplace

ROOT = Path(__file__).parents[2]
CLAIMS = "**The paper's claims in words"
OWN = """
from harness.grid import NO_LOSS, Cell, Layout, contour, finetune, table_grid

NAME = "own"

def grid(setting):
    losses = {LOSSES}
    cells = [
        Cell(NAME, row, finetune(setting, "mask_rcnn_R50_FPN", loss), {"Method": row})
        for row, loss in losses.items()
    ]
    return table_grid(NAME, Layout("Ours.", ("Method", "mAP")), cells)
"""


def write_own(folder: Path, losses: str) -> None:
    (folder / "own.py").write_text(OWN.replace("{LOSSES}", losses))


@pytest.fixture
def project(tmp_path, monkeypatch) -> Path:
    """A project with the paper's experiments, of which nothing is trained."""
    (tmp_path / "experiments").mkdir()
    for file in (ROOT / "experiments").glob("*.py"):
        (tmp_path / "experiments" / file.name).symlink_to(file)
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "published").symlink_to(ROOT / "results" / "published")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def place_of(project: Path) -> Workplace:
    return workplace("demo", None, project / "runs")


def leave_metrics(place: Workplace, table: str, **ap: float) -> None:
    """Metrics of rows of a table, each with one AP for all metrics."""
    for cell in place.known_grid(place.experiment_names).rows(table):
        if cell.row in ap:
            metrics = Metrics(
                run_id=cell.spec.run_id,
                parent=None,
                spec=identity_of(cell.spec),
                ap={"segm": dict.fromkeys(METRICS, ap[cell.row])},
                annotations={},
                order_hash="",
                evaluator="pycocotools 2.0.10",
                environment={},
                gpu_hours=0.1,
            )
            write_metrics(place.results.metrics(cell.spec.run_id), metrics)


def told(place: Workplace, capsys, *names: str, format: str = "md") -> str:
    print_verdicts(place, names, format)
    return capsys.readouterr().out


def captions(text: str) -> list[str]:
    """The first words of what stands in bold above each part."""
    return [line[2:].split(".")[0] for line in text.splitlines() if "Each row minus its" in line]


def test_by_default_the_published_tables_are_told_and_then_the_claims(project, capsys):
    text = told(place_of(project), capsys)
    assert captions(text) == [
        "The impact of different values of k on mask accuracy (%)",
        "Performance comparison of different loss functions (%)",
        "Performance comparison of different instance segmentation algorithms (%)",
    ]
    assert text.index("**HTC+contour − HTC**") < text.index(CLAIMS)


def test_where_a_table_is_named_it_is_told_alone(project, capsys):
    text = told(place_of(project), capsys, "table2", "table2")
    assert captions(text) == ["Performance comparison of different loss functions (%)"]
    assert CLAIMS not in text
    assert CLAIMS in told(place_of(project), capsys, "table3", "table2", "table1")


def test_a_table_of_ones_own_is_told_once_it_has_runs(project, capsys):
    write_own(project / "experiments", '{"plain": NO_LOSS, "loss": contour(k=2, weight=2.0)}')
    place = place_of(project)
    assert "loss − plain" not in told(place, capsys)
    leave_metrics(place, "own", plain=20.0, loss=20.5)
    text = told(place, capsys)
    assert "**loss − plain**" in text
    assert "| mAP    | +0.50 |" in text


def test_seeds_and_draws_of_images_are_told_apart(place, score, capsys):
    # 0.2, 0.3 and 0.4: standard error 0.1 / √3. The draws move both rows alike, so images add
    # nothing. t with 2 degrees of freedom is 4.303: 0.3 ± 0.248.
    score("table1/baseline", 30.0, 30.0, 30.0)
    score("table1/k=2", 30.2, 30.3, 30.4)
    text = told(place, capsys, "table1")
    assert "| mAP         | +0.30 | [+0.05, +0.55] |    0.06 |     0.00 |   3 |     +0.26 |" in text
    assert "| Boundary AP | +0.30 | [+0.05, +0.55] |    0.06 |     0.00 |   3 |         — |" in text
    assert "seeds 0, 1, 2; not COCO numbers." in text


def test_csv_of_several_tables_is_one_table_without_claims(project, capsys):
    text = told(place_of(project), capsys, format="csv")
    lines = list(csv.DictReader(io.StringIO(text)))
    assert next(iter(lines[0])) == "table"
    # 6, 3 and 4 comparisons in 6 metrics.
    counted = [sum(line["table"] == f"table{n}" for line in lines) for n in (1, 2, 3)]
    assert counted == [36, 18, 24]
    assert len(lines) == 78


@pytest.mark.parametrize("format", ["latex", "html"])
def test_other_formats_have_the_differences_of_all_tables(project, capsys, format):
    text = told(place_of(project), capsys, format=format)
    assert [text.count(f"table{n}_differences") > 0 for n in (1, 2, 3)] == [True] * 3


def test_a_table_without_a_baseline_says_what_it_lacks(project):
    write_own(project / "experiments", '{"loss": contour(k=2)}')
    message = "Table 'own' has no differences: they are of a row with a loss against one with NO_"
    with pytest.raises(HarnessError, match=message):
        print_verdicts(place_of(project), ["own"], "md")


def test_a_project_in_which_nothing_is_published_or_trained_says_so(project):
    for file in (project / "experiments").iterdir():
        file.unlink()
    write_own(project / "experiments", '{"plain": NO_LOSS, "loss": contour(k=2)}')
    with pytest.raises(HarnessError, match=r"Nothing to judge in .*none has runs with numbers"):
        print_verdicts(place_of(project), [], "md")
