"""torchvision's ResNets are the oracle: other code, and the names that published weights have."""

import hashlib
import pickle
from dataclasses import replace

import pytest
import torch
import torchvision
from safetensors import safe_open
from safetensors.torch import load_file

from harness.data.weights import R50, R101, WEIGHTS, X101, check_weights
from harness.detection.convert_weights import backbone_of, convert
from harness.detection.pretrained import load_imagenet_weights
from harness.errors import DataError
from harness.grid.architectures import ARCHITECTURES

MODELS = {
    "R-50": torchvision.models.resnet50,
    "R-101": torchvision.models.resnet101,
    "X-101-32x8d": torchvision.models.resnext101_32x8d,
}
OF_WEIGHTS = {
    "R-50": "mask_rcnn_R50_FPN",
    "R-101": "mask_rcnn_R101_FPN",
    "X-101-32x8d": "mask_rcnn_X101_FPN",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def r50():
    """A state dict of R-50's names and shapes, as torchvision has them; norms away from 0 and 1."""
    return network("R-50").state_dict()


def network(name):
    torch.manual_seed(0)
    model = MODELS[name]().eval()
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            for value in (module.weight, module.bias, module.running_mean, module.running_var):
                torch.nn.init.uniform_(value, 0.5, 1.0)
    return model


def published(folder, state):
    path = folder / "published.pth"
    torch.save(state, path)
    return path


@pytest.mark.parametrize(
    "name",
    [
        "R-50",
        pytest.param("R-101", marks=pytest.mark.slow),
        pytest.param("X-101-32x8d", marks=pytest.mark.slow),
    ],
)
def test_the_backbone_computes_what_the_published_network_computes(name, folder, monkeypatch):
    model = network(name)
    if (
        name != "X-101-32x8d"
    ):  # MSRA's ResNets stride in the 1x1 convolution, torchvision's in the 3x3
        for stage in (model.layer2, model.layer3, model.layer4):
            stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    path = published(folder, model.state_dict())
    digits = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    weights = replace(WEIGHTS[name], sha256=digits)
    known = replace(ARCHITECTURES[OF_WEIGHTS[name]], weights=weights)
    monkeypatch.setitem(ARCHITECTURES, OF_WEIGHTS[name], known)
    convert(path, weights, folder)
    body = backbone_of(weights).to_empty(device="cpu").eval()
    load_imagenet_weights(OF_WEIGHTS[name], body)
    images = torch.rand(2, 3, 64, 96)
    with torch.no_grad():
        stem = model.maxpool(model.relu(model.bn1(model.conv1(images))))
        expected = model.layer4(model.layer3(model.layer2(model.layer1(stem))))
        found = body(images)["res5"]
    assert found.shape == (2, 2048, 2, 3)  # a 32nd of 64 x 96
    assert expected.std() > 1e-3  # something comes through
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-3 * float(expected.std()))


def test_every_value_of_the_backbone_is_filled_and_the_file_says_from_what(r50, folder):
    path = published(folder, r50)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    convert(path, R50, folder)
    check_weights([replace(R50, sha256=digest[:8])])
    with pytest.raises(DataError, match=f"made of another file than {R50.published}"):
        check_weights([R50])
    state = load_file(folder / "R-50.safetensors")
    assert set(state) == set(backbone_of(R50).state_dict())
    assert torch.equal(state["stem.conv1.weight"], r50["conv1.weight"])
    assert torch.equal(state["res4.5.conv2.norm.running_var"], r50["layer3.5.bn2.running_var"])
    assert torch.equal(state["res2.0.shortcut.norm.bias"], r50["layer1.0.downsample.1.bias"])
    with safe_open(folder / "R-50.safetensors", "pt") as file:
        assert file.metadata() == {
            "source": R50.url,
            "sha256": digest,
        }


def test_what_a_detector_has_no_place_for_is_left_out(r50, folder):
    # As R-50 was published: with a bias of the first convolution, without classifier and counters.
    body = {
        key: value
        for key, value in r50.items()
        if not key.startswith("fc.") and not key.endswith("num_batches_tracked")
    }
    convert(published(folder, {"state_dict": body | {"conv1.bias": torch.ones(64)}}), R50, folder)
    without = load_file(folder / "R-50.safetensors")
    convert(published(folder, r50), R50, folder)
    assert set(without) == set(load_file(folder / "R-50.safetensors"))


def test_a_value_that_is_missing_or_of_no_known_use_is_named(r50, folder):
    state = {key: value for key, value in r50.items() if key != "layer1.0.bn1.running_mean"}
    with pytest.raises(
        DataError,
        match=r"published\.pth does not hold the weights of R-50: missing: res2\.0\.conv1\.norm\."
        r"running_mean; not the model's: res2\.0\.conv2\.bias\. They are those of https://.*fetch",
    ):
        convert(published(folder, state | {"layer1.0.conv2.bias": torch.ones(64)}), R50, folder)
    assert not (folder / "R-50.safetensors").exists()


@pytest.mark.parametrize("weights", [R101, X101], ids=["R-101", "X-101-32x8d"])
def test_the_weights_of_another_network_are_refused(weights, r50, folder):
    with pytest.raises(DataError, match=rf"does not hold the weights of {weights.name}: missing"):
        convert(published(folder, r50), weights, folder)


class Payload:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return (open, (self.witness, "w"))


@pytest.mark.parametrize("save_as", ["torch", "pickle"])
def test_a_planted_payload_does_not_run(folder, save_as, monkeypatch):
    # The variable undoes torch's own default; an explicit weights_only=True is not moved by it.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    witness, path = folder / "ran", folder / "published.pth"
    planted = {"conv1.weight": Payload(str(witness))}
    if save_as == "torch":
        torch.save(planted, path)
    else:
        path.write_bytes(pickle.dumps(planted))
    with pytest.raises(DataError, match=r"cannot be read .*could run code"):
        convert(path, R50, folder)
    assert not witness.exists()


@pytest.mark.parametrize("content", [{"epoch": 3}, [1, 2], {"state_dict": {"conv1.weight": 1.0}}])
def test_a_file_that_is_no_state_dict_is_refused(content, folder):
    with pytest.raises(DataError, match=r"published\.pth (cannot be read|holds more than tensors)"):
        convert(published(folder, content), R50, folder)
