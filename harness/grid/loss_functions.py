"""Whether the function of a loss is there, as its source says: a login node has no torch.

A base is trained without the losses that are added to it. A wrong name would show when the first
fine-tune begins, after all of the base's iterations.
"""

import importlib.util
from collections.abc import Iterable
from importlib.abc import InspectLoader
from importlib.machinery import ModuleSpec, PathFinder
from itertools import accumulate
from symtable import symtable

from harness.errors import SpecError
from harness.grid.losses import LOSS_TERMS, NO_LOSS
from harness.grid.spec import RunSpec


def refuse_without_function(specs: Iterable[RunSpec]) -> None:
    """Nothing comes back where the functions of these runs' losses are there; nothing is imported.

    A compiled module tells only when it is imported, and is let pass.

    Raises:
        SpecError: the function of a loss, or its module, is not there or cannot be read.
    """
    for name in dict.fromkeys(spec.loss.name for spec in specs if spec.loss != NO_LOSS):
        function = LOSS_TERMS[name].function
        module, _, attribute = function.partition(":")
        if fault := _fault(module, attribute):
            raise SpecError(
                f"Loss {name!r} is {function}, but {fault}. Write it, or name in "
                "harness/grid/losses.py a function that is there."
            )


def _fault(module: str, attribute: str) -> str:
    """Why `module` does not give `attribute`; "" where it does."""
    found = _find(module)
    if found is None:
        return f"there is no module {module}"
    if not isinstance(found.loader, InspectLoader):
        return ""
    try:
        source = found.loader.get_source(module)
        names = None if source is None else _names(module, source)
    except (ImportError, SyntaxError) as error:
        return f"module {module} cannot be read: {error}"
    if names is None or attribute.partition(".")[0] in names:
        return ""
    return f"module {module} neither defines nor imports {attribute!r}"


def _find(module: str) -> ModuleSpec | None:
    # `importlib.util.find_spec` would import the packages around it, and torch with them.
    first, *inner = accumulate(module.split("."), "{}.{}".format)
    found = importlib.util.find_spec(first)
    for name in inner:
        if found is None or found.submodule_search_locations is None:
            return None
        found = PathFinder.find_spec(name, found.submodule_search_locations)
    return found


def _names(module: str, source: str) -> set[str]:
    """What `module` defines or imports at its top."""
    symbols = symtable(source, module, "exec").get_symbols()
    return {one.get_name() for one in symbols if one.is_assigned() or one.is_imported()}
