"""The folder with experiments, results and site files."""

from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[2]


def project_folder() -> Path:
    """The folder with `experiments/` and `results/`: the current one, or harness's checkout."""
    here = Path.cwd()
    # Experiments are executed: those of another project in a folder of that name must not be.
    ours = any("harness" in file.read_text() for file in here.glob("experiments/*.py"))
    return here if ours else CHECKOUT


def sites_folder(project: Path) -> Path:
    """The folder of site files: `project`'s own, else that of harness's checkout."""
    own = project / "slurm"
    return own if own.is_dir() else CHECKOUT / "slurm"
