"""Whatever a stranger sends instead of a bundle gets one clear error, and nothing is written."""

import gzip
import json
import zipfile
from copy import copy
from random import Random

import pytest

from harness.errors import BundleError
from tests.bundle.conftest import content_of, verified, write_zip


def test_no_file_a_folder_and_what_is_no_zip_are_told_apart(tmp_path):
    with pytest.raises(BundleError, match="no file is there"):
        verified(tmp_path / "none.zip")
    with pytest.raises(BundleError, match=r"it cannot be read \(Is a directory"):
        verified(tmp_path)
    (tmp_path / "text.zip").write_text("text")
    with pytest.raises(BundleError, match="it is no zip file, or cut short"):
        verified(tmp_path / "text.zip")
    with pytest.raises(BundleError, match="no file is there"):
        verified(tmp_path / "text.zip" / "below")


@pytest.mark.parametrize("part", [0.1, 0.5, 0.9, 0.999])
def test_a_bundle_that_was_cut_short_is_refused(table2, tmp_path, part):
    whole = table2.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(whole[: int(len(whole) * part)])
    with pytest.raises(BundleError, match="it is no zip file, or cut short"):
        verified(cut)


def test_a_byte_that_was_flipped_on_the_way_is_found(table2, tmp_path):
    with zipfile.ZipFile(table2) as archive:
        info = archive.getinfo("tables/table2.md")
    content = bytearray(table2.read_bytes())
    content[info.header_offset + 200] ^= 1
    flipped = tmp_path / "flipped.zip"
    flipped.write_bytes(content)
    with pytest.raises(BundleError, match=r"tables/table2\.md"):
        verified(flipped)


def test_another_zip_is_no_bundle(tmp_path):
    with pytest.raises(BundleError, match=r"it has no manifest\.json, so it is no bundle"):
        verified(write_zip(tmp_path / "other.zip", {"a.txt": b"a"}))


@pytest.mark.parametrize(
    "name",
    [
        "../evil.json",
        "metrics/../../evil.json",
        "/etc/evil.json",
        "metrics/a/b.json",
        "C:\\evil.json",
        "metrics/",
        "metrics/\x1b[2J.json",
        ".",
    ],
)
def test_a_name_that_leads_elsewhere_is_refused(sent, name, tmp_path):
    bundle = sent({name: b"{}"}, adapted=True)
    with pytest.raises(BundleError, match="is no name for a file in it"):
        verified(bundle)
    assert list(tmp_path.iterdir()) == [bundle]


def test_a_link_is_refused(table2, sent):
    bundle = sent({}, adapted=False)
    link = zipfile.ZipInfo("metrics/link.json")
    link.external_attr = 0o120777 << 16  # S_IFLNK
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(BundleError, match=r"'metrics/link\.json' is a link or a device"):
        verified(bundle)


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_that_is_there_twice_is_refused(sent):
    bundle = sent({}, adapted=False)
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("grid.json", "{}")
    with pytest.raises(BundleError, match=r"'grid\.json' is in it 2 times"):
        verified(bundle)


def test_a_file_that_only_the_zip_or_only_the_manifest_has_is_named(sent):
    with pytest.raises(BundleError, match=r"'metrics/a\.json': the manifest does not name it"):
        verified(sent({"metrics/a.json": b"{}"}, adapted=False))
    with pytest.raises(BundleError, match=r"'grid\.json': the zip lacks it"):
        verified(sent({"grid.json": None}, adapted=False))


def test_a_size_that_the_manifest_does_not_promise_is_refused(sent):
    with pytest.raises(BundleError, match=r"'grid\.json' has 2 bytes, and by the manifest \d+"):
        verified(sent({"grid.json": b"{}"}, adapted=False))


