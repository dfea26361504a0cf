import pytest
import torch
from safetensors.torch import save_file

from harness.data.weights import R50, write_record
from harness.detection.pretrained import load_imagenet_weights
from harness.errors import DataError

ARCHITECTURE = "mask_rcnn_R50_FPN"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    return tmp_path


def backbone():
    return torch.nn.Sequential(torch.nn.Linear(3, 2), torch.nn.Linear(2, 1))


def write(folder, state, source=R50.sha256) -> None:
    save_file(state, folder / R50.file, {"sha256": source})
    write_record(R50, folder, R50.sha256)


def test_the_weights_of_the_file_are_loaded_and_told(folder, capsys):
    write(
        folder, {key: torch.full_like(value, 7) for key, value in backbone().state_dict().items()}
    )
    body = backbone()
    load_imagenet_weights(ARCHITECTURE, body)
    assert all((value == 7).all() for value in body.state_dict().values())
    assert capsys.readouterr().out == f"ImageNet weights: {folder}/R-50.safetensors\n"


def test_missing_weights_are_told_with_the_place_and_the_command(folder):
    with pytest.raises(
        DataError, match=rf"{folder}/R-50\.safetensors is missing.*harness prepare --weights"
    ):
        load_imagenet_weights(ARCHITECTURE, backbone())


def test_weights_that_lack_a_layer_or_have_one_more_are_refused_by_its_name(folder):
    state = backbone().state_dict()
    write(
        folder,
        {"0.weight": torch.zeros(2, 4), "0.bias": state["0.bias"], "2.bias": state["1.bias"]},
    )
    before = backbone().state_dict()
    body = backbone()
    body.load_state_dict(before)
    with pytest.raises(
        DataError,
        match=r"R-50\.safetensors does not fit mask_rcnn_R50_FPN: missing: 1\.weight, 1\.bias; not "
        r"the model's: 2\.bias; of another shape: 0\.weight \(2, 4\), not \(2, 3\)\. Delete "
        r"R-50\.safetensors and give `harness prepare --weights` again\.",
    ):
        load_imagenet_weights(ARCHITECTURE, body)
    assert all(torch.equal(value, before[key]) for key, value in body.state_dict().items())


def test_a_file_that_changed_since_it_was_converted_is_refused(folder):
    write(folder, backbone().state_dict())
    content = bytearray((folder / R50.file).read_bytes())
    content[-1] ^= 1  # a bit of the last weight: still a safetensors file
    (folder / R50.file).write_bytes(content)
    with pytest.raises(DataError, match=r"R-50\.safetensors is damaged: its sha256 begins"):
        load_imagenet_weights(ARCHITECTURE, backbone())


def test_a_file_of_another_kind_is_refused(folder):
    torch.save(backbone().state_dict(), folder / R50.file)
    write_record(R50, folder, R50.sha256)
    with pytest.raises(DataError, match=r"R-50\.safetensors is no safetensors file: .* again\."):
        load_imagenet_weights(ARCHITECTURE, backbone())


def test_a_file_made_of_other_weights_is_refused_though_it_would_fit(folder):
    write(folder, backbone().state_dict(), source="0123456789abcdef")
    with pytest.raises(
        DataError,
        match=r"R-50\.safetensors was made of other weights \(sha256 01234567\) than those "
        r"published as resnet50_msra-5891d200\.pth\. Delete",
    ):
        load_imagenet_weights(ARCHITECTURE, backbone())


def test_a_file_that_does_not_say_of_what_it_was_made_is_refused(folder):
    save_file(backbone().state_dict(), folder / R50.file)
    write_record(R50, folder, R50.sha256)
    with pytest.raises(DataError, match=r"made of other weights \(sha256 unknown\)"):
        load_imagenet_weights(ARCHITECTURE, backbone())
