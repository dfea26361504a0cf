import hashlib
import io

import pytest
import torch
import torchvision

from harness.commands.weights import prepare_weights
from harness.data.weights import Weights, check_weights
from harness.errors import DownloadError, LaunchError


@pytest.fixture(scope="module")
def content() -> bytes:
    """R-50 as it is published; torchvision's has the same names and shapes."""
    file = io.BytesIO()
    torch.save(torchvision.models.resnet50().state_dict(), file)
    return file.getvalue()


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path / "weights"))
    return tmp_path / "weights"


@pytest.fixture
def r50(content, server, monkeypatch) -> Weights:
    """The only weights there are, on a server of this machine."""
    digits = hashlib.sha256(content).hexdigest()[:8]
    weights = Weights("R-50", server.url(f"resnet50-{digits}.pth"), digits)
    server.files[weights.published] = content
    monkeypatch.setattr("harness.commands.weights.WEIGHTS", {"R-50": weights})
    return weights


def test_missing_weights_are_fetched_and_made_once(r50, server, folder, capsys):
    prepare_weights()
    check_weights([r50])
    out, err = capsys.readouterr()
    assert out == f"{folder}/R-50.safetensors: made, whole\n"
    assert err.startswith(f"{folder}/R-50.safetensors is missing.\n")
    assert {path.name for path in folder.iterdir()} == {"R-50.safetensors", "R-50.safetensors.json"}

    prepare_weights()
    assert capsys.readouterr().out == f"{folder}/R-50.safetensors: there, whole\n"
    assert len(server.asked) == 1


def test_a_damaged_file_is_made_anew(r50, folder, capsys):
    prepare_weights()
    (folder / "R-50.safetensors").write_bytes(b"half")
    prepare_weights()
    check_weights([r50])
    assert "has 4 bytes, not" in capsys.readouterr().err


def test_a_file_that_was_put_there_by_hand_needs_no_network_and_stays(r50, content, server, folder):
    folder.mkdir()
    (folder / r50.published).write_bytes(content)
    prepare_weights()
    check_weights([r50])
    assert server.asked == []
    assert (folder / r50.published).exists()


def test_without_a_network_every_file_is_told_with_its_command(server, folder, monkeypatch):
    names = ("R-50", "R-101")
    weights = {
        name: Weights(name, server.url(f"{name}-12345678.pth"), "12345678") for name in names
    }
    monkeypatch.setattr("harness.commands.weights.WEIGHTS", weights)
    server.stop()
    with pytest.raises(DownloadError) as error:
        prepare_weights()
    first, *files = str(error.value).splitlines()
    assert first == "2 of 2 could not be made."
    for name, line in zip(names, files, strict=True):
        assert "Connection refused" in line
        assert f"`curl -fL -C - -O {weights[name].url}`" in line
        assert f"copy it to {folder}" in line


def test_wrong_bytes_are_not_converted(r50, server, folder):
    server.files[r50.published] = b"something else"
    with pytest.raises(DownloadError, match=rf"its sha256 begins [0-9a-f]{{8}}, not {r50.sha256}"):
        prepare_weights()
    assert list(folder.iterdir()) == []


def test_without_detectron2_nothing_is_fetched(r50, server, monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(LaunchError, match="detectron2 is not installed"):
        prepare_weights()
    assert server.asked == []
