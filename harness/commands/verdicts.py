"""`harness verdicts`: what became of the paper's differences and claims by our runs."""

from collections.abc import Sequence

from harness.errors import HarnessError
from harness.workplace import Workplace


def print_verdicts(place: Workplace, names: Sequence[str], format: str) -> None:
    """Print the differences of some tables and, in Markdown, the claims that are about them.

    Args:
        place: where they lie.
        names: of tables; where none is named, those that are published or have runs.
        format: "md", "latex", "csv" or "html".

    Raises:
        HarnessError: there is no such table or format, or no difference in a table or in any.
        ResultsError: a file is damaged or missing, or does not fit the others of its table.
    """
    from harness.rebuild import has_claims, read_claims, read_differences
    from harness.report.claims_table import TABLES
    from harness.report.claims_text import render_claims
    from harness.report.difference_formats import render_differences

    grid = place.known_grid(place.experiment_names if names else None)
    found = [
        read_differences(grid, name, place.results, place.published)
        for name in dict.fromkeys(names or grid.layouts)
    ]
    for one in found:
        if names and one.frame.empty:
            raise HarnessError(
                f"Table {one.name!r} has no differences: they are of a row with a loss against one "
                "with NO_LOSS. Add such rows to its experiment, or name another table."
            )
    told = [one for one in found if names or one.published or one.has_runs]
    if not told:
        raise HarnessError(
            f"Nothing to judge in {place.results.folder}: no table is published, and none has runs "
            "with numbers. Give `harness submit`, then `harness collect`."
        )
    print(render_differences(told, format), end="")
    if format == "md" and set(TABLES) <= {one.name for one in told} and has_claims(grid):
        print()
        print(render_claims(read_claims(grid, place.results, place.published), format), end="")
