"""`harness figure`: which figures there are, what each shows and refuses, and where it lands."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from harness.commands.figure import FIGURES, _of_examples, _of_runs, write_figure
from harness.data.coco import TRAIN_2014
from harness.errors import DataError, HarnessError, SpecError
from harness.illustrate.figures import OF_EXAMPLES
from harness.paths import ResultsFolder
from harness.report.figures import FIGURES as OF_NUMBERS
from harness.shapes import write_shapes
from harness.workplace import workplace
from tests.data.small_coco import write_coco
from tests.illustrate.look import images_of, words_of
from tests.illustrate.two_runs import TwoRuns

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def own(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("data") / "own"
    write_shapes(folder, train_images=30, val_images=1)
    return folder


@pytest.fixture
def at(tmp_path):
    """A function that makes the workplace of a scale and data, all of it in an empty folder."""

    def make(scale="paper", data=None):
        here = workplace(scale, data, tmp_path / "runs")
        return replace(here, results=ResultsFolder(tmp_path / "results" / scale))

    return make


@pytest.fixture
def project(tmp_path) -> Path:
    """A project folder with the paper's experiments and its numbers, and nothing else."""
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    (tmp_path / "results").mkdir()
    (tmp_path / "results" / "published").symlink_to(ROOT / "results" / "published")
    return tmp_path


def harness(project: Path, *arguments: str) -> subprocess.CompletedProcess:
    environment = {"HARNESS_RUNS": str(project / "runs"), "DETECTRON2_DATASETS": str(project)}
    return subprocess.run(
        [sys.executable, "-c", "from harness.cli import main; main()", *arguments],
        capture_output=True,
        text=True,
        cwd=project,
        env=os.environ | environment,
    )


def test_a_figure_of_drawn_shapes_needs_neither_runs_nor_data(project):
    done = harness(project, "figure", "fig2")
    assert done.returncode == 0, done.stderr
    figures = project / "results" / "paper" / "figures"
    assert done.stdout.split() == [str(figures / "fig2.pdf"), str(figures / "fig2.png")]
    assert (figures / "fig2.pdf").read_bytes().startswith(b"%PDF")
    assert (figures / "fig2.png").read_bytes().startswith(b"\x89PNG")
    assert not (project / "runs").exists()


def test_images_are_named_one_by_one(project, own):
    chosen = ("--scale", "demo", "--data", str(own))
    done = harness(project, "figure", "fig3", "--images", "14", "--images", "30", *chosen)
    assert done.returncode == 0, done.stderr
    assert (project / "results" / "demo-own" / "figures" / "fig3.pdf").exists()
    done = harness(project, "figure", "fig3", "--images", "99", *chosen)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("DataError: Unknown image 99: ")
    assert "It lists 30 images, among them: 1, 2, 3, 4, 5, ..." in done.stderr


def test_every_figure_of_examples_has_its_name():
    assert drawn_by(_of_examples) == list(OF_EXAMPLES)


def test_every_figure_of_numbers_has_its_name():
    assert drawn_by(_of_runs) == list(OF_NUMBERS)


def drawn_by(function):
    return [name for name, draw in FIGURES.items() if draw is function]


def test_figure_7_draws_the_shapes_that_the_demo_trains_on(at):
    here = at("demo")
    assert "training images of the drawn shapes with 2 to 8" in words_of(
        FIGURES["fig7"](here, "", ())
    )
    paths = write_figure(here, "fig7", ())
    assert [path.name for path in paths] == ["fig7.pdf", "fig7.png"]
    assert all(path.exists() for path in paths)
    folder = here.setting.shapes_dir
    assert (folder / "annotations" / "instances_train.json").exists()


def test_figure_7_shows_images_of_ones_own_folder_in_the_order_given(at, own):
    figure = FIGURES["fig7"](at("demo", own), "fig7", [30, 14])
    words = words_of(figure)
    assert "Training images of own, chosen by their ids." in words
    assert words.index("image 30") < words.index("image 14")
    with pytest.raises(DataError, match=r"^Image 6 of .* has no object that is no crowd"):
        write_figure(at("demo", own), "fig7", [6])


def test_figure_9_shows_what_two_runs_predicted_on_test_images(tmp_path):
    two = TwoRuns(tmp_path)
    paths = write_figure(two.place, "fig9", [2])
    assert [path.name for path in paths] == ["fig9.pdf", "fig9.png"]
    assert all(path.exists() for path in paths)


def test_without_coco_figure_7_says_where_it_was_looked_for_and_what_fetches_it(at, monkeypatch):
    monkeypatch.setenv("DETECTRON2_DATASETS", "/no/such/folder")
    for name, image_ids in (("fig7", ()), ("fig2", (9,))):
        message = "coco_2014_train is not here: /no/such/folder/coco/.* `harness prepare` prints"
        with pytest.raises(DataError, match=message):
            write_figure(at(), name, image_ids)


def test_images_of_coco_are_found_in_its_own_layout(at, monkeypatch, tmp_path):
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    write_coco(tmp_path / "coco", TRAIN_2014)
    words = words_of(FIGURES["fig7"](at(), "fig7", [9, 25]))
    assert "Training images of coco_2014_train, chosen by their ids." in words
    # One triangle fills its box up to the diagonal.
    figure = FIGURES["fig4"](at(), "fig4", [30])
    assert "Mask of person (largest object of image 30)" in words_of(figure)
    assert images_of(figure)[0].mean() == pytest.approx(0.5, abs=0.03)


def test_annotations_of_coco_that_are_damaged_are_told(at, monkeypatch, tmp_path):
    coco = tmp_path / "coco"
    (coco / "annotations").mkdir(parents=True)
    (coco / "train2014").mkdir()
    (coco / "annotations" / "instances_train2014.json").write_text(json.dumps({})[:-1])
    monkeypatch.setenv("DETECTRON2_DATASETS", str(tmp_path))
    with pytest.raises(DataError, match=r"instances_train2014\.json: cut short or damaged"):
        write_figure(at(), "fig7", ())


@pytest.mark.parametrize(
    ("name", "image_ids", "message"),
    [
        (
            "fig1",
            (),
            r"^Unknown figure 'fig1'\. Did you mean 'fig\d'\? Known figures: fig2, fig3, ",
        ),
        ("fig8", (9,), r"^fig8 is drawn from the numbers of runs and shows no images\. Leave --im"),
        ("fig5", (9, 25), r"^fig5 has room for one image, and --images was given 2 times\. Name f"),
        ("fig3", range(5), r"^fig3 has room for 4 images, and --images was given 5 times\."),
        ("fig9", range(7), r"^fig9 has room for 6 images, and --images was given 7 times\."),
        ("fig9", (), r"^Run (\w{8}) is not scored: .* Next: `harness run \1 --scale paper "),
        ("fig7", range(13), r"^fig7 has room for 12 images, and --images was given 13 times\."),
    ],
)
def test_what_a_figure_cannot_show_is_refused(at, name, image_ids, message):
    with pytest.raises(HarnessError, match=message):
        write_figure(at(), name, image_ids)


@pytest.mark.parametrize("name", ["fig2", "fig7"])
def test_an_unknown_scale_is_refused_before_anything_is_written(at, name, tmp_path):
    with pytest.raises(SpecError, match=r"^Unknown scale 'dmeo'\. Did you mean 'demo'\?"):
        write_figure(at("dmeo"), name, ())
    assert not (tmp_path / "results").exists()
