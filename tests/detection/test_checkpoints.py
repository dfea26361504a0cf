import errno
import io
import os
import pickle
from pathlib import Path

import pytest
import torch

from harness.detection.checkpoints import (
    newest_checkpoint,
    read_checkpoint,
    refuse_other_annotations,
    restore,
    save_checkpoint,
)
from harness.errors import CheckpointError, HarnessError
from harness.files import temporary_beside
from harness.paths import RunPaths


@pytest.fixture
def paths(tmp_path) -> RunPaths:
    return RunPaths(tmp_path / "3f9c1ab2")


@pytest.fixture
def parts():
    torch.manual_seed(0)
    model = torch.nn.Linear(3, 2)
    return {"model": model, "optimizer": torch.optim.SGD(model.parameters(), lr=0.1, momentum=0.9)}


def save(paths, parts, iteration):
    save_checkpoint(paths, "3f9c1ab2", iteration, parts, "a1" * 32)
    return paths.checkpoint(iteration)


def test_what_was_saved_comes_back(paths, parts):
    save(paths, parts, 4)
    weights = parts["model"].weight.clone()
    with torch.no_grad():
        parts["model"].weight.zero_()
    assert restore(newest_checkpoint(paths, "3f9c1ab2"), parts) == 4
    assert torch.equal(parts["model"].weight, weights)


def test_only_the_newest_two_are_kept(paths, parts):
    for iteration in (2, 4, 6):
        save(paths, parts, iteration)
    assert [path.name for path in sorted(paths.checkpoints.iterdir())] == [
        "iteration_0000004.pth",
        "iteration_0000006.pth",
    ]


@pytest.mark.parametrize("kept_bytes", [0, 10, 0.5, 0.999])
def test_a_checkpoint_cut_short_is_passed_over_for_the_one_before(paths, parts, kept_bytes, capsys):
    save(paths, parts, 2)
    newest = save(paths, parts, 4)
    size = newest.stat().st_size
    os.truncate(newest, int(kept_bytes if kept_bytes in (0, 10) else kept_bytes * size))
    assert newest_checkpoint(paths, "3f9c1ab2")["iteration"] == 2
    assert "iteration_0000004.pth cannot be read" in capsys.readouterr().out


def test_a_flipped_bit_is_found(paths, parts):
    path = save(paths, parts, 2)
    weights = parts["model"].weight.detach().numpy().tobytes()
    content = path.read_bytes()
    at = content.index(weights)
    path.write_bytes(content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :])
    with pytest.raises(CheckpointError, match="is damaged"):
        read_checkpoint(path, "3f9c1ab2")


def test_a_checkpoint_of_another_run_is_refused(paths, parts):
    path = save(paths, parts, 2)
    with pytest.raises(CheckpointError, match="is of run 3f9c1ab2, not 94303a91"):
        read_checkpoint(path, "94303a91")


def test_a_checkpoint_of_other_annotations_is_refused_with_the_file_and_the_way_out(paths, parts):
    checkpoint = read_checkpoint(save(paths, parts, 2), "3f9c1ab2")
    file = Path("data/instances_train.json")
    refuse_other_annotations(checkpoint, "3f9c1ab2", "a1" * 32, file)
    with pytest.raises(
        CheckpointError,
        match=r"run 3f9c1ab2 at iteration 2 was trained on other annotations than data/instances_"
        r"train\.json holds now \(sha256 a1a1a1a1, now b2b2b2b2\)\. Put the file back",
    ):
        refuse_other_annotations(checkpoint, "3f9c1ab2", "b2" * 32, file)


def test_a_missing_checkpoint_is_named(paths):
    with pytest.raises(CheckpointError, match=r"iteration_0000002\.pth is missing"):
        read_checkpoint(paths.checkpoint(2), "3f9c1ab2")


class Payload:
    def __init__(self, witness):
        self.witness = witness

    def __reduce__(self):
        return (open, (self.witness, "w"))


