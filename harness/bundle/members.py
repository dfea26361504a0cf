"""What a bundle holds: the only place that knows the names of its members.

Metrics, replicates, tables and figures lie in it as in a results folder, so that one unpacked is
read like one.
"""

from collections.abc import Mapping
from pathlib import Path

from harness.paths import ResultsFolder

MANIFEST = "manifest.json"
GRID = "grid.json"
README = "README.md"
# By folder: what a person finds in it.
FOLDERS: Mapping[str, str] = {
    "environments": "code and versions that each run was made with, from its metrics",
    "experiments": "the files that define the tables, to read; nothing executes them",
    "figures": "rebuilt from metrics and replicates",
    "metrics": "what each finished run says of itself: AP, order of images, environment, hours",
    "predictions": "each run's detections in COCO's results format",
    "published": "the numbers printed in the paper",
    "replicates": "each run's AP in draws of the test images: error bars and intervals",
    "specs": "everything that can change a run's numbers; its hash is the run's id",
    "tables": "rebuilt from metrics, replicates and published numbers",
}
IN_RESULTS = ("tables", "figures")  # rebuilt, and what people look for in the results
READ_BY_REBUILD = ("metrics", "replicates", "published")
NOT_REBUILT = (*READ_BY_REBUILD, "experiments", "predictions")  # what came from elsewhere
ABOUT = "\n".join(
    (
        "A bundle of harness: all that its tables and figures are made from.",
        "",
        f"- `{MANIFEST}`: sha256 and size of every file, the versions it was made with, and what",
        "  is not in it and why",
        f"- `{GRID}`: the tables and, for each row, its run",
        *(f"- `{folder}/`: {told}" for folder, told in FOLDERS.items()),
        "",
        "`harness verify FILE` rebuilds everything without GPU and data, and compares it.",
        "",
    )
)


def results_in(folder: Path) -> ResultsFolder:
    """Metrics, replicates, tables and figures of a bundle unpacked in `folder`."""
    return ResultsFolder(folder)


def published_in(folder: Path) -> Path:
    """The published numbers of a bundle unpacked in `folder`."""
    return folder / "published"


def published(table: str) -> str:
    """The paper's numbers of one of its tables."""
    return f"published/{table}.csv"


def metrics(run_id: str) -> str:
    """What a run says of itself."""
    return ResultsFolder(Path()).metrics(run_id).as_posix()


def replicates(run_id: str) -> str:
    """A run's AP in draws of the test images."""
    return ResultsFolder(Path()).replicates(run_id).as_posix()


def spec(run_id: str) -> str:
    """Everything that can change a run's numbers."""
    return f"specs/{run_id}.json"


def environment(run_id: str) -> str:
    """Code and versions behind a run."""
    return f"environments/{run_id}.json"


def predictions(run_id: str) -> str:
    """A run's detections."""
    return f"predictions/{run_id}.json.gz"


def experiment(file_name: str) -> str:
    """A file that defines a table."""
    return f"experiments/{file_name}"


def folder_of(member: str) -> str:
    """The folder that a member lies in; "" for one at the top."""
    return member.rpartition("/")[0]


def is_file_name(text: str) -> bool:
    """Whether `text` names a file in a folder and nothing outside of it, and steers no terminal."""
    return (
        text.isprintable() and text.strip(" .") != "" and not set(text) & set('/\\:*?"<>|')
    ) and len(text.encode()) <= 200


def safe_to_print(text: str) -> str:
    """`text` without what a stranger may have put there to steer a terminal."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
