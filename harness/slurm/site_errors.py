"""What is wrong in a site file: with file, line and key, out of the parsers' own errors."""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from harness.errors import unknown

# What is allowed, for the kinds of pydantic's errors.
WORDS = {
    "int_type": "a whole number",
    "float_type": "a number",
    "finite_number": "a number",
    "bool_type": "true or false",
    "string_type": "a text in quotes",
    "list_type": "a list of texts in [ ]",
    "dict_type": "a table [sbatch]",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "{ge} or more",
    "less_than_equal": "{le} or less",
    "literal_error": "{expected}",
}


def not_toml(path: Path, text: str, error: str) -> str:
    """The sentence for a file that tomllib cannot read, out of its error."""
    found = re.search(r"at line (\d+)", error)
    number = int(found[1]) if found else max(1, len(text.splitlines()))
    lines = text.splitlines()
    line = lines[number - 1] if number <= len(lines) else ""
    key = line.partition("=")[0].strip() if "=" in line else ""
    if "Cannot overwrite" in error:
        return f"{path}:{number}: {key or line.strip()}: given twice. Leave one of the two lines."
    return (
        f"{path}:{number}: {f'{key}: ' if key else ''}this is not TOML: {error}. "
        "Texts stand in quotes, lists in [ ], as in slurm/example-4gpu.toml."
    )


def wrong_value(path: Path, text: str, error: dict[str, Any], known: Iterable[str]) -> str:
    """`file:line: key: what is wrong`, out of one of pydantic's errors.

    Args:
        path: the site file.
        text: what it holds.
        error: one of `ValidationError.errors()`.
        known: the keys of a site file.
    """
    where, kind = [str(one) for one in error["loc"]], error["type"]
    if not where:  # of keys that do not fit together
        key, why = error["ctx"]["error"].args
        line = line_of(text, key.split(".", 1)) or line_of(text, ["time_limit_min"])
        return f"{path}:{line}: {key}: {why}."
    keys = where[: 2 if where[0] == "sbatch" else 1]
    if kind == "missing":
        return f"{path}: {keys[0]} is missing. Add a line `{keys[0]} = ...`: see slurm/README.md."
    place = f"{path}:{line_of(text, keys)}: {'.'.join(keys)}"
    if kind == "extra_forbidden":
        return f"{place}: {unknown('key', keys[0], known)}"
    given = error["input"]
    shown = str(given).lower() if isinstance(given, bool) else repr(given)  # as TOML writes it
    return f"{place} = {shown}: allowed is {_allowed(where, error)}."


def _allowed(where: list[str], error: dict[str, Any]) -> str:
    if where[0] == "sbatch" and error["type"] in WORDS and len(where) > 2:
        return "a text in quotes, a number, true or false"
    told = WORDS.get(error["type"], str(error["msg"]).removeprefix("Value error, "))
    if error["type"] == "int_type" and where[0].endswith("_min"):
        told += " of minutes"
    return told.format(**error.get("ctx", {}))


def line_of(text: str, keys: list[str]) -> int | None:
    """The line, from 1, of a key, or of a key in a table; of the table where it has none."""
    table, nearest = "", None
    for number, line in enumerate(text.splitlines(), start=1):
        if heading := re.match(r"\s*\[\s*([^\[\]]+?)\s*\]\s*(#|$)", line):
            table = heading[1].strip("\"'")
            nearest = number if table == keys[0] else nearest
        elif name := re.match(r"\s*([\w\s.\"'-]+?)\s*=", line):
            words = [word.strip(" \"'") for word in name[1].split(".")]
            full = [table, *words] if table else words
            if full == keys:
                return number
            nearest = number if full[0] == keys[0] and nearest is None else nearest
    return nearest
