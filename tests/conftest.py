from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def coco_mini() -> Path:
    """A few dozen images of COCO 2017 with their annotations, kept beside the repository."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "coco-mini"
    if not folder.is_dir():
        pytest.skip(f"no coco-mini at {folder}")
    return folder
