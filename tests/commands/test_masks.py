"""`harness masks` as a user gives it: numbers on stdout, pictures in a folder."""

import sys

import pytest
from PIL import Image

from harness.cli import main
from tests.illustrate.two_runs import TwoRuns, detection

ROWS = ("table1/baseline", "table1/k=2")


@pytest.fixture
def two(tmp_path, monkeypatch):
    made = TwoRuns(tmp_path)
    monkeypatch.chdir(made.project)
    return made


@pytest.fixture
def masks(two, monkeypatch, capsys):
    """A function that gives the command and returns its exit code, stdout and stderr."""

    def call(*arguments: str) -> tuple[int, str, str]:
        folders = ("--data", str(two.data), "--runs", str(two.runs))
        monkeypatch.setattr(
            sys, "argv", ["harness", "masks", *arguments, "--scale", "demo", *folders]
        )
        code = 0
        try:
            main()
        except SystemExit as exit:
            code = int(exit.code or 0)
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return call


def folder_of(two):
    return two.place.results.masks(*(two.spec(row).run_id for row in ("baseline", "k=2")))


def test_each_object_of_the_worst_images_is_told_and_drawn(two, masks):
    code, out, _ = masks(*ROWS)
    assert code == 0
    lines = [" ".join(line.split()) for line in out.splitlines()]
    ids = [two.spec(row).run_id for row in ("baseline", "k=2")]
    assert lines[0] == f"A: table1/baseline · {ids[0]} B: table1/k=2 · {ids[1]}"
    assert "They differ in 2 of the 3 images that have objects." in lines[1]
    first, second = (lines.index(line) for line in lines if line.startswith("Image "))
    assert lines[first].startswith(
        "Image 3 (3.png): 1 object; change in Boundary IoU: size 100.0, "
    )
    assert lines[first + 3] == "1 cat 0.0 100.0 +100.0 0.0 100.0 +100.0 missed 0.20"
    assert lines[second + 3] == "1 cat 80.0 90.0 +10.0 53.2 57.4 +4.3 0.90 0.90"
    assert lines[-1] == str(folder_of(two))
    assert sorted(path.name for path in folder_of(two).iterdir()) == ["2.png", "3.png"]
    with Image.open(folder_of(two) / "3.png") as picture:
        assert picture.width == 1230


def test_worst_keeps_so_many_and_deletes_what_an_earlier_call_drew(two, masks):
    masks(*ROWS)
    (folder_of(two) / "notes.txt").write_text("mine")
    out = masks(*ROWS, "--worst", "1")[1]
    assert out.count("\nImage ") == 1
    assert sorted(path.name for path in folder_of(two).iterdir()) == ["3.png", "notes.txt"]


def test_runs_are_named_by_id_too_and_changes_turn_round_with_them(two, masks):
    ids = [two.spec(row).run_id for row in ("k=2", "baseline")]
    out = masks(*ids)[1]
    assert out.startswith(f"A: table1/k=2 · {ids[0]}   B: table1/baseline · {ids[1]}\n")
    assert "−100.0" in out


def test_where_nothing_differs_no_picture_is_drawn(two, masks):
    two.predict("k=2", [detection(1, (10, 10, 20, 20)), detection(2, (10, 10, 16, 20))])
    code, out, _ = masks(*ROWS)
    assert code == 0
    assert "They differ in 0 of the 3 images" in out
    assert not folder_of(two).exists()


def test_no_line_is_cut_or_folded_where_stdout_is_no_terminal(two, masks):
    two.category = "a category of a very long name, as some data sets have it " * 3
    two.write_data()
    two.predict("baseline", [])
    two.predict("k=2", [detection(1, (10, 10, 20, 20))])
    assert f"1  {two.category.strip()}" in masks(*ROWS)[1]


def test_names_steer_no_terminal(two, masks):
    two.category, two.suffix = "\x1b[2Jcat\nA: fake", "\x1b[1A.png"
    two.write_data()
    two.predict("baseline", [])
    two.predict("k=2", [detection(1, (10, 10, 20, 20))])
    out = masks(*ROWS)[1]
    assert "Image 1 (1?[1A.png)" in out
    assert "1  ?[2Jcat?A: fake" in out
    assert "\x1b" not in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((*ROWS, "--worst", "0"), "HarnessError: --worst 0: show at least 1 image.\n"),
        (("table1/baseline", "table1/k=9"), "Unknown run 'table1/k=9'. Did you mean"),
        (("table1/k=2", "table1/k=2"), "is named twice. Name two different runs."),
        (("table1/baseline", "base mask_rcnn_R50_FPN"), "is a base, which predicts nothing."),
        (("table1/baseline", "table1/k=3"), "is not scored: "),
    ],
)
def test_bad_input_is_one_clear_message_and_exit_2(masks, arguments, message):
    code, out, err = masks(*arguments)
    assert (code, out) == (2, "")
    assert message in err
    assert "Traceback" not in err


def test_an_image_that_is_gone_takes_neither_its_numbers_nor_other_pictures_away(two, masks):
    masks(*ROWS)
    (two.data / "val" / "3.png").unlink()
    code, out, err = masks(*ROWS)
    assert code == 2
    assert "Image 3 (3.png): 1 object; change" in out
    assert out.splitlines()[-1] == str(folder_of(two))
    assert [path.name for path in folder_of(two).iterdir()] == ["2.png"]
    assert err.startswith("DataError: Not drawn: Image 3 (3.png). ")
    assert "3.png (image 3 of own_val) cannot be read: No such file or directory. `harness" in err
