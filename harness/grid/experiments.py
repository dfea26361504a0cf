"""Finds and loads the files of `experiments/`, each the definition of one table."""

import importlib.util
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

from harness.errors import HarnessError, SpecError, unknown
from harness.grid.grid import Grid, merge
from harness.grid.recipes import Setting


def load_grid(names: Sequence[str], setting: Setting, folder: Path) -> Grid:
    """The grid of the experiments `names`, of all where none is named.

    Args:
        names: NAMEs as the experiment files declare them; they match exactly.
        setting: scale, seed and data.
        folder: `experiments/`.

    Raises:
        SpecError: the folder or an experiment does not exist, or a file does not define one.
    """
    modules = _modules(folder)
    for name in names:
        if name not in modules:
            raise SpecError(unknown("experiment", name, modules))
    chosen = dict.fromkeys(names or modules)  # each once, in order
    return merge(_grid_of(modules[name], setting) for name in chosen)


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
    return grid


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
