"""Which code made a row of a table: that of its run, and that of the base it started from.

`losses_code`, `detection_code`: hashes of the files under harness/losses and harness/detection, as
"run base"; "" where there are no numbers, or one of the two was made before hashes were recorded.
`commit`: of the run, with its base's where that is another; "" where neither says.
`uncommitted`: whether one of the two was made with changes that no commit holds.
"""

from harness.records import Metrics

PARTS = {"losses_code": "harness/losses", "detection_code": "harness/detection"}
COMMIT_LETTERS = 8


def code_columns(run: Metrics | None, base: Metrics | None) -> dict[str, object]:
    """The four columns of one row.

    Args:
        run: what the row's run says of itself; None where it has no numbers.
        base: the same of its base, of itself where it has none; None where that is not collected.
    """
    if run is None:
        return {**dict.fromkeys(PARTS, ""), "commit": "", "uncommitted": False}
    environments = (run.environment, base.environment if base else {})
    hashes = {part: [found.get(part, "") for found in environments] for part in PARTS}
    own, bases = (found.get("commit", "")[:COMMIT_LETTERS] for found in environments)
    return {
        **{part: " ".join(both) if all(both) else "" for part, both in hashes.items()},
        "commit": own if bases in (own, "") else f"{own or 'unknown'}, base {bases}",
        "uncommitted": any(found.get("uncommitted_changes") == "yes" for found in environments),
    }
