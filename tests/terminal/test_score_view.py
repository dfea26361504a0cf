"""An evaluation as people read it, at 80 columns."""

import math
from dataclasses import replace

import pytest

from harness.evaluation import Evaluation
from harness.records import EXTENDED_METRICS
from harness.terminal.score_view import show_scores


def aps(ap: float) -> dict[str, float]:
    return dict.fromkeys(EXTENDED_METRICS, ap)


def evaluation(**categories: float) -> Evaluation:
    return Evaluation(
        task="segm",
        evaluator="hotcoco 1.3.0",
        images=5000,
        objects=36_335,
        crowds=1,
        detections=0,
        ap=aps(37.125),
        per_category={name.replace("_", " "): aps(ap) for name, ap in categories.items()},
    )


def shown(evaluation, console) -> list[str]:
    show_scores([evaluation], console)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    return [" ".join(line.split()) for line in lines]


def test_the_whole_comes_first_then_the_categories_from_the_best_to_the_unknown(console):
    some = evaluation(cat=20, ant=math.nan, baseball_glove=100, dog=20, bee=0)
    assert shown(some, console) == [
        "COCO AP of masks, in percent points",
        "5,000 images · 36,335 objects · 1 crowd · 0 detections",
        "evaluator: hotcoco 1.3.0",
        "",
        "category AP AP50 AP75 APs APm APl AP80 AP90",
        "all" + 8 * " 37.12",
        "baseball glove" + 8 * " 100.00",
        "cat" + 8 * " 20.00",
        "dog" + 8 * " 20.00",
        "bee" + 8 * " 0.00",
        "ant" + 8 * " n/a",
        "",
        "n/a: no object of that category and size.",
    ]


def test_boundary_ap_stands_below_the_masks_as_a_table_of_its_own(console):
    masks = evaluation(cat=20)
    boundaries = replace(masks, task="boundary", evaluator="harness 0.1.0", ap=aps(12.5))
    show_scores([masks, boundaries], console)
    lines = [" ".join(line.split()) for line in console.file.getvalue().splitlines()]
    first, second = lines[: len(lines) // 2], lines[len(lines) // 2 + 1 :]
    assert lines[len(first)] == ""
    assert first[0] == "COCO AP of masks, in percent points"
    assert second == [
        "Boundary AP of masks, in percent points",
        first[1],
        "evaluator: harness 0.1.0",
        *first[3:5],
        "all" + 8 * " 12.50",
        "cat" + 8 * " 20.00",
    ]


def test_nothing_is_said_of_what_is_missing_where_nothing_is(console):
    assert "n/a" not in " ".join(shown(evaluation(cat=20), console))


def test_half_an_emoji_or_a_command_to_the_terminal_in_a_name_is_shown_as_a_question_mark(console):
    lines = shown(evaluation(**{"cat\ud83d\x1b": 100, "dog": 20}), console)
    "\n".join(lines).encode()  # as a terminal gets it
    assert lines[6] == "cat??" + 8 * " 100.00"


@pytest.mark.parametrize("name", ["a long name of a category that a user has chosen", "[red]x"])
def test_names_of_users_are_shown_whole_and_numbers_stay_whole(console, name):
    lines = shown(evaluation(**{name: 100}), console)
    assert "".join(line.replace(" ", "") for line in lines).count("100.00") == 8
    letters = "".join(lines).replace("100.00", "").replace(" ", "")
    assert name.replace(" ", "") in letters
