"""Site `local`: a loop that feeds jobs by free slots and the state of each run's base."""

import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from harness.grid.spec import NOT_BUILT, RunSpec
from harness.grid.state import Cause, RunState, State, run_state
from harness.launch.attempt import record_lost_attempt
from harness.launch.job import execute
from harness.launch.processes import POLL_S, LocalJob, start_job, stop_jobs
from harness.launch.schedule import States, blocked_by_base, next_run, running_in
from harness.launch.signals import signals_end_in_order
from harness.paths import RunsFolder


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
        if spec.architecture in NOT_BUILT or found.state in (State.DONE, State.RUNNING):
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
