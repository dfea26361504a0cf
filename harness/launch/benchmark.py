"""`harness benchmark`: one process for each GPU of a run, started here; what they measured."""

import multiprocessing
import os
import socket
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import FIRST_EXCEPTION, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from harness.errors import LaunchError
from harness.grid.benchmarks import Benchmark, write_benchmark
from harness.grid.loss_functions import refuse_without_function
from harness.grid.next_command import command
from harness.grid.spec import RunSpec
from harness.launch.environment import PACKAGES, describe_device, package_version
from harness.launch.error_class import class_of
from harness.launch.prepare_data import prepare_data
from harness.launch.ready import refuse_without_detectron2
from harness.launch.train_and_score import silence_libraries
from harness.paths import RunsFolder
from harness.records import End
from harness.stop import PeerLost


def benchmark(spec: RunSpec, runs: RunsFolder, iterations: int) -> Benchmark:
    """Measure how long an iteration of `spec` takes here, and write it down in `runs`.

    Args:
        spec: the run; its own folder is left as it is.
        runs: where its folder and its base's lie, if they are there.
        iterations: how many to measure undisturbed, at least 2.

    Raises:
        LaunchError: it cannot be trained here.
        HarnessError: what would stop its training.
    """
    refuse_without_detectron2()
    refuse_without_function([spec])
    prepare_data([spec], runs.checked)
    found = _by_processes(spec, runs, iterations)
    write_benchmark(runs, found)
    return found


def _by_processes(spec: RunSpec, runs: RunsFolder, iterations: int) -> Benchmark:
    # New processes, also a single one: torch, its memory and its GPUs are then those of a job.
    context = multiprocessing.get_context("spawn")
    with (
        tempfile.TemporaryDirectory(prefix="harness-") as folder,
        ProcessPoolExecutor(spec.num_gpus, context, initializer=_end_with_parent) as pool,
    ):
        meeting = Path(folder) / "meeting"
        futures = [
            pool.submit(_measure, rank, spec, runs, meeting, iterations)
            for rank in range(spec.num_gpus)
        ]
        try:
            for future in wait(futures, return_when=FIRST_EXCEPTION).done:
                future.result()
            return futures[0].result()
        except (BrokenProcessPool, PeerLost) as error:
            raise LaunchError(
                f"A process of the benchmark of run {spec.run_id} was killed, as happens where "
                "the memory of the machine or of the job is full. Ask for more, then give the same "
                "command again."
            ) from error
        finally:
            # Leaving the pool waits for all, and one whose peers are gone waits for them for long.
            for process in multiprocessing.active_children():
                process.terminate()


def _end_with_parent() -> None:
    """Let this process end when the one that has started it does, however that ends.

    It would go on and keep its GPU.
    """
    parent = multiprocessing.parent_process()

    def watch() -> None:
        if parent is not None:
            parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def _measure(
    rank: int, spec: RunSpec, runs: RunsFolder, meeting: Path, iterations: int
) -> Benchmark:
    """What one process measures; all say the same of the run as a whole."""
    sys.stdout = sys.stderr  # what libraries print is no data
    silence_libraries()
    from harness.detection.device import gpus_here
    from harness.detection.processes import process_group
    from harness.detection.throughput import measure

    device = describe_device()
    _refuse_few_gpus(spec, runs, gpus_here())
    with memory_told(spec), process_group(rank, spec.num_gpus, rank, meeting):
        measured = measure(spec, runs, iterations, _tell)
    return Benchmark(
        spec=spec,
        measured=measured,
        device=device.get("gpu", "CPU"),
        host=socket.gethostname(),
        versions={name: found for name in PACKAGES if (found := package_version(name))},
        date=datetime.now(UTC).date().isoformat(),
    )


@contextmanager
def memory_told(spec: RunSpec) -> Iterator[None]:
    """Tell a lack of memory in the block as what it is to the person at the terminal.

    Raises:
        LaunchError: there was not enough.
    """
    try:
        yield
    except Exception as error:
        if class_of(error) not in (End.OUT_OF_MEMORY, End.OUT_OF_GPU_MEMORY):
            raise
        images = spec.total_batch_size // spec.num_gpus
        raise LaunchError(
            f"Run {spec.run_id} needs more memory than there is here, with images per GPU: "
            f"{images}. Give the command where there is more. It said: {error}"
        ) from error


def _refuse_few_gpus(spec: RunSpec, runs: RunsFolder, there: int) -> None:
    # At demo scale runs are trained on CPUs where there are no GPUs.
    if there >= spec.num_gpus or (there == 0 and spec.scale == "demo"):
        return
    gpus = f"{spec.num_gpus} GPU{'s' if spec.num_gpus > 1 else ''}"
    raise LaunchError(
        f"Run {spec.run_id} trains on {gpus}, and torch sees {there} on {socket.gethostname()}. "
        f"Give the command on a node that has them, as in an interactive job: srun --nodes=1 "
        f"--gpus-per-node={spec.num_gpus} --cpus-per-task=N --pty "
        f"{command(f'benchmark {spec.run_id}', spec, runs.folder)} (slurm/README.md)."
    )


def _tell(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
