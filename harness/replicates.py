"""replicates.json.gz: a run's AP in draws of the test images, and the metrics that it adds.

Every run on the same test images has the same draws, so any two can be compared draw by draw
without their predictions: error bars rebuild from a clone. 30 kB a run.
"""

import gzip
import json
import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from harness.errors import ResultsError
from harness.files import replacing, unpacked
from harness.records import EXTENDED_METRICS, METRICS, Metrics

SCHEMA = 1
REPLICATED_TASKS = ("segm", "boundary")
DECIMALS = 3  # of AP points: a hundredth of what matters
APART = 1e-6  # AP points: more than two evaluators differ by where they score the same file


@dataclass(frozen=True, kw_only=True)
class Replicates:
    """A run on the test images as they are, and in draws of them with replacement.

    Attributes:
        run_id: of the run.
        annotations: sha256 of the ground truth.
        results: sha256 of the results file.
        drawn: sha256 of how often each image stands in each draw. Runs with another one cannot be
            compared draw by draw.
        evaluator: name and version of what computed this.
        ap: by task ("segm", "boundary") and metric (EXTENDED_METRICS), in percent points; None
            without ground truth.
        draws: the same in each draw.
    """

    run_id: str
    annotations: str
    results: str
    drawn: str
    evaluator: str
    ap: Mapping[str, Mapping[str, float | None]]
    draws: Mapping[str, Mapping[str, tuple[float | None, ...]]]
    schema: int = SCHEMA

    def drawn_values(self, task: str, metric: str) -> npt.NDArray[np.float64]:
        """The metric in each draw, NaN without ground truth."""
        return np.array(self.draws[task][metric], np.float64)  # None becomes NaN


def belong(replicates: Replicates, metrics: Metrics, test_split: str | None) -> bool:
    """Whether replicates are of the predictions and annotations that a run's metrics are of."""
    recorded, ours = metrics.ap.get("segm", {}), replicates.ap["segm"]
    return metrics.annotations.get(str(test_split)) == replicates.annotations and all(
        _is_same(recorded.get(name), ours[name]) for name in METRICS
    )


def _is_same(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return one is other
    return abs(one - other) < APART


def by_metric(columns: npt.NDArray[np.float64], decimals: int) -> dict[str, list[float | None]]:
    """Columns of EXTENDED_METRICS as JSON holds them: rounded, NaN as None."""
    return {
        metric: [None if math.isnan(value) else value for value in column.round(decimals).tolist()]
        for metric, column in zip(EXTENDED_METRICS, columns.T, strict=True)
    }


def write_replicates(path: Path, replicates: Replicates, *, shared: bool = False) -> None:
    """Write replicates.json.gz: the same replicates give the same bytes.

    Args:
        path: of the file.
        replicates: what it holds.
        shared: whether folders made for it are open to all readers, as the umask says.
    """
    text = json.dumps(asdict(replicates), sort_keys=True, allow_nan=False, separators=(",", ":"))
    with replacing(path, shared=shared) as temporary:
        temporary.write_bytes(gzip.compress(text.encode(), mtime=0))


def read_replicates(path: Path, run_id: str) -> Replicates:
    """The replicates of `run_id` in `path`.

    Raises:
        ResultsError: the file is missing, damaged, of another run, or of another schema.
    """
    way_out = f"Delete it and give `harness collect` where the predictions of run {run_id} are."
    try:
        value = json.loads(unpacked(path.read_bytes()))
    except (OSError, ValueError, RecursionError) as error:
        raise ResultsError(f"{path} cannot be read ({error}). {way_out}") from error
    if not isinstance(value, dict) or value.get("schema") != SCHEMA:
        raise ResultsError(f"{path} is no file of replicates of schema {SCHEMA}. {way_out}")
    try:
        replicates = Replicates(**value)
        whole = _is_whole(replicates)
    except (TypeError, KeyError, AttributeError, ValueError) as error:
        raise ResultsError(f"{path} is no file of replicates ({error!r}). {way_out}") from error
    if not whole:
        raise ResultsError(f"{path} lacks draws of some metric. {way_out}")
    if replicates.run_id != run_id:
        raise ResultsError(f"{path} is of run {replicates.run_id}, not {run_id}. {way_out}")
    return replicates


def _is_whole(replicates: Replicates) -> bool:
    """Whether there is a number, or None, for each task, metric and draw."""
    columns = [
        (replicates.ap[task][metric], replicates.drawn_values(task, metric))
        for task in REPLICATED_TASKS
        for metric in EXTENDED_METRICS
    ]
    lengths = {column.shape for _, column in columns}
    numbers = all(value is None or math.isfinite(value) for value, _ in columns)
    return numbers and len(lengths) == 1 and all(len(shape) == 1 for shape in lengths)
