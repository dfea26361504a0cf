"""The folder with experiments, results and site files."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def project_folder() -> Path:
    """The folder with `experiments/` and `results/`: the current one, or harness's checkout.

    In `notebooks/`, where notebooks run, it may be the folder around it.
    """
    here = Path.cwd()
    for folder in (here, here.parent) if here.name == "notebooks" else (here,):
        # Experiments are executed: those of another project in a folder of that name must not be.
        if any(b"harness" in file.read_bytes() for file in folder.glob("experiments/*.py")):
            return folder
    return CHECKOUT


def published_folder(project: Path) -> Path:
    """The numbers printed in the paper, one CSV file a table."""
    return project / "results" / "published"


def sites_folder(project: Path) -> Path:
    """The folder of site files: `project`'s own, else that of harness's checkout."""
    own = project / "slurm"
    return own if own.is_dir() else CHECKOUT / "slurm"
