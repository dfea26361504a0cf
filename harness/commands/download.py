"""`harness prepare --download`: what a grid's data lacks of COCO, fetched and unpacked."""

from collections.abc import Collection
from pathlib import Path

from harness.commands.messages import tell
from harness.commands.prepare import lacking, report
from harness.data.archives import PUBLISHED, Source, archives_of, place_of, single_images, url_of
from harness.data.coco import COCO, Layouts
from harness.data.download import download, download_image
from harness.data.findings import Finding
from harness.data.splits import coco_folder
from harness.errors import DownloadError
from harness.grid import Grid
from harness.launch.prepare_data import examine_data
from harness.terminal.progress_view import download_view, look_view
from harness.workplace import Workplace


def prepare_with_download(
    grid: Grid, place: Workplace, coco: Layouts = COCO, source: Source = PUBLISHED
) -> bool:
    """As `prepare`, after everything that can be fetched was fetched.

    A file that cannot be fetched stops no other; all are told at the end. Stopped at whatever
    point, the same command goes on from there.

    Raises:
        HarnessError: the disk is full.
    """
    try:
        findings, failed = _fetch_until_nothing_is_new(grid, place, coco, source)
    except KeyboardInterrupt:
        tell("Stopped. What has come is kept: give the same command again to go on from it.")
        raise
    well = report(findings, source)
    if failed:
        tell("\n  ".join([f"{len(failed)} not fetched:", *failed]))
    _tell_leftovers(lacking(findings), coco_folder(), source)
    return well


def _fetch_until_nothing_is_new(
    grid: Grid, place: Workplace, coco: Layouts, source: Source
) -> tuple[list[Finding], list[str]]:
    """Look, fetch, look again: annotations must be there to tell which images lack.

    Returns:
        What the last look found, and why each file that was not fetched was not.
    """
    specs = list(grid.runs.values())
    failed: list[str] = []
    tried: set[str] = set()
    while True:
        findings = list(examine_data(specs, place.runs.checked, coco, look_view))
        new = lacking(findings) - tried
        if not new:
            return findings, failed
        failed += _fetch(new, coco_folder(), source)
        tried |= new


def _fetch(lacks: Collection[str], coco: Path, source: Source) -> list[str]:
    """Fetch what is lacking, the smallest first; why each file that was not fetched was not."""
    lacks = {*lacks, *_folders_at_hand(lacks, coco, source)}
    failed = []
    for archive in sorted(archives_of(lacks, source), key=lambda one: one.size_gb):
        tell(f"{archive.url} ({archive.size_gb:g} GB) to {place_of(archive, coco).parent}")
        try:
            download(archive, coco, download_view)
        except DownloadError as error:
            failed.append(str(error))
    for path in single_images(lacks, source):
        url = url_of(path, source)
        tell(f"{url} to {(coco / path).parent}")
        try:
            download_image(url, coco / path, download_view)
        except DownloadError as error:
            failed.append(str(error))
    return failed


def _folders_at_hand(lacks: Collection[str], coco: Path, source: Source) -> list[str]:
    """Folders of single images whose archive is here: its unpacking was stopped near its end."""
    folders = {path.partition("/")[0] for path in single_images(lacks, source)}
    at_hand = [one for one in source.archives if place_of(one, coco).exists()]
    return [path for archive in at_hand for path in archive.gives if path in folders]


def _tell_leftovers(lacks: Collection[str], coco: Path, source: Source) -> None:
    """Tell of archives all of which is there: stopped before they were deleted, or the user's."""
    for archive in source.archives:
        file = place_of(archive, coco)
        whole = all((coco / path).exists() and path not in lacks for path in archive.gives)
        if file.exists() and whole:
            tell(f"{file} is unpacked, it seems, and no longer needed: delete it to gain room.")
