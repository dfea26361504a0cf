"""What stands behind a row of a table, in words: for the report, and for `harness explain`."""

import math
from collections.abc import Iterator

import pandas as pd

from harness.report.notes import MISSING

Fact = tuple[str, str]  # what it is, and what is known; a text may have several lines

COMMIT_LETTERS = 12
NO_FOLDER = "not known: the run's folder is not here, or may not be read"
NOT_COLLECTED = "none collected"


def facts(line: pd.Series) -> Iterator[Fact]:
    """What is known of one run.

    Args:
        line: of `harness.collect.evidence.evidence_frame`.
    """
    yield "run", f"{line['run_id']}, seed {line['seed']}"
    yield "base", str(line["base"]) or "none"
    yield "recipe", str(line["recipe"])
    if not line["collected"]:
        yield "numbers", NOT_COLLECTED
        yield "attempts", _attempts(line)
        return
    yield "code", _code(line)
    yield "annotations (sha256)", str(line["annotations"])
    yield "order of training images", f"sha256 {line['order_hash']}"
    yield "evaluator", str(line["evaluator"]) or "not scored yet"
    yield "error bars", _text(line["draws"]) or "none: its test images were not drawn anew"
    yield "environment", str(line["environment"])
    yield "GPU-hours", f"{line['gpu_hours']:.3g}, and its base's {_hours(line['base_gpu_hours'])}"
    yield "attempts", _attempts(line)


def _code(line: pd.Series) -> str:
    commit = _text(line["commit"])[:COMMIT_LETTERS] or "a commit that it does not say"
    base = _text(line["base_commit"])[:COMMIT_LETTERS]
    told = f"commit {commit}" + (f", its base's {base}" if base not in ("", commit) else "")
    return told + (", with changes that no commit holds" if line["uncommitted"] is True else "")


def _attempts(line: pd.Series) -> str:
    if _text(line["attempts"]):
        return str(line["attempts"])
    return "none yet" if _text(line["run_folder"]) else NO_FOLDER


def _hours(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) and not math.isnan(value) else MISSING


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
