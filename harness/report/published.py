"""The numbers printed in the paper, from one CSV file a table.

The files hold them to the digit: `61.00` and `37.7` say how precisely each was printed.
"""

import csv
import re
from pathlib import Path

import pandas as pd

from harness.errors import ResultsError
from harness.grid.grid import METRIC_COLUMNS
from harness.records import METRICS

ROW = "row"
DECIMALS = "decimals"
AP_VALUE = re.compile(r"\d{1,2}\.(\d{1,2})", re.ASCII)


def read_published(folder: str | Path, table: str) -> pd.DataFrame:
    """The published numbers of one table.

    Args:
        folder: where `<table>.csv` lies.
        table: the experiment's NAME: "table1", "table2" or "table3".

    Returns:
        A frame indexed by row: text columns (Method, k, ...) as in the file, the metrics AP to APl
        as floats, and `decimals`, how many of them the row is printed with.

    Raises:
        ResultsError: the file is missing or damaged.
    """
    path = Path(folder) / f"{table}.csv"
    lines = _read_lines(path)
    header = lines[0] if lines else []
    if (
        header[:1] != [ROW]
        or tuple(name for name in header if name in METRIC_COLUMNS) != METRIC_COLUMNS
    ):
        raise ResultsError(
            f"{path}: its header is {','.join(header)!r}. Needed: {ROW} first and, in this order, "
            f"{', '.join(METRIC_COLUMNS)}. {_way_out(path)}"
        )
    records: dict[str, dict[str, object]] = {}
    for number, cells in enumerate(lines[1:], start=2):
        where = f"{path}: line {number}"
        if len(cells) != len(header):
            raise ResultsError(
                f"{where} has {len(cells)} cells, the header {len(header)}. {_way_out(path)}"
            )
        printed = dict(zip(header, cells, strict=True))
        row = printed.pop(ROW)
        if row in records:
            raise ResultsError(f"{where}: row {row!r} stands there twice. {_way_out(path)}")
        decimals = _decimals(where, [printed[name] for name in METRIC_COLUMNS], _way_out(path))
        values = [float(printed.pop(name)) for name in METRIC_COLUMNS]
        records[row] = {**printed, **dict(zip(METRICS, values, strict=True)), DECIMALS: decimals}
    if not records:
        raise ResultsError(f"{path}: has a header and no rows. {_way_out(path)}")
    return pd.DataFrame.from_dict(records, orient="index").rename_axis(ROW)


def as_printed(published: pd.DataFrame) -> pd.DataFrame:
    """The metrics of a published table, AP to APl, in the characters of the paper."""
    return published.apply(
        lambda row: pd.Series({name: f"{row[name]:.{int(row[DECIMALS])}f}" for name in METRICS}),
        axis=1,
    )


def _read_lines(path: Path) -> list[list[str]]:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return list(csv.reader(file, strict=True))
    except OSError as error:
        raise ResultsError(
            f"{path}: cannot be read ({error.strerror}). {_way_out(path)}"
        ) from error
    except (ValueError, csv.Error) as error:
        raise ResultsError(f"{path}: is not CSV text ({error}). {_way_out(path)}") from error


def _decimals(where: str, values: list[str], way_out: str) -> int:
    """How many decimals all of them are printed with."""
    matches = [AP_VALUE.fullmatch(value) for value in values]
    for name, value, match in zip(METRIC_COLUMNS, values, matches, strict=True):
        if match is None:
            raise ResultsError(
                f"{where}: {name} is {value!r}. Needed: percent points as printed, such as 34.28 "
                f"or 37.7. {way_out}"
            )
    found = {len(match[1]) for match in matches if match}
    if len(found) > 1:
        raise ResultsError(
            f"{where}: some of {', '.join(values)} have lost a digit. Needed: as many decimals in "
            f"the whole row, as in the paper. {way_out}"
        )
    return found.pop()


def _way_out(path: Path) -> str:
    return f"Restore it: git checkout -- {path}"
