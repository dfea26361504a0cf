"""Site `local`, this machine: what is not done of a grid runs here, as many at a time as fit.

A loop feeds jobs by free slots and the state of each run's base. Everything that can be found wrong
is found before the first run starts.
"""

import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.grid.grid import Grid
from harness.grid.spec import RunSpec
from harness.grid.state import Cause, RunState, State, is_done, run_state
from harness.launch.attempt import record_lost_attempt
from harness.launch.job import execute
from harness.launch.processes import POLL_S, LocalJob, start_job, stop_jobs
from harness.launch.ready import make_ready, refuse_many_gpus
from harness.launch.schedule import States, blocked_by_base, next_run, running_in
from harness.launch.signals import signals_end_in_order
from harness.paths import RunsFolder


@dataclass(frozen=True)
class Ended:
    """How a launch ended, as ids of runs in the order of the grid.

    Attributes:
        done: all that are done, those found done included.
        failed: failed or interrupted in this launch.
        blocked: not started, because of their base.
    """

    done: tuple[str, ...]
    failed: tuple[str, ...]
    blocked: tuple[str, ...]


def run_grid(
    grid: Grid,
    runs: RunsFolder,
    *,
    on_tick: Callable[[States], None],
    on_done: Callable[[str], None],
    slots: int | None = None,
    work: Callable[[Path], None] = execute,
) -> Ended:
    """Run what is not done of `grid` on this machine; returns when all of it has ended.

    Args:
        grid: the cells and runs asked for.
        runs: where the runs' folders are.
        on_tick: hears the states of all runs every half second.
        on_done: hears the id of each run that ends well in this launch.
        slots: how many runs train at a time; by default the cores that this process may use.
        work: what a job does with a run's folder.

    Raises:
        LaunchError: this machine cannot train these runs. Nothing was started.
        DataError: data is missing or damaged. Nothing was started.
    """
    to_do = {
        run_id: spec for run_id, spec in grid.runs.items() if not is_done(spec, runs.run(run_id))
    }
    refuse_many_gpus(to_do)
    make_ready(runs, to_do)
    watch = _Watch(to_do, on_tick, on_done)
    states = LocalLaunch(grid.runs, runs, slots or cores(), work).run_all(watch)

    def those(state: State) -> tuple[str, ...]:
        return tuple(run_id for run_id, now in states.items() if now.state is state)

    return Ended(those(State.DONE), those(State.FAILED), those(State.BLOCKED))


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


class LocalLaunch:
    """Runs each run at most once, bases before their fine-tunes, `slots` at a time."""

    def __init__(
        self,
        specs: Mapping[str, RunSpec],
        runs: RunsFolder,
        slots: int,
        work: Callable[[Path], None] = execute,
    ) -> None:
        self.specs, self.runs, self.slots, self.work = specs, runs, slots, work
        self._jobs: dict[str, LocalJob] = {}
        self._attempts_before: dict[str, list[int]] = {}

    def run_all(self, on_tick: Callable[[States], None]) -> States:
        """The states once nothing runs and nothing can start; `on_tick` hears them meanwhile.

        Whatever breaks this off (Ctrl-C, a signal, an error in `on_tick`) first ends the jobs.
        """
        with signals_end_in_order():
            try:
                while True:
                    states = self._states()
                    while spec := next_run(self.specs, states, self.slots):
                        self._start(spec)
                        states[spec.run_id] = RunState(State.RUNNING)
                    on_tick(states)
                    if not running_in(self.specs, states):
                        return states
                    time.sleep(POLL_S)
            finally:
                self._stop()

    def _stop(self) -> None:
        alive = {job.job_id for job in stop_jobs(self._jobs.values())}
        for run_id, job in self._jobs.items():
            if job.job_id in alive:
                print(
                    f"Run {run_id} was asked to end and has not: process {job.job_id} on this "
                    "machine may go on to write. It can be started again once that has ended.",
                    file=sys.stderr,
                )

    def _start(self, spec: RunSpec) -> None:
        paths = self.runs.run(spec.run_id)
        self._attempts_before[spec.run_id] = paths.attempt_numbers()
        self._jobs[spec.run_id] = start_job(paths, self.work)

    def _states(self) -> dict[str, RunState]:
        states: dict[str, RunState] = {}
        for run_id, spec in self.specs.items():
            states[run_id] = self._state(spec, states)
        return states

    def _state(self, spec: RunSpec, bases: States) -> RunState:
        job = self._jobs.get(spec.run_id)
        if job and not job.done():
            return RunState(State.RUNNING)
        found = run_state(spec, self.runs)
        # Running without a job of ours: for another launch, or it has outlived its launcher.
        if found.state in (State.DONE, State.RUNNING):
            return found
        if job:
            return self._ended_badly(spec, job)
        blocked = blocked_by_base(spec, bases)
        # What failed in an earlier launch is tried again.
        return RunState(State.BLOCKED, blocked, Cause.BASE) if blocked else RunState(State.TO_DO)

    def _ended_badly(self, spec: RunSpec, job: LocalJob) -> RunState:
        paths = self.runs.run(spec.run_id)
        if paths.attempt_numbers() == self._attempts_before[spec.run_id]:
            record_lost_attempt(paths, job.paths.stderr)
        found = run_state(spec, self.runs)
        return RunState(State.FAILED, found.reason or "interrupted", found.cause)


class _Watch:
    """Passes each tick on, and each run that was to do and is now done, once."""

    def __init__(
        self,
        to_do: Mapping[str, RunSpec],
        on_tick: Callable[[States], None],
        on_done: Callable[[str], None],
    ) -> None:
        self.waiting = set(to_do)
        self.on_tick = on_tick
        self.on_done = on_done

    def __call__(self, states: States) -> None:
        self.on_tick(states)
        for run_id, now in states.items():
            if now.state is State.DONE and run_id in self.waiting:
                self.waiting.remove(run_id)
                self.on_done(run_id)
