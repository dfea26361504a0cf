"""`harness table`: a table of what was collected, as text."""

from harness.errors import HarnessError
from harness.grid.grid import CONTOUR_COLUMNS
from harness.workplace import Workplace


def print_table(
    place: Workplace, name: str, format: str, *, best: bool, honest: bool, boundary: bool
) -> None:
    """Print the table `name`.

    Args:
        place: where its numbers are.
        name: an experiment's.
        format: "md", "latex", "csv" or "html".
        best: mark the best and the second best also where the paper does not.
        honest: mark all that cannot be told from the best.
        boundary: with the columns of `CONTOUR_COLUMNS`.

    Raises:
        HarnessError: there is no such table or format, or two rules of marking were asked for.
    """
    from harness.rebuild import table_text
    from harness.report.emphasis import Emphasis

    if best and honest:
        raise HarnessError("--emphasis and --honest are two rules of marking. Give one of them.")
    emphasis = Emphasis.HONEST if honest else Emphasis.BEST if best else Emphasis.PAPER
    text = table_text(
        place.known_grid(place.experiment_names),
        name,
        place.results,
        place.published,
        format=format,
        emphasis=emphasis,
        more_columns=CONTOUR_COLUMNS if boundary else (),
    )
    print(text, end="")
