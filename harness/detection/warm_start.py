"""A fine-tune starts from its base's final checkpoint, or refuses (section IV-B)."""

from typing import Any

from harness.detection.checkpoints import read_checkpoint, refuse_other_annotations
from harness.errors import CheckpointError, WarmStartError
from harness.grid.next_command import command
from harness.grid.spec import RunSpec, base_of
from harness.grid.state import last_failure
from harness.paths import RunsFolder


def base_checkpoint(spec: RunSpec, runs: RunsFolder, annotations: str, file: str) -> dict[str, Any]:
    """The checkpoint of the base of the fine-tune `spec` at the iteration where the base ends.

    Args:
        spec: a fine-tune.
        runs: where its base's folder lies.
        annotations: sha256 of the annotation file that the fine-tune trains on.
        file: that annotation file, as the message shall name it.

    Raises:
        WarmStartError: it is missing, damaged, of another run, of another iteration, or trained on
            other annotations.
    """
    base = base_of(spec)
    if base is None:
        raise ValueError(f"spec: run {spec.run_id} is a base and starts from nothing")
    paths = runs.run(base.run_id)
    path = paths.checkpoint(base.last_iteration)
    try:
        checkpoint = read_checkpoint(path, base.run_id)
        if checkpoint["iteration"] != base.last_iteration:
            raise CheckpointError(
                f"the checkpoint {path} is of iteration {checkpoint['iteration']}, not "
                f"{base.last_iteration}"
            )
    except CheckpointError as error:
        failure = last_failure(paths)
        why = f"\n  The base failed: {failure}" if failure else ""
        raise WarmStartError(
            f"Run {spec.run_id} starts from base {base.run_id}, but {error}.{why}\n"
            f"  Delete that file if it is there, then: "
            f"{command(f'run {base.run_id}', base, runs.folder)}"
        ) from error
    try:
        refuse_other_annotations(checkpoint, base.run_id, annotations, file)
    except CheckpointError as error:
        raise WarmStartError(
            f"Run {spec.run_id} starts from base {base.run_id}, but {error}."
        ) from error
    return checkpoint
