"""Launching a grid: everything that can be found wrong is found before the first run starts."""

import importlib.util
import os
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.errors import LaunchError, unknown
from harness.files import write_json
from harness.grid.grid import Grid
from harness.grid.spec import NOT_BUILT, RunSpec
from harness.grid.state import State, is_done
from harness.launch.job import execute, run_here
from harness.launch.prepare_data import prepare_data
from harness.launch.schedule import States
from harness.paths import RunsFolder

SITES = ("local",)


@dataclass(frozen=True)
class Ended:
    """How a launch ended, as ids of runs in the order of the grid.

    Attributes:
        done: all that are done, those found done included.
        failed: failed or interrupted in this launch.
        blocked: not started, because of their base or because their model is not built.
    """

    done: tuple[str, ...]
    failed: tuple[str, ...]
    blocked: tuple[str, ...]


def submit(
    grid: Grid,
    runs: RunsFolder,
    site: str,
    *,
    on_tick: Callable[[States], None],
    on_done: Callable[[str], None],
    slots: int | None = None,
    work: Callable[[Path], None] = execute,
) -> Ended:
    """Run what is not done of `grid` on `site`; returns when all of it has ended.

    Args:
        grid: the cells and runs asked for.
        runs: where the runs' folders are.
        site: one of `SITES`.
        on_tick: hears the states of all runs every half second.
        on_done: hears the id of each run that ends well in this launch.
        slots: how many runs train at a time; by default the cores that this process may use.
        work: what a job does with a run's folder.

    Raises:
        LaunchError: the site does not exist, or cannot train these runs. Nothing was started.
        DataError: data is missing or damaged. Nothing was started.
    """
    if site not in SITES:
        raise LaunchError(unknown("site", site, SITES))
    to_do = {
        run_id: spec
        for run_id, spec in grid.runs.items()
        if spec.architecture not in NOT_BUILT and not is_done(spec, runs.run(run_id))
    }
    _refuse_many_gpus(to_do)
    make_ready(runs, to_do)
    return _launch_local(grid, runs, slots or cores(), work, _Watch(to_do, on_tick, on_done))


def run_one(runs: RunsFolder, spec: RunSpec) -> None:
    """One run here, in the foreground, of a grid or not; returns at once if it is done.

    Raises:
        HarnessError: the run cannot be trained here, or its training failed.
    """
    if spec.architecture in NOT_BUILT:
        raise LaunchError(f"Run {spec.run_id} cannot be started: {NOT_BUILT[spec.architecture]}.")
    if not is_done(spec, runs.run(spec.run_id)):
        _refuse_many_gpus({spec.run_id: spec})
        make_ready(runs, {spec.run_id: spec})
        run_here(runs.run(spec.run_id).folder)


def cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))


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


def _refuse_many_gpus(to_do: Mapping[str, RunSpec]) -> None:
    for run_id, spec in to_do.items():
        if spec.num_gpus > 1:
            raise LaunchError(
                f"Run {run_id} trains on {spec.num_gpus} GPUs; site 'local' trains each run in one "
                "process on one core. Here: add --scale demo. On Slurm: give --site its name."
            )


def make_ready(runs: RunsFolder, to_do: Mapping[str, RunSpec]) -> None:
    """Find what would stop these runs, prepare their data, and write their spec.json.

    Raises:
        LaunchError: detectron2 is not installed.
        DataError: data is missing or damaged.
    """
    if to_do and importlib.util.find_spec("detectron2") is None:
        raise LaunchError(
            "detectron2 is not installed, so nothing was started. Give `make setup`, or install "
            "detectron2 from its repository: see README."
        )
    prepare_data(to_do.values())
    for run_id, spec in to_do.items():
        write_json(runs.run(run_id).spec, asdict(spec))


def _launch_local(
    grid: Grid, runs: RunsFolder, slots: int, work: Callable[[Path], None], watch: _Watch
) -> Ended:
    from harness.launch.local import LocalLaunch  # submitit takes a moment to import

    states = LocalLaunch(grid.runs, runs, slots, work).run_all(watch)

    def those(state: State) -> tuple[str, ...]:
        return tuple(run_id for run_id, now in states.items() if now.state is state)

    return Ended(those(State.DONE), those(State.FAILED), those(State.BLOCKED))
