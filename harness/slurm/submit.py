"""Giving a grid to Slurm: each run once, however often and from wherever it is asked for."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field, replace

from harness.errors import LaunchError
from harness.files import private_folder
from harness.grid.grid import Grid
from harness.grid.spec import RunSpec, base_of
from harness.grid.state import Cause, RunState, State
from harness.launch.ready import make_ready
from harness.launch.signals import signals_end_in_order
from harness.lease import lease
from harness.paths import RunsFolder
from harness.slurm.arrays import Array, make_arrays
from harness.slurm.batch_script import write_array_script
from harness.slurm.commands import SlurmError
from harness.slurm.control import cancel
from harness.slurm.jobs import Job
from harness.slurm.look import Look, look_with, undone_of
from harness.slurm.reconcile import Clock, find_array, reconcile
from harness.slurm.sbatch import SbatchError, send, waits_for
from harness.slurm.site import Site
from harness.slurm.snapshot import Snapshot, take_snapshot
from harness.slurm.submissions import Submission, new_sid, withdraw, write_submission
from harness.slurm.waiting import forget_waiting

HELD_BACK = frozenset((Cause.ERROR, Cause.OUT_OF_MEMORY))  # the next attempt would end like it
LAUNCHER_WAITS_S = 600.0
CLOCK = Clock()


@dataclass(frozen=True)
class Submitted:
    """What became of the runs that are not done, as ids in the order of the grid.

    Attributes:
        submitted: given to Slurm now.
        live: running or queued already, or trained outside Slurm.
        held: failed by a bug or for want of memory: `retry` alone tries them again.
        blocked: not readable, or their base does not go on.
        waiting: for which the queue has no room now: jobs that end give them to Slurm.
        arrays: job ids of what was submitted.
    """

    submitted: tuple[str, ...] = ()
    live: tuple[str, ...] = ()
    held: tuple[str, ...] = ()
    blocked: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    arrays: tuple[str, ...] = ()


@dataclass
class Choice:
    """What is to be done with each run that is not done.

    Attributes:
        specs: to be submitted, each base before its fine-tunes.
        doomed: waiting jobs whose base's job is gone: cancelled, for their runs are in `specs`.
    """

    specs: dict[str, RunSpec] = field(default_factory=dict)
    live: list[str] = field(default_factory=list)
    held: list[str] = field(default_factory=list)
    blocked: list[str] = field(default_factory=list)
    doomed: list[Job] = field(default_factory=list)


def submit(
    grid: Grid,
    runs: RunsFolder,
    site: Site,
    *,
    dirty: bool = False,
    only: Collection[str] | None = None,
    mem_gb: float | None = None,
    clock: Clock = CLOCK,
) -> Submitted:
    """Give every run of `grid` to Slurm that is not done, has no live job, and is not held back.

    Args:
        grid: the cells and runs asked for.
        runs: where the runs' folders are.
        site: the cluster.
        dirty: whether a tree with uncommitted changes may be submitted.
        only: the runs to submit, those held back included; by default all but those.
        mem_gb: memory of each run, where it is not the site's.
        clock: for tests.

    Raises:
        LaunchError: Slurm does not answer, the site cannot train these runs, or the tree is dirty:
            nothing was submitted. Or Slurm refused an array: the message says what was submitted,
            and the same call goes on from there.
        DataError: data is missing or damaged. Nothing was submitted.
    """
    specs = grid.runs
    private_folder(runs.submissions)
    what = f"A submission into {runs.folder}"
    with (
        signals_end_in_order(),
        lease(runs.submit_lock, what, wait_s=LAUNCHER_WAITS_S) as make_sure,
    ):
        runs.remove_temporaries()
        undone = undone_of(specs, runs)
        settled = reconcile(runs, undone, clock)
        seen = look_with(specs, runs, undone, settled.submissions, settled.answer)
        choice = choose(specs, seen, only=only)
        unwanted = (*settled.unwanted, *choice.doomed)
        live_total = settled.answer.live_total - len(unwanted)
        room = None if site.most_jobs is None else max(0, site.most_jobs - live_total)
        bases = _unfinished_bases(choice.specs, seen.states)
        arrays, waiting = make_arrays(choice.specs, unfinished_bases=bases, site=site, room=room)
        left = {run_id: choice.specs[run_id] for run_id in waiting}
        later, _ = make_arrays(left, unfinished_bases=bases, site=site, room=None)
        array_ids: list[str] = []
        if choice.specs:
            snapshot = take_snapshot(runs, dirty=dirty)
            make_ready(runs, choice.specs)
        cancel(unwanted)
        if choice.specs:
            forget_waiting(runs, choice.specs, "its runs were submitted anew")
            jobs = {run_id: job.job_id for run_id, job in seen.jobs.items() if job.live}
            giving = _Giving(runs, site, snapshot, mem_gb, clock, make_sure)
            array_ids = giving.give(arrays, jobs)
            giving.keep(later)
    submitted = {run_id for one in arrays for run_id in one.run_ids}
    return Submitted(
        submitted=tuple(run_id for run_id in specs if run_id in submitted),
        live=tuple(choice.live),
        held=tuple(choice.held),
        blocked=tuple(choice.blocked),
        waiting=waiting,
        arrays=tuple(array_ids),
    )


def choose(
    specs: Mapping[str, RunSpec],
    seen: Look,
    *,
    only: Collection[str] | None = None,
) -> Choice:
    """What is to be done with each run, by its state and its base's: a pure function."""
    choice = Choice()
    for run_id, spec in specs.items():
        now = seen.states[run_id]
        base = base_of(spec)
        base_id = base.run_id if base else ""
        if now.state is State.DONE:
            continue
        if now.state is State.RUNNING or (
            now.state is State.QUEUED and base_id not in choice.specs and run_id not in seen.waiting
        ):
            choice.live.append(run_id)
        elif now.state is State.BLOCKED and now.cause is not Cause.BASE:
            choice.blocked.append(run_id)
        elif now.cause in HELD_BACK and (only is None or run_id not in only):
            choice.held.append(run_id)
        elif base and not _base_goes_on(base_id, choice, seen):
            choice.blocked.append(run_id)
        elif only is None or run_id in only:
            choice.specs[run_id] = spec
            job = seen.jobs.get(run_id)
            if job and job.live:
                choice.doomed.append(job)
    return choice


