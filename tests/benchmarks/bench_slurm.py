"""What a grid on Slurm costs: 1,000 runs planned, submitted, looked at; a job's way to training.

Aim: `status` on 1,000 runs under 1 s besides Slurm's own time, and one sbatch for each array. The
first two parts use commands that only play Slurm, the last a real Slurm on this machine; where that
is not installed it is left out.

Command:   python tests/benchmarks/bench_slurm.py
"""

import io
import itertools
import json
import os
import shlex
import statistics
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console

from harness.grid import Cell, Grid, Layout, Setting, contour, finetune, table_grid
from harness.grid.plan import make_plan
from harness.grid.spec import RunSpec, identity_of
from harness.launch.prepare_data import prepare_data
from harness.launch.status import statuses_json
from harness.paths import RunsFolder
from harness.records import (
    METRICS,
    TASKS,
    Begin,
    Metrics,
    Outcome,
    read_begin,
    write_begin,
    write_metrics,
    write_outcome,
)
from harness.slurm import commands, sbatch, submit
from harness.slurm.look import look
from harness.slurm.seen import look_at
from harness.slurm.site import Site, load_site
from harness.slurm.submissions import read_submission
from harness.terminal.live import show_status

ROOT = Path(__file__).parents[2]
FAKE = ROOT / "tests" / "slurm" / "fake" / "slurm.py"
COMMANDS = ("sbatch", "squeue", "sacct", "scancel", "scontrol", "srun")
BASES, FINETUNES = 8, 124  # of each base: 1,000 runs together
ROUNDS = 5
JOBS = 3
JOB_TIMEOUT_S = 120.0
LOOK_EVERY_S = 0.01


def main() -> None:
    """Print one line for each thing measured."""
    with tempfile.TemporaryDirectory() as folder, fake_slurm(Path(folder)) as calls:
        runs = RunsFolder(Path(folder, "runs"))
        grid = big_grid(runs, BASES, FINETUNES)
        prepare_data(grid.runs.values(), runs.checked)
        slurm = OwnTime()
        bench_submit(grid, runs, slurm, calls)
        bench_status(grid, runs, slurm)
    bench_jobs()


def big_grid(runs: RunsFolder, bases: int, finetunes: int) -> Grid:
    """Fine-tunes that differ in the weight of their loss, on bases that differ in their seed."""
    shapes = runs.data("shapes")
    cells = [
        Cell(
            "bench",
            f"{seed}/{weight}",
            finetune(
                Setting(scale="demo", shapes_dir=shapes, seed=seed),
                "mask_rcnn_R50_FPN",
                contour(weight=weight),
            ),
            {"Method": ""},
        )
        for seed in range(bases)
        for weight in range(1, finetunes + 1)
    ]
    return table_grid("bench", Layout("Benchmark.", ("Method", "mAP")), cells)


@contextmanager
def fake_slurm(folder: Path) -> Iterator[Callable[[], list[str]]]:
    """Slurm's commands as the tests play them, on PATH; yields what was called until now."""
    commands, state, before = folder / "bin", folder / "cluster.json", os.environ["PATH"]
    commands.mkdir()
    for name in COMMANDS:
        words = [sys.executable, "-I", "-S", str(FAKE), str(state), name]
        (commands / name).write_text(f'#!/bin/sh\nexec {shlex.join(words)} "$@"\n')
        (commands / name).chmod(0o755)
    os.environ["PATH"] = f"{commands}{os.pathsep}{before}"
    try:
        yield lambda: [call[0] for call in json.loads(state.read_text())["calls"]]
    finally:
        os.environ["PATH"] = before


class OwnTime:
    """Counts the seconds in which Slurm's commands, and not harness, are at work."""

    def __init__(self) -> None:
        self.slurm_s = 0.0
        commands.call = sbatch.call = self._timed(commands.call)

    def of(self, work: Callable[[], object]) -> tuple[float, float]:
        """Seconds of `work` besides Slurm's commands, and of those."""
        self.slurm_s, begun = 0.0, time.perf_counter()
        work()
        return time.perf_counter() - begun - self.slurm_s, self.slurm_s

    def _timed(self, command: Callable[..., Any]) -> Callable[..., Any]:
        def timed(*words: Any, **options: Any) -> Any:
            begun = time.perf_counter()
            try:
                return command(*words, **options)
            finally:
                self.slurm_s += time.perf_counter() - begun

        return timed


def bench_submit(
    grid: Grid, runs: RunsFolder, slurm: OwnTime, calls: Callable[[], list[str]]
) -> None:
    """The plan of 1,000 runs, their submission, and the same once more."""
    site = Site(name="bench", gpus_per_node=4, cpus_per_gpu=2, time_limit_min=60)
    print(f"{len(grid.runs):,} runs on {BASES} bases           harness    Slurm's commands")

    def line(what: str, own_s: float, slurm_s: float, more: str = "") -> None:
        print(f"  {what:<30} {own_s:7.2f} s {slurm_s:7.2f} s{more}")

    line("plan", *slurm.of(lambda: make_plan(grid, runs)))
    for what in ("submit", "submit again: nothing new"):
        before = calls() if what != "submit" else []
        seconds = slurm.of(lambda: submit.submit(grid, runs, site, dirty=True))
        new = calls()[len(before) :]
        counted = ", ".join(f"{new.count(name)} {name}" for name in COMMANDS if name in new)
        line(what, *seconds, f"   {counted}")


