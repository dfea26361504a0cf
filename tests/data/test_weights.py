import hashlib
import json
import os
import re

import pytest

from harness.data.weights import (
    R50,
    WEIGHTS,
    check_weights,
    fault,
    weights_folder,
    write_record,
)
from harness.errors import DataError
from harness.grid.architectures import ARCHITECTURES, weights_of


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with R-50, whole."""
    monkeypatch.setenv("HARNESS_WEIGHTS", str(tmp_path))
    (tmp_path / "R-50.safetensors").write_bytes(b"weights")
    write_record(R50, tmp_path, R50.sha256)
    return tmp_path


def damage(folder, content: bytes) -> None:
    path = folder / "R-50.safetensors"
    later = path.stat().st_mtime_ns + 10**9  # clocks of file systems tick slowly
    path.write_bytes(content)
    os.utime(path, ns=(later, later))


def test_every_architecture_has_known_weights_and_htc_those_of_its_r50():
    assert {one.weights for one in ARCHITECTURES.values()} == set(WEIGHTS.values())
    assert weights_of(["mask_rcnn_R50_FPN", "htc_R50_FPN"]) == (R50,)


@pytest.mark.parametrize("weights", WEIGHTS.values(), ids=WEIGHTS)
def test_a_published_name_ends_in_the_digits_of_its_hash(weights):
    assert re.fullmatch(rf".+-{weights.sha256}\.pth", weights.published)
    assert len(weights.sha256) == 8


def test_the_folder_is_that_of_the_environment_or_weights_here(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HARNESS_WEIGHTS", raising=False)
    assert weights_folder() == tmp_path / "weights"
    monkeypatch.setenv("HARNESS_WEIGHTS", "~/w")
    assert str(weights_folder()).endswith("/w")
    assert "~" not in str(weights_folder())


def test_a_whole_file_has_no_fault(folder):
    assert fault(R50, folder, look_inside=True) == ""
    check_weights([R50])


def test_the_record_is_the_size_and_hash_of_the_file(folder):
    record = json.loads((folder / "R-50.safetensors.json").read_text())
    found = hashlib.sha256(b"weights").hexdigest()
    assert record == {"bytes": 7, "sha256": found, "source": R50.sha256}


def test_a_file_cut_short_is_found_without_looking_inside(folder):
    damage(folder, b"weigh")
    assert fault(R50, folder, look_inside=False) == (
        f"{folder}/R-50.safetensors has 5 bytes, not 7: it is cut short or another's"
    )


def test_a_damaged_file_is_found_by_its_hash_alone(folder):
    damage(folder, b"weighty")
    assert fault(R50, folder, look_inside=False) == ""
    # The first digits of sha256 of b"weighty" and of b"weights".
    assert "is damaged: its sha256 begins 0775d5ad, not 9a129038" in fault(
        R50, folder, look_inside=True
    )


def test_a_file_that_was_replaced_in_this_process_is_hashed_again(folder):
    assert fault(R50, folder, look_inside=True) == ""
    damage(folder, b"weighty")
    assert "is damaged" in fault(R50, folder, look_inside=True)
    damage(folder, b"weights")
    assert fault(R50, folder, look_inside=True) == ""


@pytest.mark.parametrize("name", ["R-50.safetensors", "R-50.safetensors.json"])
def test_a_missing_file_is_told_by_its_path(name, folder):
    (folder / name).unlink()
    assert fault(R50, folder, look_inside=False) == f"{folder / name} is missing"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"bytes": 7'])
def test_a_damaged_record_is_told(text, folder):
    (folder / "R-50.safetensors.json").write_text(text)
    assert fault(R50, folder, look_inside=True).endswith("R-50.safetensors.json is damaged")


def test_all_that_is_missing_is_told_at_once_with_the_command_that_gets_it(folder):
    with pytest.raises(
        DataError,
        match=rf"ImageNet weights: {folder}/R-101\.safetensors is missing; {folder}/X-101-32x8d\."
        r"safetensors is missing\. Give `harness prepare --weights` on a machine with internet, or "
        r"name the folder that has them in HARNESS_WEIGHTS\.",
    ):
        check_weights(WEIGHTS.values())
