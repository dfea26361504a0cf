"""`harness prepare --weights`: ImageNet weights fetched, checked, and made ready for jobs."""

from pathlib import Path

from harness.commands.messages import tell
from harness.data.checksum import Checksum
from harness.data.fetch import fetch
from harness.data.weights import WEIGHTS, Weights, fault, weights_folder
from harness.errors import DownloadError
from harness.launch.ready import refuse_without_detectron2
from harness.launch.train_and_score import silence_libraries
from harness.terminal.progress_view import download_view


def prepare_weights() -> None:
    """Make what is missing or damaged of all weights; print a line for each file.

    A published file that was put into the folder by hand is taken, and left there.

    Raises:
        LaunchError: detectron2, whose layers the weights must fit, is not installed.
        DownloadError: a file cannot be fetched, or is another one; says how to get it.
        DataError: a published file does not hold the weights.
    """
    refuse_without_detectron2()
    silence_libraries()
    folder, failed = weights_folder(), []
    for weights in WEIGHTS.values():
        wrong = fault(weights, folder, look_inside=True)
        if wrong:
            tell(f"{wrong}.")
            try:
                _make(weights, folder)
            except DownloadError as error:  # without a network all are told, not the first alone
                failed.append(str(error))
                continue
        print(f"{folder / weights.file}: {'made' if wrong else 'there'}, whole")
    if failed:
        raise DownloadError(
            "\n  ".join([f"{len(failed)} of {len(WEIGHTS)} could not be made.", *failed])
        )


def _make(weights: Weights, folder: Path) -> None:
    from harness.detection.convert_weights import convert

    by_hand = folder / weights.published
    published = by_hand if by_hand.exists() else folder / f"fetched-{weights.published}"
    with download_view(weights.published) as progress:
        fetch(
            weights.url,
            published,
            checksum=Checksum("sha256", weights.sha256),
            progress=progress,
        )
    convert(published, weights, folder)
    if published != by_hand:
        published.unlink(missing_ok=True)
