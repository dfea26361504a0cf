"""Finds and loads the files of `experiments/`, each the definition of one table."""

import importlib.util
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import ModuleType

from harness.errors import HarnessError, SpecError, unknown
from harness.grid.grid import Grid, merge
from harness.grid.recipes import Setting

MOST_SEEDS = 32  # of a grid: seeds are found again by trying them

Modules = Mapping[str, ModuleType]  # by the NAME that each declares


def experiment_names(folder: Path) -> tuple[str, ...]:
    """The NAMEs of all experiments in `folder`, in the order of their files."""
    return tuple(_modules(folder))


def load_grid(
    names: Sequence[str], setting: Setting, folder: Path, seeds: Iterable[int] | None = None
) -> Grid:
    """The grid of the experiments `names`; where none is named, of all but those on request.

    Args:
        names: NAMEs as the experiment files declare them; they match exactly.
        setting: scale, seed and data.
        folder: `experiments/`.
        seeds: whose cells the grid holds, one seed's after another's; by default that of `setting`.

    Raises:
        SpecError: the folder or an experiment does not exist, or a file does not define one.
    """
    modules = _modules(folder)
    chosen = _chosen(modules, names)
    if not chosen:
        raise _all_on_request(modules, folder)
    return _grid(modules, chosen, setting, (setting.seed,) if seeds is None else seeds)


def known_grid(names: Sequence[str], setting: Setting, folder: Path, left: Collection[str]) -> Grid:
    """What was asked for of the experiments `names`, or of all, as the runs tell that were left.

    It holds the cells of seed 0 and of every seed of which a run was left. Where none is named,
    an experiment on request belongs to it once a run was left that no other experiment has.

    Args:
        names: NAMEs as the experiment files declare them.
        setting: scale and data.
        folder: `experiments/`.
        left: ids of runs that have a folder, or whose metrics are collected.

    Raises:
        SpecError: as for `load_grid`.
    """
    modules = _modules(folder)
    chosen = _chosen(modules, names)
    others = [] if names else [name for name in modules if name not in chosen]
    seeds, known, unexplained = {0}, set(), set(left)
    for seed in range(MOST_SEEDS):
        if not unexplained:
            break
        here = replace(setting, seed=seed)
        asked_for = _ids(modules, chosen, here)
        own = {name: _ids(modules, [name], here) - asked_for for name in others}
        known |= {name for name in others if own[name] & unexplained}
        explained = asked_for.union(*own.values()) & unexplained
        seeds |= {seed} if explained else set()
        unexplained -= explained
    found = [name for name in modules if name in known or name in chosen] if known else chosen
    if not found:
        raise _all_on_request(modules, folder)
    return _grid(modules, found, setting, sorted(seeds))


def _ids(modules: Modules, names: Iterable[str], setting: Setting) -> set[str]:
    return set(_grid(modules, names, setting, [setting.seed]).runs)


def _chosen(modules: Modules, names: Sequence[str]) -> list[str]:
    """The experiments that `names` mean, each once: as they are named, or in order of the files."""
    for name in names:
        if name not in modules:
            raise SpecError(unknown("experiment", name, modules))
    usual = (name for name, module in modules.items() if not _is_on_request(module))
    return list(dict.fromkeys(names or usual))


def _all_on_request(modules: Modules, folder: Path) -> SpecError:
    return SpecError(
        f"All experiments in {folder} are on request (ON_REQUEST = True). Name one: "
        f"{', '.join(modules)}."
    )


def _is_on_request(module: ModuleType) -> bool:
    return bool(getattr(module, "ON_REQUEST", False))


def _grid(modules: Modules, names: Iterable[str], setting: Setting, seeds: Iterable[int]) -> Grid:
    names = list(names)
    return merge(
        _grid_of(modules[name], replace(setting, seed=seed)) for seed in seeds for name in names
    )


def _grid_of(module: ModuleType, setting: Setting) -> Grid:
    try:
        grid = module.grid(setting)
    except SpecError as error:
        raise SpecError(f"{module.__file__}: {error}") from error
    except HarnessError:
        raise
    except Exception as error:
        raise SpecError(
            f"{module.__file__}: its grid() fails: {type(error).__name__}: {error}"
        ) from error
    if not isinstance(grid, Grid):
        raise SpecError(f"{module.__file__}: its grid() returns {grid!r} and no Grid.")
    return replace(grid, on_request=frozenset(grid.layouts)) if _is_on_request(module) else grid


def _modules(folder: Path) -> dict[str, ModuleType]:
    files = sorted(path for path in folder.glob("*.py") if not path.name.startswith("_"))
    if not files:
        raise SpecError(
            f"There are no experiments in {folder}. Run harness in its own checkout, or in a "
            "folder that has an experiments/ of its own."
        )
    modules: dict[str, ModuleType] = {}
    for file in files:
        module = _load(file)
        if module.NAME in modules:
            raise SpecError(f"{file} and {modules[module.NAME].__file__} are both {module.NAME!r}.")
        modules[module.NAME] = module
    return modules


def _load(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"harness_experiment_{file.stem}", file)
    if spec is None or spec.loader is None:
        raise SpecError(f"{file} is no Python file.")
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except HarnessError:
        raise
    except Exception as error:
        raise SpecError(f"{file} cannot be read: {type(error).__name__}: {error}") from error
    if not isinstance(getattr(module, "NAME", None), str) or not callable(
        getattr(module, "grid", None)
    ):
        raise SpecError(f"{file} is no experiment: it needs a NAME and a function grid(setting).")
    return module