def test_a_bomb_is_refused_before_it_is_unpacked(sent):
    # Deflate packs 8 MB of zeros to a thousandth.
    with pytest.raises(BundleError, match=r"'metrics/a\.json' unpacks to 8 MB from 7 kB"):
        verified(sent({"metrics/a.json": bytes(8 << 20)}, adapted=True))


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_is_packed_in_a_way_that_unpacks_without_bounds_is_refused(table2, sent, method):
    # zipfile bounds what deflate gives, a piece at a time; of others it unpacks all that it read.
    bundle = sent({"tables/table2.md": None}, adapted=False)
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr("tables/table2.md", content_of(table2, "tables/table2.md"), method)
    with pytest.raises(BundleError, match=r"'tables/table2\.md' is packed by method 1[24], and ha"):
        verified(bundle)


def test_gzip_that_is_packed_once_more_is_refused(table2, sent):
    # 200 to 1 within 200 to 1 would be 40 GB in 1 MB.
    name = replicates_in(table2)
    bundle = sent({name: None}, adapted=False)
    with zipfile.ZipFile(bundle, "a") as archive:
        archive.writestr(name, content_of(table2, name), zipfile.ZIP_DEFLATED)
    with pytest.raises(BundleError, match=f"'{name}' is packed twice"):
        verified(bundle)


def test_files_that_share_their_bytes_are_refused(table2, sent):
    # So that the sum of all that unpacks is bounded by the size of what was sent.
    bundle = sent({}, adapted=False)
    with zipfile.ZipFile(bundle, "a") as archive:
        for n in range(100):
            info = copy(archive.getinfo(replicates_in(table2)))
            info.filename = info.orig_filename = f"predictions/{n:08x}.json.gz"
            archive.filelist.append(info)
        archive.writestr("metrics/a.json", b"{}")  # so that the list is written anew
    with pytest.raises(BundleError, match=r"its files have \d+ bytes, and the zip \d+"):
        verified(bundle)


def test_a_sum_of_small_files_that_is_too_much_is_refused(sent, monkeypatch):
    monkeypatch.setattr("harness.bundle.read.LARGEST_SUM", 3 << 20)
    bundle = sent({f"tables/{n}.md": bytes(1 << 20) for n in range(4)}, adapted=True)
    with pytest.raises(BundleError, match="it unpacks to 4 MB beside its predictions: too much"):
        verified(bundle)


def replicates_in(bundle):
    return min(
        name
        for name in json.loads(content_of(bundle, "manifest.json"))["members"]
        if name.startswith("replicates/")
    )


def test_a_bomb_within_gzip_is_refused_before_it_is_unpacked(table2, sent):
    members = json.loads(content_of(table2, "manifest.json"))["members"]
    for folder in ("predictions", "replicates"):
        name = min(name for name in members if name.startswith(folder))
        bomb = gzip.compress(bytes(8 << 20))
        with pytest.raises(BundleError, match=f"{name} unpacks to more than such a file can hold"):
            verified(sent({name: bomb}, adapted=True))


def test_gzip_of_just_one_piece_is_unpacked_whole(table2, sent):
    # 1 MB is what is unpacked at once: the end must not be lost with it.
    name = min(
        name
        for name in json.loads(content_of(table2, "manifest.json"))["members"]
        if name.startswith("predictions")
    )
    content = gzip.compress(Random(0).randbytes(1 << 20))
    with pytest.raises(BundleError, match="are not the predictions that run"):
        verified(sent({name: content}, adapted=True))


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"schema": 2}, "its manifest has schema 2, and this harness reads 1"),
        ({"members": []}, "its manifest is damaged: members"),
        ({"left_out": {"a": 1}}, "its manifest is damaged: left_out.a"),
        ({"left_out": {"\x1b[2J": 1}}, r"its manifest is damaged: left_out\.\?\[2J"),
    ],
)
def test_a_manifest_of_another_schema_or_form_is_refused(table2, sent, change, told):
    manifest = json.loads(content_of(table2, "manifest.json")) | change
    with pytest.raises(BundleError, match=told):
        verified(sent({"manifest.json": json.dumps(manifest).encode()}, adapted=False))


def test_a_manifest_that_is_no_json_is_refused(sent):
    for content in (b"", b"[]", b"{", b"\xff"):
        with pytest.raises(BundleError, match="its manifest is damaged"):
            verified(sent({"manifest.json": content}, adapted=False))
