import os
import pickle

import pytest
import torch

from harness.detection.pretrained import load_imagenet_weights
from harness.errors import DataError

R50 = "mask_rcnn_R50_FPN"


@pytest.fixture
def file(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    return tmp_path / "R-50.pth"


def backbone():
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))


def test_the_weights_of_the_file_are_loaded_and_its_classifier_is_not(file):
    state = {name: torch.full_like(value, 7) for name, value in backbone().state_dict().items()}
    torch.save(state | {"linear.weight": torch.zeros(5), "linear.bias": torch.zeros(5)}, file)
    body = backbone()
    load_imagenet_weights(R50, body)
    assert all((value == 7).all() for value in body.state_dict().values())


def test_missing_weights_are_told_with_the_place_and_the_variable(file):
    with pytest.raises(DataError, match=rf"are not at {file}\. .*folder in HARNESS_WEIGHTS"):
        load_imagenet_weights(R50, backbone())


def test_the_weights_of_other_layers_are_refused(file):
    torch.save(torch.nn.Linear(3, 2).state_dict(), file)
    with pytest.raises(DataError, match=rf"{file} holds no weights of mask_rcnn_R50_FPN"):
        load_imagenet_weights(R50, backbone())


@pytest.mark.parametrize("kept", [0, 0.5, 0.99])
def test_a_file_cut_short_is_told_with_its_path_and_the_way_out(file, kept):
    torch.save(backbone().state_dict(), file)
    os.truncate(file, int(kept * file.stat().st_size))
    with pytest.raises(DataError, match=rf"{file} cannot be read .*Copy or convert it again"):
        load_imagenet_weights(R50, backbone())


class Payload:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return (open, (self.witness, "w"))


@pytest.mark.parametrize("save_as", ["torch", "pickle"])
def test_a_planted_payload_does_not_run(file, tmp_path, save_as, monkeypatch):
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    witness = tmp_path / "ran"
    planted = {"stem.conv1.weight": Payload(str(witness))}
    if save_as == "torch":
        torch.save(planted, file)
    else:
        file.write_bytes(pickle.dumps(planted))
    with pytest.raises(DataError, match="cannot be read"):
        load_imagenet_weights(R50, backbone())
    assert not witness.exists()
