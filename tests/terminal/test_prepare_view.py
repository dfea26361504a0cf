"""What people read of their data."""

from pathlib import Path

import pytest

from harness.data.findings import Finding
from harness.terminal.prepare_view import show_findings, show_to_fetch

COCO = Path("/data/coco")


@pytest.fixture
def printed(console):
    """A function from a view and its arguments to the lines it prints at 80 columns."""

    def lines(show, *arguments) -> list[str]:
        show(*arguments, console)
        return console.file.getvalue().splitlines()

    return lines


def test_each_finding_has_a_mark_and_its_faults_and_notes_below(printed):
    long = "/data/coco/train2017/000000000025.jpg: image file is truncated. " + "Copy it again." * 5
    lines = printed(
        show_findings,
        [
            Finding("[a].json", "469,785,474 bytes, 118,287 images"),
            Finding("b.json", "7 bytes, 2 images", notes=("7 bytes, COCO's own has 8",)),
            Finding("train2017", "118,287 images", (long, "another fault")),
        ],
    )
    assert lines == [
        "✓ [a].json: 469,785,474 bytes, 118,287 images",
        "– b.json: 7 bytes, 2 images",
        "    7 bytes, COCO's own has 8",
        "✗ train2017: 118,287 images",
        f"    {long}",
        "    another fault",
        "1 in order, 1 to look at, 1 wrong.",
    ]


def test_where_nothing_is_looked_at_it_is_said_why(printed):
    assert printed(show_findings, []) == ["Nothing to look at: harness draws this data itself."]


def test_the_commands_have_a_line_each_below_the_size_of_all(printed):
    # val2017 is 0.8 GB, its annotations 0.25.
    lines = printed(show_to_fetch, ["val2017", "annotations/instances_val2017.json"], COCO)
    assert lines[1] == "To fetch what is missing or damaged, 1.1 GB to download:"
    assert [line.startswith("mkdir -p /data/coco && cd /data/coco") for line in lines[2:]] == [
        True,
        True,
    ]


def test_what_no_archive_holds_is_named(printed):
    assert printed(show_to_fetch, ["stuffthingmaps/train2014"], COCO) == [
        "No archive is known for /data/coco/stuffthingmaps/train2014: copy it there."
    ]