def bench_status(grid: Grid, runs: RunsFolder, slurm: OwnTime) -> None:
    """Where half of 1,000 runs are done, a quarter was tried, and all others are queued."""
    for number, spec in enumerate(grid.runs.values()):
        if number % 4 < 3:
            attempted(runs, spec)
        if number % 4 < 2:
            finished(runs, spec)

    def as_table() -> None:
        console = Console(file=io.StringIO(), width=80)
        show_status(grid, runs, seen, console)

    def as_json() -> None:
        json.dumps(statuses_json(grid, runs, seen()))

    seen = look_at(grid, runs)

    for what, work in {"status": as_table, "status --json": as_json}.items():
        seconds = [slurm.of(work) for _ in range(ROUNDS)]
        own_s, slurm_s = (statistics.median(part) for part in zip(*seconds, strict=True))
        print(f"  {what:<30} {own_s:7.2f} s {slurm_s:7.2f} s")


def attempted(runs: RunsFolder, spec: RunSpec) -> None:
    """What two attempts leave, with 100 logged iterations."""
    paths = runs.run(spec.run_id)
    for number in (1, 2):
        first_word = Begin(host="node1", pid=1, started_at=time.time() - 60, iteration=0)
        write_begin(paths.attempt(number).begin, first_word)
        outcome = Outcome(ended="interrupted", error="", seconds=60.0, trained_s=50.0)
        write_outcome(paths.attempt(number).outcome, outcome)
    first = spec.first_iteration
    lines = (
        json.dumps({"iteration": first + done, "loss_mask": 0.5, "lr": 0.02, "total_loss": 1.5})
        for done in range(1, 101)
    )
    paths.metrics_log.write_text("\n".join(lines) + "\n")


def finished(runs: RunsFolder, spec: RunSpec) -> None:
    """What a run that is done leaves."""
    paths = runs.run(spec.run_id)
    paths.checkpoints.mkdir()
    with zipfile.ZipFile(paths.checkpoint(spec.last_iteration), "w") as file:
        file.writestr("weights", b"")
    scores = {task: dict.fromkeys(METRICS, 34.281572) for task in TASKS}
    write_metrics(
        paths.metrics,
        Metrics(
            run_id=spec.run_id,
            parent=None,
            spec=identity_of(spec),
            ap={} if spec.stage == "base" else scores,
            annotations={},
            order_hash="",
            evaluator="",
            environment={},
            gpu_hours=0.1,
        ),
    )


def bench_jobs() -> None:
    """Seconds from sbatch to the first iteration of a base, one job at a time, by part."""
    sys.path.insert(0, str(ROOT))  # slurm/ is no part of the installed package
    from slurm.devcluster.cluster import private_cluster
    from slurm.devcluster.settings import DevclusterError, for_this_machine

    try:
        with private_cluster(for_this_machine()) as cluster:
            before = dict(os.environ)
            os.environ |= cluster.environment
            try:
                parts = [job_parts(cluster.folder / f"job{number}") for number in range(JOBS)]
            finally:
                os.environ.clear()
                os.environ |= before
    except DevclusterError as error:
        print(f"A job's way to its first iteration was not measured: {error}")
        return
    print(f"one job on a free node, {JOBS} rounds      median      max")
    for name in parts[0]:
        own = [one[name] for one in parts]
        print(f"  {name:<34} {statistics.median(own):6.2f} s {max(own):6.2f} s")


def job_parts(folder: Path) -> dict[str, float]:
    """Seconds of each part of the way of one job, which is cancelled after its first iteration."""
    folder.mkdir()
    runs, stamps = RunsFolder(folder / "runs"), {name: folder / name for name in ("batch", "task")}
    grid = big_grid(runs, bases=1, finetunes=1)
    spec = next(iter(grid.runs.values()))
    site = load_site("devcluster", ROOT / "slurm").model_copy(
        update={
            "setup": [f"date +%s.%N > {stamps['batch']}"],
            # Between srun and Python: says when, and becomes what follows.
            "container": ["sh", "-c", f'date +%s.%N > {stamps["task"]}; exec "$@"', "sh"],
        }
    )
    given = submit.submit(grid, runs, site, dirty=True, only=[spec.run_id])
    opened_s, logged_s = wait_for_log(runs, spec)
    commands.output_of(["scancel", *given.arrays])
    paths = runs.run(spec.run_id)
    submission = read_submission(runs.all_submissions()[0])
    begin = read_begin(paths.attempt(1).begin)
    at_s = {
        "sbatch": submission.created_at,
        "Slurm: to the batch script": float(stamps["batch"].read_text()),
        "srun": float(stamps["task"].read_text()),
        "Python, harness, code checked": begin.started_at,
        "torch, detectron2 imported": paths.environment.stat().st_mtime,
        "data and model": opened_s,
        "first iteration": logged_s,
    }
    times = list(at_s.values())
    took_s = [end - start for start, end in itertools.pairwise(times)]
    whole = {"from the batch script's start": times[-1] - times[1]}
    return dict(zip(list(at_s)[1:], took_s, strict=True)) | whole


def wait_for_log(runs: RunsFolder, spec: RunSpec) -> tuple[float, float]:
    """When the training opened its log, and when the first iteration stood in it."""
    log = runs.run(spec.run_id).metrics_log
    give_up_s = time.time() + JOB_TIMEOUT_S
    opened_s = 0.0
    while time.time() < give_up_s:
        if log.exists():
            opened_s = opened_s or time.time()
            if log.stat().st_size:
                return opened_s, time.time()
        time.sleep(LOOK_EVERY_S)
    state = look({spec.run_id: spec}, runs).states[spec.run_id]
    printed = [path.read_text() for path in sorted(runs.submissions.glob("h-*/*_log.*"))]
    raise TimeoutError(f"No iteration in {JOB_TIMEOUT_S:.0f} s: {state}\n{''.join(printed)}")


if __name__ == "__main__":
    main()
