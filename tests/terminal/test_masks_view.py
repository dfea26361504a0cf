"""Changes of masks as people read them, at 80 columns."""

from harness.evaluation.changes import Found, ImageChange, ObjectChange
from harness.terminal.masks_view import show_changes

NAMES = ("table1/baseline · 11111111", "table1/k=2 · 22222222")


def change(image_id, *objects):
    return ImageChange(
        image_id,
        "cat.jpg",
        tuple(
            ObjectChange(number, category, number, a, b)
            for number, (category, a, b) in enumerate(objects)
        ),
    )


def test_a_long_category_is_folded_and_numbers_are_whole_in_80_columns(console):
    found = Found(0, 1.0, 100.0, 100.0)
    images = [change(7, ("[bold]hair drier 人" * 3, None, found), ("cat", found, None))]
    show_changes(NAMES, images, 20, "Selected so.", console)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= 80 for line in lines)
    text = " ".join(console.file.getvalue().split())
    assert "0.0 100.0 +100.0 0.0 100.0 +100.0 missed 1.00" in text
    assert "100.0 0.0 −100.0 100.0 0.0 −100.0 1.00 missed" in text
    assert "[bold]" in text


def test_the_mean_change_has_a_sign_and_its_size_none(console):
    # Changes -20 and +10: the size is 15, the mean -5.
    a, b = Found(0, 0.9, 90.0, 60.0), Found(0, 0.9, 90.0, 40.0)
    better = Found(0, 0.9, 90.0, 70.0)
    show_changes(NAMES, [change(3, ("cat", a, b), ("dog", a, better))], 1, "", console)
    text = " ".join(console.file.getvalue().split())
    assert "Image 3 (cat.jpg): 2 objects; change in Boundary IoU: size 15.0, mean −5.0" in text


def test_a_change_that_rounds_to_nothing_has_no_sign(console):
    a, b = Found(0, 0.9, 90.0, 60.0), Found(0, 0.9, 90.0, 59.99)
    show_changes(NAMES, [change(3, ("cat", a, b))], 1, "", console)
    assert "90.0 90.0 0.0 60.0 60.0 0.0" in " ".join(console.file.getvalue().split())
