"""Files per second that the check of images looks at: the first time, and when they have passed.

On a local disk. On a network file system the threads wait for its answers instead.
"""

import tempfile
import time
from pathlib import Path

from PIL import Image

from harness.data.image_files import look_at, read_image_file
from harness.paths import CheckedData

FILES = 10_000
SIDES = (320, 240)


def main() -> None:
    """Print one line for each look."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary, "images")
        folder.mkdir()
        names = [f"{number:012d}.jpg" for number in range(FILES)]
        for name in names:
            Image.effect_noise(SIDES, 60).save(folder / name)
        for what in ("first look", "second look"):
            begun = time.perf_counter()
            look = look_at(folder, names, CheckedData(Path(temporary, "checked")), read_image_file)
            seconds = time.perf_counter() - begun
            assert len(look.whole) == FILES
            print(f"  {what:12} {seconds:6.2f} s {FILES / seconds:8,.0f} files/s")


if __name__ == "__main__":
    main()
