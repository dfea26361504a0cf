"""What a job executes: one run, from its spec.json to its metrics.json."""

import sys
from collections.abc import Callable
from contextlib import AbstractContextManager, ExitStack, nullcontext
from dataclasses import dataclass
from pathlib import Path

from harness.errors import NoBaseError, ResultsError, SpecError
from harness.files import read_json
from harness.grid.losses import newest_revision
from harness.grid.next_command import command, submit_here
from harness.grid.spec import (
    DATA_REVISION,
    RECIPE_REVISION,
    RunSpec,
    base_of,
    spec_from_json,
)
from harness.grid.state import is_done, is_trained, last_failure
from harness.launch.attempt import (
    JobName,
    new_attempt,
    output_into_files,
    recorded,
    recorded_beside,
    settle_killed,
)
from harness.launch.signals import signals_end_in_order
from harness.launch.train_and_score import silence_libraries, train_and_score
from harness.lease import lease
from harness.paths import AttemptPaths, RunPaths, RunsFolder

# On a CPU a training takes one core. Set before torch is loaded: later it does not look.
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1")

Output = Callable[[AttemptPaths], AbstractContextManager[None]]


@dataclass(frozen=True, kw_only=True)
class Task:
    """Which process of a Slurm job this one is.

    Attributes:
        job: of which it is a part.
        rank: its number among the processes that train the run together; 0 leads.
        processes: how many these are.
        local_rank: its number on its node, which is that of its GPU.
        meeting: a file in which rank 0 says where they meet.
        on_gpu: whether it must not train on a CPU.
    """

    job: JobName
    rank: int
    processes: int
    local_rank: int
    meeting: Path
    on_gpu: bool


@dataclass(frozen=True, kw_only=True)
class _Way:
    """How an attempt is made, by where it is made.

    Attributes:
        output: where what it prints goes.
        signals: what signals do.
        job: the Slurm job, if any.
        on_gpu: whether it must not be made on a CPU.
        wait_s: for another holder of the run's lease.
        tell: the other processes, whether they are to train beside this one.
        leave: called between training and scoring, which this process does alone.
    """

    output: Output
    signals: Callable[[], AbstractContextManager[None]] = signals_end_in_order
    job: JobName | None = None
    on_gpu: bool = False
    wait_s: float = 0.0
    tell: Callable[[bool], object] = lambda go: None
    leave: Callable[[], None] = lambda: None


def execute(folder: Path) -> None:
    """The run in `folder` as a job: its output goes into the files of its attempt.

    Raises:
        HarnessError: the run cannot be trained or scored; the attempt's outcome says so too.
    """
    _attempt(folder, _Way(output=output_into_files))


def execute_in_job(folder: Path, task: Task, wait_s: float) -> None:
    """The run in `folder` as one process of a Slurm job; what signals do is left to the caller.

    The process of rank 0 holds the lease, writes the run's files and scores; the others train
    beside it, or end at once if it finds the run done. What they print stays in Slurm's files.

    Args:
        folder: of the run.
        task: which process this is.
        wait_s: how long to wait for another holder of the run's lease.

    Raises:
        HarnessError: the run cannot be trained or scored; the attempt's outcome says so too.
    """
    with ExitStack() as group:
        agree: Callable[[bool], bool] = bool
        if task.processes > 1:
            silence_libraries()
            from harness.detection import processes

            agree = processes.agree
            group.enter_context(
                processes.process_group(task.rank, task.processes, task.local_rank, task.meeting)
            )
        if task.rank > 0:
            _train_beside(folder, agree)
            return
        way = _Way(
            output=output_into_files,
            signals=nullcontext,
            job=task.job,
            on_gpu=task.on_gpu,
            wait_s=wait_s,
            tell=agree,
            leave=group.close,
        )
        _attempt(folder, way)


def run_here(folder: Path) -> None:
    """The run in `folder` in the foreground: its output stays on the terminal.

    Raises:
        HarnessError: the run cannot be trained or scored; the attempt's outcome says so too.
    """
    _attempt(folder, _Way(output=lambda attempt: nullcontext()))


def read_spec(paths: RunPaths) -> RunSpec:
    """The spec of the run in `paths.folder`.

    Raises:
        ResultsError: spec.json is missing, damaged, or of another run.
    """
    way_out = "Give `harness submit --site local` with the scale of the run: it is written anew."
    spec = spec_from_json(read_json(paths.spec, way_out))
    if spec.run_id != paths.folder.name:
        raise ResultsError(f"{paths.spec} is of run {spec.run_id}. {way_out}")
    return spec


def _attempt(folder: Path, way: _Way) -> None:
    paths = RunPaths(folder.resolve())
    spec = read_spec(paths)
    with lease(paths.lease, f"Run {spec.run_id}", way.wait_s):
        if is_done(spec, paths):
            way.tell(False)
            return
        if not is_trained(spec, paths):
            _refuse_other_code(spec, paths)
        paths.remove_temporaries()
        settle_killed(paths)
        attempt = new_attempt(paths, way.job)
        if way.job is not None:
            # Divides Slurm's file, which goes on over restarts: the aftermath reads what follows.
            print(attempt.folder, file=sys.stderr, flush=True)
        with recorded(attempt, way.signals) as clock, way.output(attempt):
            try:
                _refuse_without_base(spec, RunsFolder(paths.folder.parent))
            except NoBaseError:
                way.tell(False)
                raise
            way.tell(True)
            train_and_score(spec, paths, clock, on_gpu=way.on_gpu, leave=way.leave)


def _train_beside(folder: Path, agree: Callable[[bool], bool]) -> None:
    paths = RunPaths(folder.resolve())
    spec = read_spec(paths)
    if not agree(False):  # the first process decides, whatever the others say
        return
    attempt = paths.last_attempt()
    with recorded_beside(attempt) if attempt else nullcontext():
        from harness.detection.train import train

        train(spec, paths, RunsFolder(paths.folder.parent))


def _refuse_without_base(spec: RunSpec, runs: RunsFolder) -> None:
    # Slurm takes a job that was cancelled before its start for one that needs no waiting for.
    base = base_of(spec)
    if base is None or is_trained(base, runs.run(base.run_id)):
        return
    if runs.run(spec.run_id).newest_iteration():  # it goes on from a checkpoint of its own
        return
    failure = last_failure(runs.run(base.run_id))
    raise NoBaseError(
        f"Run {spec.run_id} starts from base {base.run_id}, which is not trained"
        f"{f' (it failed: {failure})' if failure else ''}. Next: "
        f"{command(f'run {base.run_id}', base, runs.folder)}, or the command that submitted both."
    )


def _refuse_other_code(spec: RunSpec, paths: RunPaths) -> None:
    for part, own, here in (
        ("recipe", spec.recipe_revision, RECIPE_REVISION),
        ("data", spec.data_revision, DATA_REVISION),
        ("losses", spec.loss.revision, newest_revision(spec.loss.name)),
    ):
        if own != here:
            submit = submit_here(spec, paths.folder.parent, spec.seed + 1)
            raise SpecError(
                f"Run {spec.run_id} is of {part} revision {own}, this harness has {here}. New code "
                f"trains nothing under an old id. Next: `{submit}`, which makes a new run."
            )
