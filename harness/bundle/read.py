"""Reads a bundle that anybody may have sent: nothing in it is believed before it is checked.

Members are read as streams and never by their names on disk, so a name can lead nowhere and a size
can promise nothing. What all of it can unpack to is bounded by the size of what was sent.
"""

import hashlib
import stat
import struct
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.bundle import members
from harness.bundle.manifest import Manifest, read_manifest
from harness.errors import BundleError

LARGEST = 1 << 26  # bytes: of every member but predictions
LARGEST_SUM = 1 << 31  # bytes: of all of them
MOST_RATIO = 200  # unpacked to packed bytes: text packs to a tenth or so
SMALL = 1 << 20  # bytes: of these, any ratio
CHUNK = 1 << 20
# What harness writes, and all that zipfile unpacks a piece at a time: of other methods it unpacks
# all that it has read, and bytes can become gigabytes.
METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
NO_ZIP = (zipfile.BadZipFile, ValueError, OverflowError, struct.error, NotImplementedError)
DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError)


@dataclass(frozen=True)
class Bundle:
    """An open bundle whose list of members is checked; their contents are as they are read.

    Attributes:
        archive: the zip.
        manifest: what it says of itself.
    """

    archive: zipfile.ZipFile
    manifest: Manifest

    def stream(self, name: str) -> Iterator[bytes]:
        """The content of a member in pieces.

        Raises:
            BundleError: it is damaged, or not what the manifest says, which the last piece tells.
        """
        promised = self.manifest.members[name]
        sha256, size = hashlib.sha256(), 0
        for piece in _pieces(self.archive, name):
            sha256.update(piece)
            size += len(piece)
            if size > promised.size:
                break
            yield piece
        if (size, sha256.hexdigest()) != (promised.size, promised.sha256):
            raise BundleError(
                f"{name} is not the file that was bundled (its sha256 begins "
                f"{sha256.hexdigest()[:8]}, and the manifest says {promised.sha256[:8]!r}). It was "
                "changed or damaged: ask for the bundle again"
            )

    def read(self, name: str) -> bytes:
        """The content of a member that is no predictions.

        Raises:
            BundleError: it is not there, damaged, or not what the manifest says.
        """
        if name not in self.manifest.members:
            raise BundleError(f"{name} is not in it, and needed")
        return b"".join(self.stream(name))

    def unpacked(self, name: str) -> Iterator[bytes]:
        """The content of a gzip member, unpacked, in pieces.

        Raises:
            BundleError: it is no gzip, cut short, longer than what packs so well can be, or not
                what the manifest says.
        """
        most = max(SMALL, MOST_RATIO * self.manifest.members[name].size)
        if members.folder_of(name) != "predictions":
            most = min(most, LARGEST)
        inflate = zlib.decompressobj(wbits=16 + zlib.MAX_WBITS)
        size = 0
        for piece in self.stream(name):
            while piece:
                try:
                    plain = inflate.decompress(piece, CHUNK)
                except zlib.error as error:
                    raise BundleError(f"{name} does not unpack ({error})") from error
                size += len(plain)
                if size > most:
                    raise BundleError(f"{name} unpacks to more than such a file can hold")
                yield plain
                piece = inflate.unconsumed_tail
        yield inflate.flush()  # some kB that had no room in the last piece
        if not inflate.eof:
            raise BundleError(f"{name} does not unpack: it is cut short")
        if inflate.unused_data:
            raise BundleError(f"{name} does not unpack: something else follows its end")


@contextmanager
def open_bundle(path: Path) -> Iterator[Bundle]:
    """The bundle in `path`, its members' names and sizes checked.

    Raises:
        BundleError: it is no bundle, or one that was tampered with.
    """
    try:
        archive = zipfile.ZipFile(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise BundleError("no file is there. `harness bundle` writes one") from error
    except OSError as error:
        raise BundleError(f"it cannot be read ({error.strerror})") from error
    except NO_ZIP as error:
        raise BundleError(f"it is no zip file, or cut short ({error})") from error
    with archive:
        infos = archive.infolist()
        for name, times in Counter(info.orig_filename for info in infos).items():
            if times > 1:
                raise BundleError(f"{name!r:.80} is in it {times} times")
        for info in infos:
            _check_member(info)
        _check_sizes(infos, path.stat().st_size)
        if members.MANIFEST not in archive.namelist():
            raise BundleError(f"it has no {members.MANIFEST}, so it is no bundle of harness")
        manifest = read_manifest(b"".join(_pieces(archive, members.MANIFEST)))
        _check_list(manifest, infos)
        yield Bundle(archive, manifest)


def _check_member(info: zipfile.ZipInfo) -> None:
    name, mode = info.orig_filename, info.external_attr >> 16
    # One folder at most, and not the name of one.
    if name.count("/") > 1 or not all(map(members.is_file_name, name.split("/"))):
        raise BundleError(f"{name!r:.80} is no name for a file in it")
    if mode and not stat.S_ISREG(mode) and stat.S_IFMT(mode):
        raise BundleError(f"{name!r:.80} is a link or a device, and no file")
    if info.flag_bits & 0x1:
        raise BundleError(f"{name!r:.80} is encrypted")
    if info.compress_type not in METHODS:
        raise BundleError(
            f"{name!r:.80} is packed by method {info.compress_type}, and harness stores or deflates"
        )
    if name.endswith(".gz") and info.compress_type != zipfile.ZIP_STORED:
        raise BundleError(f"{name!r:.80} is packed twice, and harness stores what is gzip")
    predictions = members.folder_of(name) == "predictions"
    if not predictions and info.file_size > LARGEST:
        raise BundleError(f"{name!r:.80} is too large ({info.file_size >> 20} MB)")
    if info.file_size > max(SMALL, MOST_RATIO * info.compress_size):
        raise BundleError(
            f"{name!r:.80} unpacks to {info.file_size >> 20} MB from "
            f"{info.compress_size >> 10} kB: no such file packs so well"
        )


def _check_sizes(infos: list[zipfile.ZipInfo], size: int) -> None:
    """Members share no bytes of a zip of `size` bytes, and unpack to no more than a grid's do."""
    packed = sum(info.compress_size for info in infos)
    if packed > size:
        raise BundleError(f"its files have {packed} bytes, and the zip {size}: they share some")
    total = sum(
        info.file_size for info in infos if members.folder_of(info.filename) != "predictions"
    )
    if total > LARGEST_SUM:
        raise BundleError(f"it unpacks to {total >> 20} MB beside its predictions: too much")


def _check_list(manifest: Manifest, infos: list[zipfile.ZipInfo]) -> None:
    """The zip and its manifest name the same files with the same sizes."""
    sizes = {info.filename: info.file_size for info in infos if info.filename != members.MANIFEST}
    for name in sorted(sizes.keys() ^ manifest.members.keys()):
        where = "the manifest does not name it" if name in sizes else "the zip lacks it"
        raise BundleError(f"{name!r:.80}: {where}. Ask for the bundle again")
    for name, size in sizes.items():
        if size != manifest.members[name].size:
            raise BundleError(
                f"{name!r:.80} has {size} bytes, and by the manifest "
                f"{manifest.members[name].size}. Ask for the bundle again"
            )


def _pieces(archive: zipfile.ZipFile, name: str) -> Iterator[bytes]:
    try:
        with archive.open(name) as file:
            while piece := file.read(CHUNK):
                yield piece
    except DAMAGED as error:
        raise BundleError(f"{name!r:.80} cannot be read: {error}") from error
