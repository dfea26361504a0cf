"""The archives that hold COCO, and the commands that fetch and unpack them."""

import shlex
import urllib.parse
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.data.checksum import Checksum
from harness.data.stuff_maps import FOLDER


@dataclass(frozen=True)
class Archive:
    """A file on the network.

    Attributes:
        url: where it is.
        gives: what it holds of COCO, as paths below coco/.
        size_gb: to download.
        unpack_in: the folder below coco/ to unpack it in; "" for coco/ itself.
        checksum: of the file; None where no source tells it.
    """

    url: str
    gives: tuple[str, ...]
    size_gb: float
    unpack_in: str = ""
    checksum: Checksum | None = None

    @property
    def name(self) -> str:
        """Of the file."""
        return self.url.rpartition("/")[2]


@dataclass(frozen=True)
class Source:
    """Where COCO is fetched from.

    Attributes:
        archives: what holds it.
        images: the address below which each image lies by itself, under its path below coco/.
    """

    archives: tuple[Archive, ...]
    images: str


COCO_ORG = "http://images.cocodataset.org"

# Addresses: cocodataset.org, Detectron's README of its data (minival), COCO-stuff's README. MD5:
# MLPerf's scripts for its object detection (coco_annotations_minival, the three of 2017).
ARCHIVES = (
    Archive(f"{COCO_ORG}/zips/train2014.zip", ("train2014",), 13.5),
    Archive(f"{COCO_ORG}/zips/val2014.zip", ("val2014",), 6.6),
    Archive(
        f"{COCO_ORG}/annotations/annotations_trainval2014.zip",
        ("annotations/instances_train2014.json",),
        0.25,
    ),
    Archive(
        "https://dl.fbaipublicfiles.com/detectron/coco/coco_annotations_minival.tgz",
        (
            "annotations/instances_minival2014.json",
            "annotations/instances_valminusminival2014.json",
        ),
        0.07,
        checksum=Checksum("md5", "2d2b9d2283adb5e3b8d25eec88e65064"),
    ),
    Archive(
        f"{COCO_ORG}/zips/train2017.zip",
        ("train2017",),
        19.3,
        checksum=Checksum("md5", "cced6f7f71b7629ddf16f17bbcfab6b2"),
    ),
    Archive(
        f"{COCO_ORG}/zips/val2017.zip",
        ("val2017",),
        0.8,
        checksum=Checksum("md5", "442b8da7639aecaf257c1dceb8ba8c80"),
    ),
    Archive(
        f"{COCO_ORG}/annotations/annotations_trainval2017.zip",
        ("annotations/instances_train2017.json", "annotations/instances_val2017.json"),
        0.25,
        checksum=Checksum("md5", "f4bbac642086de4f52a3fdda2de5fa2c"),
    ),
    Archive(
        "http://calvin.inf.ed.ac.uk/wp-content/uploads/data/cocostuffdataset/"
        "stuffthingmaps_trainval2017.zip",
        (f"{FOLDER}/train2017", f"{FOLDER}/val2017"),
        0.66,
        unpack_in=FOLDER,
    ),
)

PUBLISHED = Source(ARCHIVES, COCO_ORG)


def archives_of(lacks: Collection[str], source: Source = PUBLISHED) -> list[Archive]:
    """The archives that hold what is lacking, paths below coco/."""
    return [archive for archive in source.archives if set(archive.gives) & set(lacks)]


def place_of(archive: Archive, coco: Path) -> Path:
    """Where the file of an archive lies until it is unpacked, below the folder coco/."""
    return coco / archive.unpack_in / archive.name


def single_images(lacks: Collection[str], source: Source = PUBLISHED) -> list[str]:
    """Those of the paths that name one image, which cocodataset.org gives by itself."""
    folders = {path for archive in source.archives for path in archive.gives if "/" not in path}
    found = {path for path in lacks if "/" in path and path.split("/")[0] in folders}
    return sorted(path for path in found if path.split("/")[0] not in lacks)


def url_of(path: str, source: Source = PUBLISHED) -> str:
    """Where a single image is, a path below coco/."""
    return f"{source.images}/{urllib.parse.quote(path)}"


def in_no_archive(lacks: Collection[str], source: Source = PUBLISHED) -> list[str]:
    """What is lacking and cannot be fetched."""
    given = {path for archive in source.archives for path in archive.gives}
    return sorted(set(lacks) - given - set(single_images(lacks, source)))


def fetch_commands(lacks: Collection[str], coco: Path, source: Source = PUBLISHED) -> list[str]:
    """The shell commands, one a line, that fetch and unpack what is lacking.

    Args:
        lacks: paths below coco/.
        coco: that folder.
        source: where it is fetched from.
    """
    coco = coco.absolute()  # a command changes the folder for the next one
    commands = [fetch_command(archive, coco) for archive in archives_of(lacks, source)]
    for path in single_images(lacks, source):
        place, url = shlex.quote(str(coco / path)), shlex.quote(url_of(path, source))
        commands.append(f"wget -O {place} {url}")
    return commands


def least_download(layouts: Sequence[Collection[str]], anyway: Collection[str]) -> Collection[str]:
    """What to fetch so that one of several layouts is there: the smallest download.

    Args:
        layouts: what each lacks, one or more.
        anyway: what is to be fetched whichever is taken.
    """
    fetched = archives_of(anyway)

    def size_gb(lacks: Collection[str]) -> float:
        return sum(one.size_gb for one in archives_of(lacks) if one not in fetched)

    return min(reversed(layouts), key=size_gb)


def fetch_command(archive: Archive, coco: Path) -> str:
    """The shell command that fetches an archive, holds it against its checksum, and unpacks it.

    Given again after it was broken off, it goes on with the download.

    Args:
        archive: what to fetch.
        coco: the folder coco/.
    """
    name, known, into = archive.name, archive.checksum, shlex.quote(str(coco / archive.unpack_in))
    is_zip = name.endswith(".zip")
    steps = [
        f"mkdir -p {into}",
        f"cd {into}",
        f"wget -c {archive.url}",
        _held_against(known, name) if known else "",
        f"unzip -q -o {name}" if is_zip else f"tar -xzf {name}",
        f"rm {name}",
    ]
    return " && ".join(step for step in steps if step)


def _held_against(known: Checksum, name: str) -> str:
    # A file that is whole and wrong would never be fetched anew.
    check = f"echo '{known.digits}  {name}' | {known.algorithm}sum -c"
    return f"{{ {check} || {{ rm {name}; false; }}; }}"
