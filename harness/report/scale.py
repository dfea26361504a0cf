"""What numbers were measured on, so that a demo number is never read as a COCO number."""

from collections.abc import Iterable
from pathlib import Path

from harness.grid import RunSpec


def scale_note(specs: Iterable[RunSpec]) -> str:
    """Scale, data and seed of the runs behind one table or figure, as a sentence."""
    runs = list(specs)
    scales = sorted({spec.scale for spec in runs})
    data = dict.fromkeys(_data(spec) for spec in runs)
    seeds = sorted({spec.seed for spec in runs})
    on_coco = scales == ["paper"] and all(spec.train_split.startswith("coco_") for spec in runs)
    return (
        f"{' and '.join(scales).capitalize()} scale: "
        f"{'thin networks ' if 'demo' in scales else ''}trained on {' and '.join(data)}, "
        f"seed{'' if len(seeds) == 1 else 's'} {', '.join(map(str, seeds))}"
        f"{'' if on_coco else '; not COCO numbers'}."
    )


def _data(spec: RunSpec) -> str:
    if spec.train_split.startswith("coco_"):
        return f"{spec.train_split} (tested on {spec.test_split})"
    if spec.train_split.startswith("shapes_"):
        return "drawn shapes"
    return f"the images in {Path(spec.data_dir).name if spec.data_dir else spec.train_split}"
