"""Every check of the data that runs need; `harness prepare` shows what it finds.

Before runs are started the same checks are made, and one fault stops them all.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from harness.data.annotations import Outline, Part, check_same_categories
from harness.data.archives import least_download
from harness.data.coco import COCO, CocoFile, Layouts
from harness.data.coco_checks import coco_faults, shared_images, size_notes
from harness.data.findings import Finding
from harness.data.image_checks import examine_images, examine_stuff_maps
from harness.data.outline import outline_of
from harness.data.progress import Watch, unwatched
from harness.data.splits import Split, coco_folder, lacks_of, locate
from harness.data.stuff_maps import FOLDER
from harness.errors import DataError
from harness.paths import CheckedData

FEW = 20  # images

Outlines = dict[Part, Outline]


@dataclass(frozen=True)
class Need:
    """A split that runs need.

    Attributes:
        split: one of `harness.grid.spec.SPLITS`.
        data_dir: folder of a user's own data; None for COCO.
        for_training: whether it must hold an object to learn from.
        stuff_maps: whether each image needs one.
    """

    split: str
    data_dir: str | None
    for_training: bool = False
    stuff_maps: bool = False


def examine(
    needs: Iterable[Need],
    pairs: Iterable[tuple[str, str, str | None]],
    checked: CheckedData,
    coco: Layouts = COCO,
    watch: Watch = unwatched,
) -> Iterator[Finding]:
    """What is found, look after look; minutes for COCO the first time, then seconds.

    Args:
        needs: the splits.
        pairs: a split that is trained on, one that is tested on then, and the folder of both.
        checked: where it is remembered of what has passed.
        coco: the layouts of COCO's splits.
        watch: around each look at a file or folder, in files.
    """
    found: dict[tuple[str, str | None], tuple[Split, Outlines]] = {}
    lacking: set[str] = set()
    told: set[Need] = set()
    for need in needs:
        try:
            split = locate(need.split, need.data_dir, coco)
        except DataError as error:
            lacks = _least(need, coco, lacking)
            lacking.update(lacks)
            yield Finding(need.split, "not here", (str(error),), lacks=lacks)
            continue
        outlines: Outlines = {}
        known = split.coco or (None,) * len(split.parts)
        for part, file in zip(split.parts, known, strict=True):
            look = replace(need, split=str(part.annotations))
            for finding in _examine_part(part, file, need, checked, outlines, watch):
                lacking.update(finding.lacks)
                if look not in told:  # val2017 serves two splits
                    yield finding
            told.add(look)
        if len(outlines) == len(split.parts):
            found[need.split, need.data_dir] = split, outlines
            yield from _examine_parts(split, outlines)
    for train, test, data_dir in pairs:
        if (train, data_dir) in found and (test, data_dir) in found:
            yield _examine_pair(*found[train, data_dir], *found[test, data_dir])


def _least(need: Need, coco: Layouts, lacking: set[str]) -> tuple[str, ...]:
    layouts = coco.get(need.split, ())
    lacks = lacks_of(layouts)
    if need.stuff_maps:
        for layout, some in zip(layouts, lacks, strict=True):
            maps = (f"{FOLDER}/{file.images}" for file in layout)
            some += [folder for folder in maps if not (coco_folder() / folder).exists()]
    return tuple(least_download(lacks, lacking)) if lacks else ()


def _examine_part(
    part: Part,
    known: CocoFile | None,
    need: Need,
    checked: CheckedData,
    outlines: Outlines,
    watch: Watch,
) -> Iterator[Finding]:
    file, size = str(part.annotations), part.annotations.stat().st_size
    try:
        with watch(part.annotations.name):
            outline = outline_of(part, checked)
    except DataError as error:
        lacks = (known.annotations,) if known else ()
        yield Finding(file, f"{size:,} bytes", (str(error),), lacks=lacks)
        return
    faults = coco_faults(part, known, outline) if known else ()
    if need.for_training and not outline.objects:
        faults += (
            f"{file}: none of its {outline.annotations} annotations is an object that is no crowd "
            "(iscrowd 0), so nothing can be learned from it. Annotate single objects, or give "
            "another training split.",
        )
    yield Finding(
        file,
        f"{size:,} bytes, {len(outline.images):,} images",
        faults,
        size_notes(part, known) if known else (),
        (known.annotations,) if known and faults else (),
    )
    outlines[part] = outline
    with watch(part.images.name) as progress:
        images = examine_images(part, outline, checked, progress)
    yield replace(images, lacks=_images_to_fetch(known, images.lacks) if known else ())
    if need.stuff_maps:
        with watch(f"{part.images.name}, stuff maps") as progress:
            maps = examine_stuff_maps(part, outline, checked, progress)
        lacks = (f"{FOLDER}/{known.images}",) if known and maps.faults else ()
        yield replace(maps, lacks=lacks)


def _images_to_fetch(known: CocoFile, names: tuple[str, ...]) -> tuple[str, ...]:
    """One by one where they are few: for three images nobody wants to fetch 19 GB."""
    if len(names) > FEW:
        return (known.images,)
    return tuple(f"{known.images}/{name}" for name in names)


def _examine_parts(split: Split, outlines: Outlines) -> Iterator[Finding]:
    first, *others = split.parts
    for other in others:
        faults = _misfits(first, outlines[first], other, outlines[other], is_coco=bool(split.coco))
        yield _together(f"{first.annotations.name} and {other.annotations.name}", faults)


def _examine_pair(train: Split, of_train: Outlines, test: Split, of_test: Outlines) -> Finding:
    what = f"{train.name} and {test.name}"
    if len(test.parts) > 1:
        fault = (
            f"{test.name} lies in {len(test.parts)} annotation files, {test.where}, and AP is "
            "that of one. Train on it, and test on coco_2014_minival."
        )
        return _together(what, (fault,))
    [other] = test.parts
    faults = [
        line
        for part in train.parts
        for line in _misfits(part, of_train[part], other, of_test[other], is_coco=bool(train.coco))
    ]
    return _together(what, tuple(faults))


def _together(what: str, faults: tuple[str, ...]) -> Finding:
    return Finding(what, "do not fit each other" if faults else "fit each other", faults)


def _misfits(
    one: Part, of_one: Outline, other: Part, of_other: Outline, *, is_coco: bool
) -> tuple[str, ...]:
    faults = shared_images(one, of_one, other, of_other) if is_coco else ()
    try:
        check_same_categories(
            one.annotations, of_one.categories, other.annotations, of_other.categories
        )
    except DataError as error:
        faults += (str(error),)
    return faults
