"""One run in this process: `harness run`."""

from harness.grid.spec import RunSpec
from harness.grid.state import is_done
from harness.launch.job import run_here
from harness.launch.ready import make_ready, refuse_many_gpus
from harness.paths import RunsFolder


def run_one(runs: RunsFolder, spec: RunSpec) -> None:
    """One run here, in the foreground, of a grid or not; returns at once if it is done.

    Raises:
        HarnessError: the run cannot be trained here, or its training failed.
    """
    if not is_done(spec, runs.run(spec.run_id)):
        refuse_many_gpus({spec.run_id: spec})
        make_ready(runs, {spec.run_id: spec})
        run_here(runs.run(spec.run_id).folder)
