"""`harness benchmark`: how long an iteration of a run takes here, and which parts of it."""

from harness.commands.messages import tell
from harness.grid.spec import RunSpec
from harness.launch.benchmark import benchmark as measure
from harness.terminal.benchmark_view import show_benchmark
from harness.workplace import Workplace


def benchmark(spec: RunSpec, place: Workplace, iterations: int) -> None:
    """Measure `spec`, print what was found, and say where it is written.

    Raises:
        HarnessError: the run cannot be trained here.
    """
    show_benchmark(measure(spec, place.runs, iterations))
    tell(f"{place.runs.benchmark(spec.run_id)}: read by `harness plan`.")
