"""Before runs are started: what can be found wrong is found; data and spec.json are made."""

import importlib.util
from collections.abc import Mapping
from dataclasses import asdict

from harness.data.weights import check_weights
from harness.errors import LaunchError
from harness.files import write_json
from harness.grid.loss_functions import refuse_without_function
from harness.grid.missing import weights_needed
from harness.grid.spec import RunSpec
from harness.launch.prepare_data import prepare_data
from harness.paths import RunsFolder


def make_ready(runs: RunsFolder, to_do: Mapping[str, RunSpec]) -> None:
    """Find what would stop these runs, prepare their data, and write their spec.json.

    Raises:
        LaunchError: detectron2 is not installed.
        SpecError: the function of a loss is not there.
        DataError: data or ImageNet weights are missing or damaged.
    """
    if to_do:
        refuse_without_detectron2()
    refuse_without_function(to_do.values())
    check_weights(weights_needed(to_do, runs))  # before the data, which takes longer
    prepare_data(to_do.values(), runs.checked)
    for run_id, spec in to_do.items():
        write_json(runs.run(run_id).spec, asdict(spec))


def refuse_without_detectron2() -> None:
    """Find out that this machine lacks what trains, without importing it.

    Raises:
        LaunchError: detectron2 is not installed.
    """
    if importlib.util.find_spec("detectron2") is None:
        raise LaunchError(
            "detectron2 is not installed, so nothing was started. Give `make setup`, or install "
            "detectron2 from its repository: see README."
        )


def refuse_many_gpus(to_do: Mapping[str, RunSpec]) -> None:
    """Find the run that the site `local` cannot train, since it trains each in one process.

    Raises:
        LaunchError: a run trains on more than one GPU.
    """
    for run_id, spec in to_do.items():
        if spec.num_gpus > 1:
            raise LaunchError(
                f"Run {run_id} trains on {spec.num_gpus} GPUs; site 'local' trains each run in one "
                "process on one core. Here: add --scale demo. On Slurm: give --site its name."
            )
