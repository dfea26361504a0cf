"""Which code made a row of a table: that of its run, and that of the base it started from.

`losses_code`, `detection_code`: hashes of the files under harness/losses and harness/detection, as
"run base"; "" where there are no numbers, or one of the two was made before hashes were recorded.
`commit`: of the run, with its base's where that is another; "" where neither says.
`uncommitted`: whether one of the two was made with changes that no commit holds.
"""

from collections.abc import Iterable, Sequence

from harness.records import Metrics

PARTS = {"losses_code": "harness/losses", "detection_code": "harness/detection"}
COMMIT_LETTERS = 8


Made = tuple[Metrics, Metrics | None]  # a run and its base, where that is collected


def code_columns(made: Sequence[Made]) -> dict[str, object]:
    """The four columns of one row; what differs between its seeds is named one after the other.

    Args:
        made: each seed's run with numbers and its base (the run itself where it has none).
    """
    of_seeds = [_of_seed(run, base) for run, base in made]
    columns: dict[str, object] = {
        part: _joined([one[part] for one in of_seeds]) if all(one[part] for one in of_seeds) else ""
        for part in PARTS
    }
    environments = [one.environment for pair in made for one in pair if one]
    return columns | {
        "commit": _joined([one["commit"] for one in of_seeds]),
        "uncommitted": any(found.get("uncommitted_changes") == "yes" for found in environments),
    }


def _of_seed(run: Metrics, base: Metrics | None) -> dict[str, str]:
    environments = (run.environment, base.environment if base else {})
    hashes = {part: [found.get(part, "") for found in environments] for part in PARTS}
    own, bases = (found.get("commit", "")[:COMMIT_LETTERS] for found in environments)
    return {
        **{part: " ".join(both) if all(both) else "" for part, both in hashes.items()},
        "commit": own if bases in (own, "") else f"{own or 'unknown'}, base {bases}",
    }


def _joined(texts: Iterable[str]) -> str:
    return "; ".join(dict.fromkeys(filter(None, texts)))
