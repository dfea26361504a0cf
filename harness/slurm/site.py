"""A cluster's facts, from `slurm/<name>.toml`; wrong ones are told with file, line and key."""

import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from harness.errors import LaunchError, unknown
from harness.paths import LOCAL
from harness.slurm.site_errors import line_of, not_toml, wrong_value

NOT_FOR_SITES = (
    "array batch chdir clusters dependency error export export-file get-user-env gid help hold "
    "ignore-pbs input job-name kill-on-invalid-dep nodes ntasks ntasks-per-core ntasks-per-gpu "
    "ntasks-per-node ntasks-per-socket open-mode output parsable quiet test-only time-min uid "
    "usage verbose version wait wrap"
)
# What harness itself says to sbatch, and where the user says it: "" where nobody else may.
OURS = {
    "partition": "the key partition",
    "account": "the key account",
    "qos": "the key qos",
    "constraint": "the key constraint",
    "time": "the key time_limit_min",
    "signal": "the key signal_before_end_s",
    "requeue": "the key requeue",
    "no-requeue": "the key requeue",
    "mem": "the key mem_gb_per_gpu",
    "mem-per-cpu": "the key mem_gb_per_gpu",
    "mem-per-gpu": "the key mem_gb_per_gpu",
    "cpus-per-task": "the key cpus_per_gpu",
    "cpus-per-gpu": "the key cpus_per_gpu",
    "gres": "the keys gpu_option and gpu_type",
    "gpus": "the keys gpu_option and gpu_type",
    "gpus-per-node": "the keys gpu_option and gpu_type",
    "gpus-per-task": "the keys gpu_option and gpu_type",
    **dict.fromkeys(NOT_FOR_SITES.split(), ""),
}


class SiteError(LaunchError):
    """A site file says something that cannot be."""


def _one_word(text: str) -> str:
    # It becomes a line of the batch script, and Slurm's own lists know no spaces.
    if not text or not text.isprintable() or re.search(r"\s", text):
        raise ValueError(
            "one word without spaces or control characters; leave the key out for none"
        )
    return text


def _printable(text: str) -> str:
    if not text or not text.isprintable():
        raise ValueError("a text in one line without control characters")
    return text


def _python(text: str) -> str:
    _printable(text)
    if "/" in text and not text.startswith("/"):
        raise ValueError("an absolute path, or a bare name that the setup lines put on PATH")
    return text


def _gpu_type(text: str) -> str:
    if not re.fullmatch(r"[\w.-]+", text):
        raise ValueError("the type alone, as in 'a100', out of `sinfo -o %G`")
    return text


def _no_sbatch_line(text: str) -> str:
    if "\0" in text or re.search(r"^\s*#SBATCH", text, re.MULTILINE):
        raise ValueError("a shell line; sbatch options go into the table [sbatch]")
    return text


def _option_value(value: str | int | float | bool) -> str | int | float | bool:
    return _printable(value) if isinstance(value, str) else value


Word = Annotated[str, AfterValidator(_one_word)]
Count = Annotated[int, Field(ge=1)]


