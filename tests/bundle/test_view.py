"""What is told of a bundle, in words."""

import json

from harness.terminal.bundle_view import failure, verification_lines
from tests.bundle.conftest import content_of, verified


def with_manifest(bundle, **changes):
    manifest = json.loads(content_of(bundle, "manifest.json")) | changes
    return {"manifest.json": json.dumps(manifest).encode()}


def without_readme(bundle, made_with):
    """Of a bundle whose README.md was lost, and which was made with these versions."""
    members = json.loads(content_of(bundle, "manifest.json"))["members"]
    del members["README.md"]
    return {"README.md": None} | with_manifest(bundle, members=members, made_with=made_with)


def test_versions_are_called_the_same_only_where_all_are_told(table2, sent):
    here = json.loads(content_of(table2, "manifest.json"))["made_with"]
    others = {"harness", "pandas", "matplotlib"}
    for made_with, why in (
        (here, "It was made with the versions that are here, so it was changed, or its harness "),
        (
            {name: version for name, version in here.items() if name not in others},
            "Of these the bundle, or this installation, tells no version: harness, pandas, matpl",
        ),
        (
            {name: "0" if name == "pandas" else here[name] for name in here if name != "numpy"},
            f"Versions differ, which may be why: pandas 0 there and {here['pandas']} here. Of",
        ),
        ({**here, "commit": "unknown"}, "Of these the bundle, or this installation, tells no"),
    ):
        told = failure(verified(sent(without_readme(table2, made_with), adapted=False)), "b.zip")
        assert told.startswith(
            f"b.zip: not what harness makes of the runs in it, or has here: README.md. {why}"
        )


def test_each_kind_of_file_has_a_line_and_the_numbers_add_up(table2):
    verification = verified(table2)
    lines = list(verification_lines(verification))
    [files] = [int(line.split()[0]) for line in lines if "files: as they were" in line]
    of_kinds = [line for line in lines[2:] if not line.startswith("not in it")]
    numbers = [line.split()[0] for line in of_kinds]
    assert sum(int(number) if number.isdigit() else 1 for number in numbers) == files
    assert "4 experiments: not compared, and never executed: the tables are in grid.json" in lines
    assert "1 predictions: the ones that were scored" in lines


def test_a_manifest_with_endless_words_does_not_flood_the_terminal(table2, sent):
    words = "word " * 100
    changes = with_manifest(
        table2,
        results=words,
        made_with={"harness": words, "pandas": words},
        left_out={f"{words}{n}/{words}": f"{n} {words}" for n in range(1000)},
    )
    lines = list(verification_lines(verified(sent(changes, adapted=False))))
    assert len(lines) < 30
    assert max(map(len, lines)) < 600
    assert lines[-1] == "not in it, for 990 more reasons: see its manifest.json"
