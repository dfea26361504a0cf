"""COCO from the internet, in its place: archives fetched and unpacked, and single images."""

import os
from pathlib import Path

from harness.data.archives import Archive, place_of
from harness.data.fetch import curl, fetch
from harness.data.progress import Watch, unwatched
from harness.data.unpack import DAMAGED, unpack
from harness.errors import DownloadError


def download(archive: Archive, coco: Path, watch: Watch = unwatched) -> None:
    """Fetch an archive, unpack it, and delete it.

    Stopped at whatever point, the same call goes on from there. An archive that was put by hand
    where it is unpacked is not fetched.

    Args:
        archive: what to fetch.
        coco: the folder coco/; made where it is missing.
        watch: around the fetching and the unpacking, both in bytes.

    Raises:
        DownloadError: it cannot be fetched, is damaged, or would write outside of its folder.
        HarnessError: the disk is full.
    """
    file = place_of(archive, coco)
    with watch(archive.name) as progress:
        fetch(archive.url, file, checksum=archive.checksum, progress=progress)
    try:
        with watch(f"{archive.name}, unpacking") as progress:
            unpack(file, file.parent, progress)
    except DAMAGED as error:
        file.unlink()
        raise DownloadError(
            f"{file} is damaged, or no {'ZIP' if file.suffix == '.zip' else 'tar'} file: {error}. "
            f"It was deleted. Give the same command again, or {curl(archive.url, file)}."
        ) from error
    os.sync()  # before what could replace it is deleted
    file.unlink()


def download_image(url: str, path: Path, watch: Watch = unwatched) -> None:
    """Fetch one image; a damaged one that lies in its place stays until the new one is whole.

    Args:
        url: of the image.
        path: its place.
        watch: around the fetching, in bytes.

    Raises:
        DownloadError: it cannot be fetched.
        HarnessError: the disk is full.
    """
    new = path.with_name(f"{path.name}.new")
    with watch(path.name) as progress:
        fetch(url, new, progress=progress)
    os.replace(new, path)
