"""Takes out of a page where things lie on the machine that made it: it is to be sent away."""

from html import escape

from harness.workplace import Workplace


def without_places(page: str, place: Workplace) -> str:
    """The page with paths as seen from the project, and the runs folder by its name.

    Args:
        page: HTML.
        place: where it was made.
    """
    project, runs = place.results.folder.parents[1], place.runs.folder
    # The longer first: one may lie in the other.
    for path, name in sorted({f"{project}/": "", str(runs): runs.name}.items(), reverse=True):
        page = page.replace(escape(path), escape(name))
    return page
