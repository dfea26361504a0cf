"""What `harness benchmark` has measured: files in the runs folder, which is one cluster's."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.errors import ResultsError, SpecError
from harness.files import read_json, write_json
from harness.grid.spec import RunSpec, spec_from_json
from harness.paths import RunsFolder

SCHEMA = 1


@dataclass(frozen=True)
class Spread:
    """Of what was measured `number` times: the median, the quartiles around it, and the mean.

    A training's length is its iterations times the mean; the median tells better what is usual.
    """

    number: int
    median: float
    low: float
    high: float
    mean: float


@dataclass(frozen=True, kw_only=True)
class Measured:
    """Times in seconds, of one iteration in the process of rank 0.

    Attributes:
        started_from: the weights, in words.
        iteration: one as a whole, of those that were measured undisturbed.
        data_wait: of the same, how long the process that waited longest did so for its batch.
        parts: by name, of other iterations in which the device was waited for at each border
            between two parts. Their means add up to that of `parts_iteration`.
        parts_iteration: of those, one as a whole.
        exchange: by how much an iteration is longer than one that exchanges no gradients, taken
            from pairs of neighbours; None for one process.
        mask_rois: RoIs for which a mask is trained, mean over images; None where it is not told.
        peak_memory_gb: of the process that takes most (1 GB is 10**9 bytes): allocated by torch
            on a GPU, or resident on a CPU.
    """

    started_from: str
    iteration: Spread
    data_wait: Spread
    parts: Mapping[str, Spread]
    parts_iteration: Spread
    exchange: Spread | None
    mask_rois: float | None
    peak_memory_gb: float


@dataclass(frozen=True, kw_only=True)
class Benchmark:
    """What was measured, of which run, and on what.

    Attributes:
        spec: the run.
        measured: how long its iterations take.
        device: the GPU's name, or "CPU".
        host: where.
        versions: of what computes, by package.
        date: the day, as 2026-11-24.
    """

    spec: RunSpec
    measured: Measured
    device: str
    host: str
    versions: Mapping[str, str]
    date: str
    schema: int = SCHEMA


def write_benchmark(runs: RunsFolder, benchmark: Benchmark) -> None:
    """Write it down in place of an earlier one of the same run."""
    write_json(runs.benchmark(benchmark.spec.run_id), asdict(benchmark))


def read_benchmarks(runs: RunsFolder) -> tuple[Benchmark, ...]:
    """All benchmarks of a runs folder, oldest first.

    Raises:
        ResultsError: a file is damaged, or of another version of harness.
    """
    found = []
    for path in runs.all_benchmarks():
        way_out = f"Delete it, or give `harness benchmark {path.stem}` again: it is written anew."
        value = read_json(path, way_out)
        try:
            found.append(_benchmark(value))
        except (KeyError, TypeError, ValueError, SpecError) as error:
            raise ResultsError(f"{path} is no benchmark ({error}). {way_out}") from error
    return tuple(sorted(found, key=lambda benchmark: benchmark.date))


def fitting(spec: RunSpec, benchmarks: Iterable[Benchmark]) -> Benchmark | None:
    """The benchmark that tells how long an iteration of `spec` takes; None where none does.

    It is of the same model, precision, number of GPUs and images on each. Of several, one with
    the same loss goes first, then one on the same data, then the newest.
    """
    fits = [one for one in benchmarks if _pace(one.spec) == _pace(spec)]
    return max(
        fits,
        key=lambda one: (
            one.spec.loss == spec.loss,
            (one.spec.train_split, one.spec.data_dir) == (spec.train_split, spec.data_dir),
            one.date,
        ),
        default=None,
    )


def _pace(spec: RunSpec) -> tuple[object, ...]:
    """What an iteration's length depends on, but for loss and data, which move it little."""
    return (
        spec.architecture,
        spec.scale,
        spec.semantic_branch,
        spec.precision,
        spec.num_gpus,
        spec.total_batch_size,
    )


def _benchmark(value: Mapping[str, Any]) -> Benchmark:
    if value["schema"] != SCHEMA:
        raise ValueError(f"schema {value['schema']!r}; this harness reads {SCHEMA}")
    measured = value["measured"]
    exchange = measured["exchange"]
    spreads = {name: _spread(measured[name]) for name in ("iteration", "data_wait")}
    benchmark = Benchmark(
        **{
            **value,
            "spec": spec_from_json(value["spec"]),
            "measured": Measured(
                **{
                    **measured,
                    **spreads,
                    "parts": {name: _spread(part) for name, part in measured["parts"].items()},
                    "parts_iteration": _spread(measured["parts_iteration"]),
                    "exchange": None if exchange is None else _spread(exchange),
                }
            ),
        }
    )
    if not benchmark.measured.iteration.mean > 0:
        raise ValueError(f"an iteration takes {benchmark.measured.iteration.mean} s")
    if not all(isinstance(text, str) for text in (benchmark.device, benchmark.date)):
        raise ValueError("device or date is no text")
    return benchmark


def _spread(value: Mapping[str, Any]) -> Spread:
    spread = Spread(**value)
    if not all(math.isfinite(number) for number in (spread.median, spread.mean)):
        raise ValueError(f"{spread} is not finite")
    return spread
