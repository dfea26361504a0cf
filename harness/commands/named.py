"""The run that a person names, at whatever scale it is: for `run` and `logs`."""

import re
from pathlib import Path

from harness.grid.names import find_run
from harness.grid.spec import RunSpec
from harness.launch.job import read_spec
from harness.paths import RunPaths
from harness.workplace import Workplace, workplace, workplace_of

RUN_ID = re.compile("[0-9a-f]{4,8}")


def run_named(text: str, scale: str, data: Path | None, runs: Path) -> tuple[Workplace, RunSpec]:
    """The run that a person means by `text`, and its workplace.

    An id, or its beginning, that has a folder is found at whatever scale it is; else `text` is
    looked for in the grid of `scale` and `data`.

    Raises:
        SpecError: there is no such run.
    """
    place = workplace(scale, data, runs)
    folders = place.runs.folder.glob(f"{text}*") if RUN_ID.fullmatch(text) else ()
    found = [RunPaths(folder) for folder in folders if RunPaths(folder).spec.exists()]
    if len(found) == 1:
        spec = read_spec(found[0])
        return workplace_of(spec, runs), spec
    return place, find_run(place.grid(), text)
