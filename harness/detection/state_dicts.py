"""How a state dict on disk differs from a model's, in one line: torch's own lists fill a screen."""

from collections.abc import Mapping

from torch import Tensor

NAMED = 3


def difference(model: Mapping[str, Tensor], found: Mapping[str, Tensor]) -> str:
    """In what `found` does not fit `model`: keys and shapes, the first few named; "" where it does.

    Args:
        model: the model's state dict.
        found: what is to be loaded.
    """
    shapes = [
        f"{key} {tuple(found[key].shape)}, not {tuple(value.shape)}"
        for key, value in model.items()
        if key in found and found[key].shape != value.shape
    ]
    parts = (
        _some("missing", [key for key in model if key not in found]),
        _some("not the model's", [key for key in found if key not in model]),
        _some("of another shape", shapes),
    )
    return "; ".join(part for part in parts if part)


def _some(what: str, keys: list[str]) -> str:
    if not keys:
        return ""
    more = f", ... ({len(keys)} in all)" if len(keys) > NAMED else ""
    return f"{what}: {', '.join(keys[:NAMED])}{more}"
