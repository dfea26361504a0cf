"""What is in a bundle, what is not, and that the same results give the same bytes."""

import gzip
import json
import zipfile
from dataclasses import replace

import pytest

from tests.bundle.conftest import (
    PREDICTIONS,
    bundled,
    content_of,
    demo_place,
    leave_predictions,
    verified,
)


@pytest.fixture
def place(tmp_path):
    return demo_place(tmp_path)


def manifest_of(bundle):
    return json.loads(content_of(bundle, "manifest.json"))


def test_a_bundle_holds_each_kind_of_file_and_a_manifest_of_all(table2):
    with zipfile.ZipFile(table2) as archive:
        names = archive.namelist()
    by_folder: dict[str, int] = {}
    for name in names:
        folder = name.rpartition("/")[0]
        by_folder[folder] = by_folder.get(folder, 0) + 1
    # Four rows and their base; a base has no replicates. Formats: md, tex, csv, html, and the same
    # of differences; one run's folder was there; Table II has no figure.
    assert by_folder == {
        "": 3,  # README.md, grid.json, manifest.json
        "environments": 5,
        "experiments": 4,
        "metrics": 5,
        "predictions": 1,
        "published": 1,
        "replicates": 4,
        "specs": 5,
        "tables": 8,
    }
    assert set(manifest_of(table2)["members"]) == set(names) - {"manifest.json"}
    assert names == [*sorted(set(names) - {"manifest.json"}), "manifest.json"]


def test_the_same_results_give_the_same_bytes(place, tmp_path):
    grid = place.grid(["table2"])
    leave_predictions(place, grid.table("table2")[1].spec.run_id)
    one, other = (bundled(place, grid, tmp_path / f"{n}.zip") for n in "12")
    assert one.read_bytes() == other.read_bytes()


def test_predictions_are_gzip_without_time_or_name(table2):
    with zipfile.ZipFile(table2) as archive:
        [name] = [name for name in archive.namelist() if name.startswith("predictions/")]
    packed = content_of(table2, name)
    # RFC 1952: flags 0 (no file name), and four bytes of time.
    assert packed[3:8] == bytes(5)
    assert gzip.decompress(packed) == PREDICTIONS


def test_a_manifest_names_versions_and_what_is_not_in_the_bundle_and_why(table2):
    manifest = manifest_of(table2)
    assert manifest["results"] == "demo"
    assert {"harness", "python", "matplotlib", "pandas"} <= set(manifest["made_with"])
    reasons = set(manifest["left_out"].values())
    assert reasons == {
        "the run's folder, or its predictions, were not where the bundle was made",
        # Those of Tables I and III, which the project has and this grid lacks.
        "not of this grid, or not made of metrics alone, so no bundle could rebuild it",
    }


def test_no_folder_of_this_machine_is_told(table2, tmp_path_factory):
    with zipfile.ZipFile(table2) as archive:
        told = b"".join(archive.read(name) for name in archive.namelist())
    assert str(tmp_path_factory.getbasetemp()).encode() not in told


def test_predictions_that_were_not_scored_are_left_out(place, tmp_path):
    grid = place.grid(["table2"])
    run_id = grid.table("table2")[0].spec.run_id
    leave_predictions(place, run_id, b"[]")
    manifest = manifest_of(bundled(place, grid, tmp_path / "b.zip"))
    name = f"predictions/{run_id}.json.gz"
    assert name not in manifest["members"]
    assert manifest["left_out"][name] == (
        "those in the run's folder are not the ones that its numbers are of"
    )


def test_a_grid_that_is_half_done_makes_a_bundle_that_says_so_and_is_verified(place, tmp_path):
    grid = place.grid(["table2"])
    missing = grid.table("table2")[3].spec.run_id
    place.results.metrics(missing).unlink()
    place.results.replicates(missing).unlink()
    bundle = bundled(place, grid, tmp_path / "b.zip")
    reason = manifest_of(bundle)["left_out"][f"metrics/{missing}.json"]
    assert reason == "no numbers yet: `harness submit` trains what is not done"
    assert verified(bundle).wrong == {}


def test_of_own_images_the_name_of_their_folder_travels_and_no_more(place, tmp_path):
    grid = place.grid(["table2"])
    own = {"train_split": "own_train", "test_split": "own_val", "data_dir": "/home/me/cells"}
    cells = tuple(replace(c, spec=replace(c.spec, **own)) for c in grid.cells)
    grid = replace(grid, cells=cells)
    bundle = bundled(place, grid, tmp_path / "b.zip")
    spec = json.loads(content_of(bundle, f"specs/{cells[0].spec.run_id}.json"))
    assert spec["data_dir"] == "cells"
    assert verified(bundle).wrong == {}
