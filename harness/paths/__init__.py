"""Where everything lies on disk: the only place that knows a file name."""

from harness.paths.names import LOCAL, RUN_ID
from harness.paths.project import project_folder, published_folder, sites_folder
from harness.paths.results_folder import ResultsFolder
from harness.paths.run import AttemptPaths, RunPaths
from harness.paths.runs_folder import CheckedData, RunsFolder, code_facts, logs_in

__all__ = [
    "LOCAL",
    "RUN_ID",
    "AttemptPaths",
    "CheckedData",
    "ResultsFolder",
    "RunPaths",
    "RunsFolder",
    "code_facts",
    "logs_in",
    "project_folder",
    "published_folder",
    "sites_folder",
]