def _base_goes_on(base_id: str, choice: Choice, seen: Look) -> bool:
    state = seen.states[base_id].state
    if state is State.DONE or base_id in choice.specs:
        return True
    # Only what has a job can be waited for: not a base that is trained outside Slurm.
    job = seen.jobs.get(base_id)
    return state in (State.RUNNING, State.QUEUED) and job is not None and job.live


def _unfinished_bases(
    specs: Mapping[str, RunSpec], states: Mapping[str, RunState]
) -> frozenset[str]:
    bases = {base.run_id for spec in specs.values() if (base := base_of(spec))}
    return frozenset(one for one in bases if states[one].state is not State.DONE)


@dataclass(frozen=True)
class _Giving:
    """What all arrays of one submit share."""

    runs: RunsFolder
    site: Site
    snapshot: Snapshot
    mem_gb: float | None
    clock: Clock
    make_sure: Callable[[], None]  # that this is still the one launcher

    def give(self, arrays: tuple[Array, ...], jobs: Mapping[str, str]) -> list[str]:
        """The arrays' job ids; `jobs` are those of bases that are live already."""
        known = dict(jobs)
        array_ids: list[str] = []
        for array in arrays:
            try:
                array_id = self._give_one(array, known[array.after] if array.after else None)
            except LaunchError as error:
                raise _half_way(error, arrays, len(array_ids)) from error
            array_ids.append(array_id)
            known |= {run_id: f"{array_id}_{i}" for i, run_id in enumerate(array.run_ids)}
        return array_ids

    def keep(self, arrays: tuple[Array, ...]) -> None:
        """Write down what Slurm has no room for now, for the jobs that will make some."""
        for array in arrays:
            submission = replace(self._record(array), waiting=tuple(range(len(array.run_ids))))
            write_array_script(self.runs, submission, self.site)
            write_submission(self.runs, submission)

    def _give_one(self, array: Array, after: str | None) -> str:
        self.make_sure()
        submission = self._record(array)
        script = write_array_script(self.runs, submission, self.site)
        write_submission(self.runs, submission)
        try:
            array_id = send(script, self.site.name, *waits_for(after))
        except SbatchError as error:
            if error.certain:
                withdraw(self.runs, submission, f"sbatch: {error}")
                raise
            array_id = self._found(submission, error)
        write_submission(self.runs, replace(submission, job_id=array_id))
        return array_id

    def _found(self, submission: Submission, error: SbatchError) -> str:
        try:
            array_id = find_array(self.runs, submission, self.clock)
        except SlurmError as silent:
            raise LaunchError(
                f"{error} Nobody knows whether its jobs exist, since Slurm does not answer. They "
                f"would be named {submission.sid}; the next submit looks for them."
            ) from silent
        if array_id is None:
            raise LaunchError(f"{error} No job of it has appeared, and none may start any more.")
        return array_id

    def _record(self, array: Array) -> Submission:
        return Submission(
            sid=new_sid(),
            site=self.site.name,
            run_ids=array.run_ids,
            num_gpus=array.num_gpus,
            mem_gb=self.mem_gb or self.site.mem_gb(array.num_gpus),
            time_limit_min=self.site.time_limit_min,
            requeue=self.site.requeue,
            fake_gpus=self.site.fake_gpus,
            max_running=self.site.max_running,
            most_jobs=self.site.most_jobs,
            code=self.snapshot.name,
            code_hash=self.snapshot.code_hash,
            created_at=self.clock.now(),
        )


def _half_way(error: LaunchError, arrays: tuple[Array, ...], given: int) -> LaunchError:
    done = sum(len(one.run_ids) for one in arrays[:given])
    total = sum(len(one.run_ids) for one in arrays)
    return LaunchError(
        f"{error} {done} of {total} runs were submitted ({given} of {len(arrays)} arrays) and go "
        "on; the others were not. When the cause is mended, the same command submits the others."
    )
