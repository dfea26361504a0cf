"""The run that a person names, of whatever scale and seed: for `run`, `logs` and `benchmark`."""

import re
from pathlib import Path

from harness.grid.experiments import MOST_SEEDS
from harness.grid.grid import SEED_MARK
from harness.grid.names import find_run
from harness.grid.spec import RunSpec
from harness.launch.job import read_spec
from harness.paths import RunPaths
from harness.workplace import Workplace, workplace, workplace_of

RUN_ID = re.compile("[0-9a-f]{4,8}")
OF_ONE_SEED = re.compile(f"[0-9a-f]{{8}}|.*{SEED_MARK}[0-9]+")


def run_named(text: str, scale: str, data: Path | None, runs: Path) -> tuple[Workplace, RunSpec]:
    """The run that a person means by `text`, and its workplace.

    An id, or its beginning, that has a folder is found at whatever scale it is; else `text` is
    looked for in all experiments with `scale` and `data`. There a whole id, or a name with a seed,
    is found whether or not a run of its seed was started: `harness plan --seeds` tells both.

    Raises:
        SpecError: there is no such run.
    """
    place = workplace(scale, data, runs)
    folders = place.runs.folder.glob(f"{text}*") if RUN_ID.fullmatch(text) else ()
    found = [RunPaths(folder) for folder in folders if RunPaths(folder).spec.exists()]
    if len(found) == 1:
        spec = read_spec(found[0])
        return workplace_of(spec, runs), spec
    names = place.experiment_names
    of_one_seed = OF_ONE_SEED.fullmatch(text)
    grid = place.grid(names, MOST_SEEDS) if of_one_seed else place.known_grid(names)
    return place, find_run(grid, text)
