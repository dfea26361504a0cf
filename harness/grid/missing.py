"""What runs need and is not there: told before anything is trained or waits in a queue."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from harness.data.coco import COCO
from harness.data.splits import coco_folder, not_here
from harness.data.stuff_maps import stuff_map_of
from harness.data.weights import PREPARE, Weights, fault, weights_folder
from harness.grid.architectures import weights_of
from harness.grid.spec import RunSpec
from harness.paths import RunsFolder

PREPARE_DATA = "harness prepare"


@dataclass(frozen=True)
class Missing:
    """Weights that are missing or cut short, or a split whose files or folders are not there.

    Attributes:
        what: the name of the weights' file, or of the split.
        found: what is wrong with it, and where.
        runs: which cannot start without it.
        command: which mends that.
    """

    what: str
    found: str
    runs: tuple[str, ...]
    command: str


def weights_needed(specs: Mapping[str, RunSpec], runs: RunsFolder) -> tuple[Weights, ...]:
    """The ImageNet weights from which these runs still have to start."""
    return weights_of(specs[run_id].architecture for run_id in _starting(specs, runs))


def missing_weights(specs: Mapping[str, RunSpec], runs: RunsFolder) -> tuple[Missing, ...]:
    """The ImageNet weights that are missing or cut short; hashes are not compared here.

    Args:
        specs: runs by id.
        runs: where their folders lie.
    """
    starting, folder = _starting(specs, runs), weights_folder()
    return tuple(
        Missing(
            what=weights.file,
            found=found,
            runs=tuple(one for one in starting if weights in weights_of([specs[one].architecture])),
            command=PREPARE,
        )
        for weights in weights_needed(specs, runs)
        if (found := fault(weights, folder, look_inside=False))
    )


def coco_splits(specs: Iterable[RunSpec]) -> list[str]:
    """The splits of COCO that these runs need, each once."""
    splits = (split for spec in specs for split in (spec.train_split, str(spec.test_split)))
    return list(dict.fromkeys(split for split in splits if split in COCO))


def missing_data(specs: Mapping[str, RunSpec]) -> tuple[Missing, ...]:
    """The splits of COCO of which a file or folder is not there; nothing is read here.

    Args:
        specs: runs by id.
    """
    users: dict[str, list[str]] = {}
    learn_stuff: dict[str, list[str]] = {}
    for run_id, spec in specs.items():
        for split in coco_splits([spec]):
            users.setdefault(split, []).append(run_id)
        if spec.semantic_branch and spec.train_split in COCO:
            learn_stuff.setdefault(spec.train_split, []).append(run_id)
    found = {
        split: (f"{split} is not here: {lacking}", tuple(run_ids))
        for split, run_ids in users.items()
        if (lacking := not_here(split))
    }
    for split, run_ids in learn_stuff.items():
        folder = stuff_map_of(coco_folder() / COCO[split][0][0].images / "any").parent
        if not folder.is_dir():
            found[f"stuff maps of {split}"] = f"{folder} is missing", tuple(run_ids)
    return tuple(Missing(what, told, runs, PREPARE_DATA) for what, (told, runs) in found.items())


def _starting(specs: Mapping[str, RunSpec], runs: RunsFolder) -> list[str]:
    # A base that has a checkpoint goes on from that, a fine-tune from its base.
    return [
        run_id
        for run_id, spec in specs.items()
        if spec.stage == "base"
        and spec.scale == "paper"
        and not runs.run(run_id).newest_iteration()
    ]
