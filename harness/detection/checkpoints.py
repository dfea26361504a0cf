"""Checkpoints: model, optimizer, scheduler, iteration and the run that they belong to.

Nothing else is needed to go on exactly, because random numbers and batches follow from the
iteration. They are read with `weights_only=True`, so a planted file cannot run code.
"""

import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol

import torch

from harness.detection.state_dicts import difference
from harness.errors import CheckpointError
from harness.files import replacing
from harness.grid.cost import KEPT_WHILE_RUNNING
from harness.paths import RunPaths

CONTENT = ("run_id", "iteration", "state")


class Stateful(Protocol):
    """A model, an optimizer, a scheduler."""

    def state_dict(self) -> dict[str, Any]:
        """Its state as plain values and tensors."""
        ...

    def load_state_dict(self, state: dict[str, Any]) -> object:
        """Take over a state."""
        ...


def save_checkpoint(
    paths: RunPaths, run_id: str, iteration: int, parts: Mapping[str, Stateful], annotations: str
) -> None:
    """Write the state after `iteration` iterations and delete all but the newest two.

    Args:
        paths: folder of the run.
        run_id: of the run.
        iteration: how many are done.
        parts: what has a state.
        annotations: sha256 of the annotation file that is trained on.
    """
    state = {name: part.state_dict() for name, part in parts.items()}
    with (
        replacing(paths.checkpoint(iteration)) as temporary,
        temporary.open("wb") as file,
    ):
        content = {"run_id": run_id, "iteration": iteration, "annotations": annotations}
        try:
            torch.save(content | {"state": state}, file)
        except RuntimeError as error:
            # On a full disk torch's writer fails once more as it closes, over the error that tells.
            if isinstance(error.__context__, OSError):
                raise error.__context__ from None
            raise
    keep_newest(paths, KEPT_WHILE_RUNNING)


def keep_newest(paths: RunPaths, number: int) -> None:
    """Delete all checkpoints of the run but the newest `number`."""
    for path in _newest_first(paths)[number:]:
        path.unlink(missing_ok=True)


def newest_checkpoint(paths: RunPaths, run_id: str) -> dict[str, Any] | None:
    """The newest whole checkpoint of the run; one that is damaged is passed over."""
    for path in _newest_first(paths):
        try:
            return read_checkpoint(path, run_id)
        except CheckpointError as error:
            print(f"Passed over: {error}", flush=True)
    return None


def read_checkpoint(path: Path, run_id: str) -> dict[str, Any]:
    """What `save_checkpoint` wrote.

    Raises:
        CheckpointError: the file is missing, damaged, no checkpoint, or of another run.
    """
    if not path.exists():
        raise CheckpointError(f"the checkpoint {path} is missing")
    try:
        with zipfile.ZipFile(path) as archive:
            damaged = archive.testzip()  # checksums, which torch does not look at
        if damaged is not None:
            raise CheckpointError(f"the checkpoint {path} is damaged (checksum of {damaged})")
        checkpoint: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        lacks = [name for name in CONTENT if name not in checkpoint]
    except CheckpointError:
        raise
    except Exception as error:  # torch raises whatever the bytes lead it to
        raise CheckpointError(
            f"the checkpoint {path} cannot be read ({type(error).__name__}): it is cut short or "
            "holds more than plain tensors"
        ) from error
    if lacks:
        raise CheckpointError(
            f"the checkpoint {path} lacks {', '.join(lacks)}: harness did not write it"
        )
    if checkpoint["run_id"] != run_id:
        raise CheckpointError(
            f"the checkpoint {path} is of run {checkpoint['run_id']}, not {run_id}"
        )
    return checkpoint


def refuse_other_annotations(
    checkpoint: Mapping[str, Any], run_id: str, annotations: str, file: str
) -> None:
    """Pass if a checkpoint of run `run_id` was trained on the annotations that are there now.

    Args:
        checkpoint: what `read_checkpoint` returned.
        run_id: of the run that it belongs to.
        annotations: sha256 of the annotation file that is there now.
        file: that annotation file, as the message shall name it.

    Raises:
        CheckpointError: the file has changed since.
    """
    before = checkpoint.get("annotations")
    if before != annotations:
        raise CheckpointError(
            f"the checkpoint of run {run_id} at iteration {checkpoint['iteration']} was trained on "
            f"other annotations than {file} holds now (sha256 {str(before)[:8]}, now "
            f"{annotations[:8]}). Put the file back as it was, or move the folder of run {run_id} "
            "away to train it anew"
        )


def restore(checkpoint: Mapping[str, Any], parts: Mapping[str, Stateful]) -> int:
    """Load a checkpoint into `parts`; returns the iterations done.

    Args:
        checkpoint: what `read_checkpoint` returned.
        parts: what has a state; "model" is looked at before any of them is changed.

    Raises:
        CheckpointError: it holds other layers or parameters than the model has.
    """
    state = checkpoint["state"]
    try:
        different = difference(parts["model"].state_dict(), state["model"])
        if not different:
            for name, part in parts.items():
                part.load_state_dict(state[name])
    except (RuntimeError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _does_not_fit(checkpoint, f"{type(error).__name__}: {error}") from error
    if different:
        raise _does_not_fit(checkpoint, different)
    return int(checkpoint["iteration"])


def _does_not_fit(checkpoint: Mapping[str, Any], why: str) -> CheckpointError:
    run_id = checkpoint["run_id"]
    return CheckpointError(
        f"The checkpoint of run {run_id} at iteration {checkpoint['iteration']} does not fit the "
        f"model ({why}): other code or libraries wrote it. Go on with those that env.json in its "
        f"folder names, or move the folder of run {run_id} away to train it anew."
    )


def _newest_first(paths: RunPaths) -> list[Path]:
    return sorted(paths.checkpoints.glob("iteration_*.pth"), reverse=True)
