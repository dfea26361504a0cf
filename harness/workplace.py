"""What a command line names, resolved: scale, data, run folders and result folders."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import SpecError, unknown
from harness.grid import Grid, Setting
from harness.grid.experiments import MOST_SEEDS, experiment_names, known_grid, load_grid
from harness.grid.spec import DATA_REVISION, SCALES, RunSpec
from harness.paths import ResultsFolder, RunsFolder, project_folder, published_folder, sites_folder


@dataclass(frozen=True)
class Workplace:
    """Where one scale's experiments, runs and results lie.

    Attributes:
        setting: scale, seed and data.
        runs: all run folders.
        results: committed metrics, generated tables and figures of this scale and data.
        published: folder of the paper's numbers.
        experiments: folder of the experiment files.
        sites: folder of the site files.
    """

    setting: Setting
    runs: RunsFolder
    results: ResultsFolder
    published: Path
    experiments: Path
    sites: Path

    @property
    def title(self) -> str:
        """What a person must know to read a list of runs."""
        data = f" on {self.setting.data_dir}" if self.setting.data_dir else ""
        return f"Scale {self.setting.scale}{data}, runs in {self.runs.folder}"

    @property
    def experiment_names(self) -> tuple[str, ...]:
        """The names of all experiments, those on request too."""
        return experiment_names(self.experiments)

    def grid(self, names: Sequence[str] | None = None, seeds: int = 1) -> Grid:
        """What a person asks for: see `harness.grid.experiments.load_grid`.

        Args:
            names: of experiments; None for all but those on request.
            seeds: how many; the cells of seeds 0 to `seeds` - 1 are in the grid.

        Raises:
            SpecError: there is no such experiment, or as many seeds cannot be.
        """
        if not 1 <= seeds <= MOST_SEEDS:
            raise SpecError(f"--seeds {seeds}: a grid has 1 to {MOST_SEEDS} seeds.")
        return load_grid(names or (), self.setting, self.experiments, range(seeds))

    def known_grid(self, names: Sequence[str] | None = None) -> Grid:
        """What was asked for before, by what it left: see `harness.grid.experiments.known_grid`.

        Args:
            names: of experiments; None for all, those on request where a run of theirs was left.

        Raises:
            SpecError: there is no such experiment.
        """
        left = self.runs.run_ids() | self.results.run_ids()
        return known_grid(names or (), self.setting, self.experiments, left)


def workplace(scale: str, data: Path | None, runs: Path) -> Workplace:
    """The workplace of `--scale`, `--data` and `--runs`.

    Raises:
        SpecError: there is no such scale.
    """
    if scale not in SCALES:
        raise SpecError(unknown("scale", scale, SCALES))
    project = project_folder()
    name = scale if data is None else f"{scale}-{data.resolve().name}"
    folder = RunsFolder(runs.resolve())
    return Workplace(
        setting=Setting(scale=scale, data_dir=data, shapes_dir=shapes_folder(folder)),
        runs=folder,
        results=ResultsFolder(project / "results" / name),
        published=published_folder(project),
        experiments=project / "experiments",
        sites=sites_folder(project),
    )


def shapes_folder(runs: RunsFolder) -> Path:
    """Where the drawn shapes of this data revision lie, with their stuff maps."""
    return runs.data(f"shapes-{DATA_REVISION}-stuff")


def workplace_of(spec: RunSpec, runs: Path) -> Workplace:
    """The workplace that a run with this spec belongs to."""
    own = spec.train_split.startswith("own_") and spec.data_dir is not None
    return workplace(spec.scale, Path(str(spec.data_dir)) if own else None, runs)
