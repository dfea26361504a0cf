"""What is in a bundle, what is not, and that the same results give the same bytes."""

import gzip
import json
import re
import shutil
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from harness.errors import BundleError, ResultsError
from harness.rebuild import write_all
from tests.bundle.conftest import (
    PREDICTIONS,
    PROJECT,
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


def test_a_table_whose_name_no_file_can_have_elsewhere_is_refused(place, tmp_path):
    grid = place.grid(["table2"])
    cells = tuple(replace(cell, table="a:b") for cell in grid.cells)
    grid = replace(grid, cells=cells, layouts={"a:b": grid.layouts["table2"]})
    with pytest.raises(BundleError, match=r"cannot hold a table named 'a:b'. Give its experiment"):
        bundled(place, grid, tmp_path / "b.zip")


def test_an_experiments_file_whose_name_is_none_elsewhere_is_left_out(place, tmp_path):
    place = replace(place, experiments=tmp_path / "experiments")
    shutil.copytree(PROJECT / "experiments", place.experiments)
    for name in ("_a:b.py", "_ok.py"):  # no experiments, which begin with another letter
        (place.experiments / name).write_text("")
    bundle = bundled(place, place.grid(["table2"]), tmp_path / "b.zip")
    manifest = manifest_of(bundle)
    assert "experiments/_ok.py" in manifest["members"]
    assert "experiments/_a:b.py" not in manifest["members"]
    assert manifest["left_out"]["experiments/_a:b.py"] == (
        "a file in a bundle cannot have such a name: rename it"
    )
    assert verified(bundle).wrong == {}


def test_hidden_files_and_folders_beside_tables_are_no_results(place, tmp_path):
    tables = place.results.folder / "tables"
    (tables / ".table2.md.gpu07.1.tmp").write_text("a write that goes on")
    (tables / ".DS_Store").write_text("")
    (tables / "old").mkdir()
    (tables / "own.md").write_text("")
    left_out = manifest_of(bundled(place, place.grid(["table2"]), tmp_path / "b.zip"))["left_out"]
    of_tables = {name for name in left_out if name.startswith("tables/")}
    assert "tables/own.md" in of_tables
    assert not of_tables & {"tables/.table2.md.gpu07.1.tmp", "tables/.DS_Store", "tables/old"}
    assert "gpu07" not in json.dumps(left_out)


def test_predictions_that_may_not_be_read_are_left_out_and_the_rest_is_bundled(
    place, tmp_path, monkeypatch
):
    grid = place.grid(["table2"])
    one, other = (grid.table("table2")[n].spec.run_id for n in range(2))
    for run_id in (one, other):
        leave_predictions(place, run_id)
    colleagues = place.runs.run(one).results
    really = Path.open

    def refuse(self, *arguments, **more):
        if self == colleagues:
            raise PermissionError(13, "Permission denied", str(self))
        return really(self, *arguments, **more)

    monkeypatch.setattr("pathlib.Path.open", refuse)
    manifest = manifest_of(bundled(place, grid, tmp_path / "b.zip"))
    assert f"predictions/{other}.json.gz" in manifest["members"]
    assert manifest["left_out"][f"predictions/{one}.json.gz"] == (
        "the user who made the bundle may not read them, or they are no file"
    )


def test_predictions_of_a_run_without_replicates_are_left_out(place, tmp_path):
    grid = place.grid(["table2"])
    run_id = grid.table("table2")[0].spec.run_id
    leave_predictions(place, run_id)
    place.results.replicates(run_id).unlink()
    bundle = bundled(place, grid, tmp_path / "b.zip")
    assert manifest_of(bundle)["left_out"][f"predictions/{run_id}.json.gz"] == (
        "no replicates tell whether those in the run's folder are the ones its numbers are of"
    )
    assert verified(bundle).wrong == {}


def test_a_run_that_is_collected_meanwhile_is_in_the_next_bundle(place, tmp_path, monkeypatch):
    grid = place.grid(["table2"])
    late = place.results.metrics(grid.table("table2")[3].spec.run_id)
    content = late.read_bytes()
    late.unlink()

    def and_another_collects(*arguments):
        written = write_all(*arguments)
        late.write_bytes(content)
        return written

    monkeypatch.setattr("harness.rebuild.write_all", and_another_collects)
    bundle = bundled(place, grid, tmp_path / "b.zip")
    assert late.exists()
    assert f"metrics/{late.name}" not in manifest_of(bundle)["members"]
    monkeypatch.undo()
    assert verified(bundle).wrong == {}
    after = bundled(place, grid, tmp_path / "after.zip")
    assert f"metrics/{late.name}" in manifest_of(after)["members"]


def test_the_tables_in_the_results_are_those_of_the_bundle(place, tmp_path):
    table = place.results.table("table2", "md")
    table.write_text("of last week")
    bundle = bundled(place, place.grid(["table2"]), tmp_path / "b.zip")
    assert table.read_bytes() == content_of(bundle, "tables/table2.md")
    assert b"32.95" in table.read_bytes()  # the contour loss's mAP


def test_what_is_damaged_is_named_where_it_is(place, tmp_path):
    grid = place.grid(["table2"])
    damaged = place.results.metrics(grid.table("table2")[0].spec.run_id)
    damaged.write_text("{")
    with pytest.raises(ResultsError, match=f"^{re.escape(str(damaged))} "):
        bundled(place, grid, tmp_path / "b.zip")
    assert not (tmp_path / "b.zip").exists()
    place = demo_place(tmp_path / "other")
    place = replace(place, published=tmp_path / "nothing")
    with pytest.raises(ResultsError, match=re.escape(f"{tmp_path}/nothing/table2.csv")):
        bundled(place, grid, tmp_path / "b.zip")
