from pathlib import Path

import pytest

from harness.data.splits import Split, locate
from harness.paths import CheckedData
from harness.shapes import write_shapes


@pytest.fixture(scope="session")
def shapes(tmp_path_factory) -> Path:
    """Drawn shapes: of 60 training images, 6 is empty and 8 has a crowd."""
    folder = tmp_path_factory.mktemp("data") / "shapes"
    write_shapes(folder, train_images=60, val_images=1)
    return folder


@pytest.fixture(scope="session")
def split(shapes) -> Split:
    return locate("shapes_train", str(shapes))


@pytest.fixture
def checked(tmp_path) -> CheckedData:
    return CheckedData(tmp_path / "checked")