@pytest.mark.parametrize("save_as", ["torch", "pickle"])
def test_a_planted_payload_does_not_run(paths, tmp_path, save_as, monkeypatch):
    # The variable undoes torch's own default; an explicit weights_only=True is not moved by it.
    monkeypatch.setenv("TORCH_FORCE_NO_WEIGHTS_ONLY_LOAD", "1")
    witness = tmp_path / "ran"
    path = paths.checkpoint(2)
    path.parent.mkdir(parents=True)
    planted = {"run_id": "3f9c1ab2", "iteration": 2, "state": Payload(str(witness))}
    if save_as == "torch":
        torch.save(planted, path)
    else:
        path.write_bytes(pickle.dumps(planted))
    with pytest.raises(CheckpointError, match="holds more than plain tensors"):
        read_checkpoint(path, "3f9c1ab2")
    assert not witness.exists()


def test_other_layers_than_the_models_are_refused_by_their_names_before_anything_is_loaded(
    paths, parts
):
    save(paths, parts, 2)
    layers = torch.nn.Linear(3, 5, bias=False), torch.nn.Linear(1, 1)
    other = torch.nn.ModuleDict({"fc": layers[1]})
    other.register_parameter("weight", layers[0].weight)
    before = {name: value.clone() for name, value in other.state_dict().items()}
    with pytest.raises(
        CheckpointError,
        match=r"^The checkpoint of run 3f9c1ab2 at iteration 2 does not fit the model \(missing: "
        r"fc\.weight, fc\.bias; not the model's: bias; of another shape: weight \(2, 3\), not "
        r"\(5, 3\)\): other code or libraries wrote it\. Go on with those .* to train it anew\.$",
    ):
        restore(newest_checkpoint(paths, "3f9c1ab2"), parts | {"model": other})
    assert all(torch.equal(value, before[name]) for name, value in other.state_dict().items())


def test_an_optimizer_of_other_parameters_is_refused_in_one_line(paths, parts):
    save(paths, parts, 2)
    other = torch.optim.SGD([parts["model"].weight], lr=0.1)
    with pytest.raises(CheckpointError, match=r"\(ValueError: .*parameter group.*\): other code"):
        restore(newest_checkpoint(paths, "3f9c1ab2"), parts | {"optimizer": other})


def test_a_checkpoint_without_a_part_that_is_asked_for_is_refused(paths, parts):
    save(paths, {"model": parts["model"]}, 2)
    with pytest.raises(CheckpointError, match=r"does not fit the model \(KeyError: 'optimizer'\)"):
        restore(newest_checkpoint(paths, "3f9c1ab2"), parts)


def test_a_file_that_harness_did_not_write_is_told_by_what_it_lacks(paths, parts):
    path = paths.checkpoint(2)
    path.parent.mkdir(parents=True)
    torch.save({"model": parts["model"].state_dict(), "iteration": 2}, path)
    with pytest.raises(CheckpointError, match=r"0002\.pth lacks run_id, state: harness"):
        read_checkpoint(path, "3f9c1ab2")


class FullAfter(io.RawIOBase):
    """A file on a disk that is full after so many bytes."""

    def __init__(self, room):
        self.room = room

    def writable(self):
        return True

    def write(self, data):
        self.room -= len(data)
        if self.room < 0:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return len(data)


@pytest.mark.parametrize("room", [100, 100_000, 3_000_000])
def test_a_disk_that_fills_up_while_a_checkpoint_is_written_is_told(paths, monkeypatch, room):
    # 4 MB of weights: torch writes them in pieces, and closes its file over the first error.
    save(paths, {"model": torch.nn.Linear(1, 1)}, 2)
    monkeypatch.setattr(Path, "open", lambda *_: FullAfter(room))
    with pytest.raises(HarnessError, match="No space left on the disk"):
        save(paths, {"model": torch.nn.Linear(1000, 1000)}, 4)
    monkeypatch.undo()
    assert newest_checkpoint(paths, "3f9c1ab2")["iteration"] == 2


def test_a_full_disk_leaves_the_checkpoint_before_it(paths, parts):
    save(paths, parts, 2)
    # Writing to /dev/full fails as on a full disk.
    temporary_beside(paths.checkpoint(4)).symlink_to("/dev/full")
    with pytest.raises(HarnessError, match="No space left on the disk"):
        save(paths, parts, 4)
    assert newest_checkpoint(paths, "3f9c1ab2")["iteration"] == 2
