"""Errors for the person at the terminal: printed in one piece without traceback, exit code 2.

Each message says what is wrong with which value, what is allowed, and what to do next. A wrong call
in code is a plain `ValueError` instead.
"""

import difflib
from collections.abc import Iterable


class HarnessError(Exception):
    """Something the user can mend."""


class SpecError(HarnessError):
    """A run or an experiment asks for something that does not exist or cannot be."""


class DataError(HarnessError):
    """Images, annotations or ImageNet weights are missing or damaged."""


class DownloadError(HarnessError):
    """A file cannot be fetched, or is not the one that was asked for."""


class CheckpointError(HarnessError):
    """A checkpoint is missing, cut short, or of another run."""


class WarmStartError(CheckpointError):
    """A fine-tune cannot start from its base run."""


class NoBaseError(WarmStartError):
    """A fine-tune was started before its base was trained: nothing is wrong with either."""


class TrainingError(HarnessError):
    """A training stopped because going on would be worthless."""


class ResultsError(HarnessError):
    """A file that a run left behind cannot be read or does not fit the others."""


class BundleError(HarnessError):
    """A bundle is damaged, or not what harness makes of the runs in it."""


class LaunchError(HarnessError):
    """A run cannot be started here and now."""


class NodeError(LaunchError):
    """A machine that cannot train; another may."""


def unknown(kind: str, value: str, known: Iterable[str]) -> str:
    """The sentence for a name that does not exist: what was asked, the nearest name, all names.

    Args:
        kind: what the names are, singular: "model".
        value: the name that was asked for.
        known: the names that exist.
    """
    names = sorted(known)
    kinds = f"{kind}es" if kind.endswith("s") else f"{kind}s"
    near = difflib.get_close_matches(value, names, n=1)
    hint = f" Did you mean {near[0]!r}?" if near else ""
    return f"Unknown {kind} {value!r}.{hint} Known {kinds}: {', '.join(names)}."