class Site(BaseModel):
    """One cluster, as its file says.

    Attributes:
        name: of the file.
        partition, account, qos, constraint: as sbatch takes them; None for the cluster's default.
        gpus_per_node: the most that one run may ask for: a run's GPUs are on one node.
        gpu_option: how GPUs are asked for.
        gpu_type: as in `sinfo -o %G`; None for any.
        cpus_per_gpu: of each process; one process drives one GPU.
        mem_gb_per_gpu: None for the cluster's default.
        fake_gpus: they are only counted, as on a cluster for tests: runs train on CPUs.
        time_limit_min: of one job.
        signal_before_end_s: how long before its time limit a job is told to write a checkpoint.
        requeue: whether jobs may go back into the queue; else each submits a successor.
        max_array_size: Slurm's MaxArraySize: array indices stay below it.
        max_submitted: jobs that a user may have in the queue; None for any number.
        max_running: tasks of one array that run at a time; None for any number.
        python: that jobs run; None for that of the launcher.
        setup: shell lines of the user's own before it.
        container: words of a command before it.
        sbatch: further options by their long names.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    name: str
    partition: Word | None = None
    account: Word | None = None
    qos: Word | None = None
    constraint: Word | None = None
    gpus_per_node: Count
    gpu_option: Literal["gpus-per-node", "gres"] = "gpus-per-node"
    gpu_type: Annotated[str, AfterValidator(_gpu_type)] | None = None
    cpus_per_gpu: Count
    mem_gb_per_gpu: Annotated[float, Field(gt=0)] | None = None
    fake_gpus: bool = False
    time_limit_min: Annotated[int, Field(ge=2)]
    signal_before_end_s: Annotated[int, Field(ge=1, le=65535)] = 120
    requeue: bool = True
    max_array_size: Count = 1001
    max_submitted: Annotated[int, Field(ge=4)] | None = None
    max_running: Count | None = None
    python: Annotated[str, AfterValidator(_python)] | None = None
    setup: list[Annotated[str, AfterValidator(_no_sbatch_line)]] = []
    container: list[Annotated[str, AfterValidator(_printable)]] = []
    sbatch: dict[str, Annotated[str | int | float | bool, AfterValidator(_option_value)]] = {}

    def mem_gb(self, num_gpus: int) -> float | None:
        """The memory of a run; None for the cluster's default."""
        return self.mem_gb_per_gpu * num_gpus if self.mem_gb_per_gpu else None

    @property
    def most_jobs(self) -> int | None:
        """How many jobs may be in the queue after a submit; None for any number."""
        if self.max_submitted is None or self.requeue:
            return self.max_submitted
        return self.max_submitted // 2  # each that runs needs room for its successor

    @model_validator(mode="after")
    def _keys_fit_together(self) -> Self:
        longest = self.time_limit_min * 30
        if self.signal_before_end_s > longest:
            raise ValueError(
                "signal_before_end_s",
                f"{self.signal_before_end_s} s is more than half of time_limit_min = "
                f"{self.time_limit_min}: allowed is {longest} or less, or a longer time limit",
            )
        for option in self.sbatch:
            if why := _not_free(option):
                raise ValueError(f"sbatch.{option}", why)
        return self


def site_names(folder: Path) -> tuple[str, ...]:
    """The sites that have a file in `folder`, sorted."""
    return tuple(sorted(path.stem for path in folder.glob("*.toml") if path.is_file()))


def load_site(name: str, folder: Path) -> Site:
    """The site of `<folder>/<name>.toml`.

    Args:
        name: the site's name.
        folder: with the site files.

    Raises:
        LaunchError: there is no such site.
        SiteError: its file is no TOML, lacks a key or has a wrong one.
    """
    names = site_names(folder)
    if name == LOCAL:
        raise LaunchError(
            f"Site {LOCAL!r} is this machine, and no cluster. Known clusters: {', '.join(names)}."
        )
    if name not in names:
        raise LaunchError(
            f"{unknown('site', name, {*names, LOCAL})} A new one is a file {folder / name}.toml: "
            "see slurm/README.md."
        )
    path = folder / f"{name}.toml"
    try:
        text = path.read_text(encoding="utf-8")
        values = tomllib.loads(text)
    except UnicodeDecodeError as error:
        raise SiteError(f"{path} is not UTF-8 ({error.reason}). Save it as UTF-8.") from error
    except tomllib.TOMLDecodeError as error:
        raise SiteError(not_toml(path, text, str(error))) from error
    if "name" in values:
        raise SiteError(
            f"{path}:{line_of(text, ['name'])}: name: a site is called as its file. Leave it out."
        )
    try:
        return Site(name=name, **values)
    except ValidationError as error:
        known = [key for key in Site.model_fields if key != "name"]
        told = (wrong_value(path, text, dict(one), known) for one in error.errors())
        raise SiteError("\n".join(dict.fromkeys(told))) from error


def _not_free(option: str) -> str:
    """Why `option` may not stand in [sbatch]; "" where it may."""
    if option in OURS:
        place = OURS[option]
        return f"harness sets this option itself{f', by {place}' if place else ''}. Leave it out"
    # sbatch takes the beginning of a long name for the name: "arr" is --array.
    begun = [ours for ours in OURS if ours.startswith(option)]
    if begun or not re.fullmatch(r"[a-z][a-z0-9]+(-[a-z0-9]+)*", option):
        return "give sbatch's long name in full, without the dashes before it, as in mail-type"
    return ""
