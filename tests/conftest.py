import difflib
from pathlib import Path

import pytest

from tests.file_server import FileServer


def pytest_addoption(parser):
    parser.addoption("--update-golden", action="store_true", help="write tests/golden anew")


@pytest.fixture
def golden(request):
    """A function that compares a text, whole, with a file of `tests/golden`."""

    def check(name: str, text: str, if_meant: str) -> None:
        path = Path(__file__).parent / "golden" / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        if not path.exists():
            pytest.fail(f"{path} is missing: write it with `pytest --update-golden`.")
        expected = path.read_text(encoding="utf-8")
        if text != expected:
            lines = difflib.unified_diff(
                expected.splitlines(), text.splitlines(), str(path), "now", lineterm="", n=2
            )
            pytest.fail("\n".join([if_meant, *lines]), pytrace=False)

    return check


@pytest.fixture(scope="session")
def coco_mini() -> Path:
    """A few dozen images of COCO 2017 with their annotations, kept beside the repository."""
    folder = Path(__file__).parents[2] / "shared" / "data" / "coco-mini"
    if not folder.is_dir():
        pytest.skip(f"no coco-mini at {folder}")
    return folder


@pytest.fixture
def server():
    """A file server on this machine."""
    made = FileServer()
    yield made
    made.stop()
