"""From what a person types to runs.

What is typed without a seed means the runs of all seeds of the grid. What ends with a seed, as in
`table1/k=2/seed=1`, means those of that seed alone, and is understood in every grid that has it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase

from harness.errors import SpecError, unknown
from harness.grid.grid import SEED_MARK, Grid
from harness.grid.spec import RunSpec, base_of

MOST_NAMES = 8


def matching(grid: Grid, patterns: Iterable[str]) -> tuple[str, ...]:
    """The runs meant by what a person types, in the order of the grid.

    Each of `patterns` is a name (`table1/k=2`, `base mask_rcnn_R50_FPN`), a run id or its
    beginning, an experiment (`table1`: its rows, and the bases that it shares with no other), or a
    shell pattern over all of these (`table1/k=*`); any of them may end with a seed or a pattern of
    seeds (`table1/k=2/seed=1`, `table1/seed=[12]`).

    Raises:
        SpecError: one matches no run, or is the beginning of several ids.
    """
    names = _names(grid)
    found: set[str] = set()
    for pattern in patterns:
        found |= _meant(grid, names, pattern)
    return tuple(run_id for run_id in grid.runs if run_id in found)


def find_run(grid: Grid, text: str) -> RunSpec:
    """The one run meant by `text`: see `matching`.

    Raises:
        SpecError: there is no such run, or there are several.
    """
    found = matching(grid, [text])
    if len(found) > 1:
        told = [f"{grid.name_of(run_id)} · {run_id}" for run_id in found[:MOST_NAMES]]
        more = f" and {len(found) - MOST_NAMES} more" if len(found) > MOST_NAMES else ""
        raise SpecError(f"{text!r} means {len(found)} runs: {', '.join(told)}{more}. Name one.")
    return grid.runs[found[0]]


def only_cells(grid: Grid, patterns: Sequence[str]) -> Grid:
    """The cells that show the runs meant by `patterns`: see `matching`.

    Raises:
        SpecError: one means no run, or all of them bases alone.
    """
    meant = matching(grid, patterns)
    kept = tuple(cell for cell in grid.cells if cell.spec.run_id in meant)
    if not kept:
        raise SpecError(
            f"--only {' '.join(patterns)!r} means no row: a base is trained with the rows that "
            "start from it. "
            f"Rows: {', '.join(dict.fromkeys(cell.name for cell in grid.cells))}."
        )
    return replace(grid, cells=kept)


def seeds_in_words(seeds: Iterable[int]) -> str:
    """`0 to 4`, or `0, 2, 5` where one between them is not there."""
    ordered = sorted(seeds)
    if len(ordered) > 2 and ordered[-1] - ordered[0] == len(ordered) - 1:
        return f"{ordered[0]} to {ordered[-1]}"
    return ", ".join(map(str, ordered))


def _names(grid: Grid) -> dict[str, set[str]]:
    """The runs by every name that they have, the seed left out: a name may be several runs'."""
    names: dict[str, set[str]] = {}
    for cell in grid.cells:
        names.setdefault(cell.name, set()).add(cell.spec.run_id)
    for run_id, spec in grid.runs.items():
        if spec.stage == "base":
            names.setdefault(f"base {spec.architecture}", set()).add(run_id)
    return names


def _meant(grid: Grid, names: Mapping[str, set[str]], pattern: str) -> set[str]:
    """The runs, one or more, that `pattern` means."""
    text, mark, seed = pattern.rpartition(SEED_MARK)
    if not mark or pattern in names:
        text, seed = pattern, "*"
    of_all_seeds = _of_all_seeds(grid, names, text)
    if not of_all_seeds:
        raise SpecError(unknown("run", text, (*names, *grid.layouts)))
    meant = {one for one in of_all_seeds if fnmatchcase(str(grid.runs[one].seed), seed)}
    if not meant:
        seeds = {grid.runs[one].seed for one in of_all_seeds}
        raise SpecError(
            f"Unknown run {pattern!r}: {text!r} has seed {seeds_in_words(seeds)} here. `plan` and "
            "`submit` take the seeds 0 to N-1 with --seeds N."
        )
    return meant


def _of_all_seeds(grid: Grid, names: Mapping[str, set[str]], pattern: str) -> set[str]:
    specs = grid.runs
    if pattern in names:
        return names[pattern]
    if pattern in grid.layouts:
        return _of_experiment(grid, specs, pattern)
    begun = {run_id for run_id in specs if pattern and run_id.startswith(pattern)}
    if len(begun) > 1:
        raise SpecError(f"{pattern!r} begins more than one run id: {', '.join(sorted(begun))}.")
    fitting = {one for name, ids in names.items() if fnmatchcase(name, pattern) for one in ids}
    fitting |= {run_id for run_id in specs if fnmatchcase(run_id, pattern)}
    for name in grid.layouts:
        if fnmatchcase(name, pattern):
            fitting |= _of_experiment(grid, specs, name)
    return begun | fitting


def _of_experiment(grid: Grid, specs: Mapping[str, RunSpec], name: str) -> set[str]:
    rows = {cell.spec.run_id for cell in grid.table(name)}
    bases = {run_id: base.run_id for run_id, spec in specs.items() if (base := base_of(spec))}
    shared = {base_id for run_id, base_id in bases.items() if run_id not in rows}
    return rows | {bases[run_id] for run_id in rows if bases.get(run_id)} - shared
