"""`harness doctor --site NAME`: a site file held against the live cluster."""

import os
import pwd
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from harness.data.weights import Weights
from harness.paths import RunsFolder
from harness.slurm.check import Check
from harness.slurm.commands import call, seconds_of
from harness.slurm.doctor_data import coco_here
from harness.slurm.doctor_folder import free_disk, runs_folder
from harness.slurm.doctor_weights import weights_here
from harness.slurm.probe import probe
from harness.slurm.site import Site

COMMANDS = ("sbatch", "srun", "squeue", "scontrol", "scancel", "sinfo")
WAIT_S = 600.0
MANY_JOBS = 20
SINFO = "%P|%a|%l|%D|%c|%m|%G|%T"
# Nodes in other states take no jobs before somebody has seen to them.
USABLE = ("idle", "mixed", "allocated", "completing", "planned", "reserved", "powered", "powering")


@dataclass(frozen=True)
class Nodes:
    """Equal nodes of one partition, as sinfo lists them.

    Attributes:
        partition: its name.
        default: whether jobs go there that name none.
        available: "up", or why it takes no jobs.
        limit_min: its time limit; None for none.
        count: of nodes.
        cpus, memory_mb, gres: of each.
        state: "idle", "drained"; a mark behind it tells more.
    """

    partition: str
    default: bool
    available: str
    limit_min: float | None
    count: int
    cpus: int
    memory_mb: int
    gres: str
    state: str

    @property
    def usable(self) -> bool:
        """Whether jobs start there, now or when others have ended."""
        return self.state.startswith(USABLE) and not self.state.endswith("*")  # it does not answer


@dataclass(frozen=True)
class Need:
    """What a plan asks of a cluster.

    Attributes:
        disk_gb: at once.
        longest_run_hours: of training, of its longest run; 0 where none is left.
        most_gpus: of one run; 0 where none is left.
        weights: ImageNet weights that bases have still to start from.
        splits: of COCO, that runs are trained and tested on.
    """

    disk_gb: float
    longest_run_hours: float
    most_gpus: int
    weights: tuple[Weights, ...] = ()
    splits: frozenset[str] = frozenset()


def examine(
    site: Site,
    runs: RunsFolder,
    need: Need,
    *,
    wait_s: float = WAIT_S,
    pause: Callable[[], None] | None = None,
) -> Iterator[Check]:
    """Every check, as it is made; the last ones are of one small job, where all before allow it.

    Args:
        site: the cluster.
        runs: where the runs' folders are.
        need: of the plan.
        wait_s: how long the small job may wait in the queue.
        pause: waits between two looks at the queue; a second by default.
    """
    stopped = False
    for check in _before_a_job(site, runs, need):
        stopped = stopped or (check.stops and check.ok is False)
        yield check
    here = weights_here(need.weights)
    yield from here
    yield from coco_here(need.splits)
    if not stopped:
        # What is not whole here need not be looked for there.
        names = [one.name for one in need.weights if all(check.ok for check in here)]
        yield from probe(site, runs, names, wait_s, pause)


def _before_a_job(site: Site, runs: RunsFolder, need: Need) -> Iterator[Check]:
    commands = _commands()
    yield commands
    if commands.ok is not False:
        yield from _cluster(site)
    yield _gpus_of_runs(site, need.most_gpus)
    yield runs_folder(runs.folder.absolute())
    yield free_disk(runs.folder, need.disk_gb)
    yield _hours(site, need.longest_run_hours)


def _gpus_of_runs(site: Site, most: int) -> Check:
    what = "GPUs of a run against gpus_per_node"
    if most <= site.gpus_per_node:
        return Check(what, True, f"{most} at most" if most else "no run is left to train")
    advice = "Such runs are refused: use a site with larger nodes. At --scale demo each has one."
    return Check(
        what, False, f"runs ask for up to {most}, gpus_per_node is {site.gpus_per_node}", advice
    )


def _commands() -> Check:
    what = "Slurm's commands"
    missing = [name for name in COMMANDS if shutil.which(name) is None]
    if missing:
        return Check(
            what,
            False,
            f"not on PATH: {', '.join(missing)}",
            "Give this command on a login node, after what it needs for Slurm (often `module load "
            "slurm`).",
            stops=True,
        )
    if shutil.which("sacct") is None:
        return Check(
            what,
            None,
            "all but sacct",
            "States come from squeue and files alone: the cause of a failure is then less exact.",
        )
    return Check(what, True, "found")


def _cluster(site: Site) -> list[Check]:
    config = call(["scontrol", "show", "config"])
    if config.code != 0:
        advice = "See `scontrol ping`; if SLURM_CONF is set, whether it names the right cluster."
        return [Check("Slurm answers", False, config.in_one_line, advice, stops=True)]
    values = dict(re.findall(r"^(\w+)\s*= (.*?)\s*$", config.out, re.MULTILINE))
    checks = [Check("Slurm answers", True, f"cluster {values.get('ClusterName', '?')}")]
    checks.append(_array_size(site, int(values.get("MaxArraySize", "0") or 0)))
    checks += _most_submitted(site)
    listed = call(["sinfo", "-h", "-o", SINFO])
    return [*checks, *_partition(site, list(parse_nodes(listed.out)))]


def _array_size(site: Site, largest: int) -> Check:
    fits = site.max_array_size <= largest
    advice = "" if fits else f"Set max_array_size = {largest}."
    return Check("arrays", fits, f"Slurm's MaxArraySize is {largest}", advice)


def _most_submitted(site: Site) -> list[Check]:
    """Of a limit of the user's own; none where accounting knows of none. A QOS may have others."""
    user = pwd.getpwuid(os.getuid()).pw_name
    listed = ["sacctmgr", "-nP", "show", "assoc", f"user={user}", "format=maxsubmit"]
    if shutil.which(listed[0]) is None:
        return []
    limits = [int(word) for word in call(listed).out.split() if word.isdecimal()]
    if not limits:
        return []
    fits = site.max_submitted is not None and site.max_submitted <= min(limits)
    advice = "" if fits else f"Set max_submitted = {min(limits)}, or less where others use it too."
    return [Check("jobs in the queue", fits, f"you may have {min(limits)}", advice)]


def parse_nodes(text: str) -> Iterator[Nodes]:
    """What `sinfo -h -o SINFO` lists."""
    for line in text.splitlines():
        fields = line.split("|")
        if len(fields) != 8:
            continue
        name, available, limit, *numbers, gres, state = fields
        count, cpus, memory = (int(re.sub(r"\D.*", "", one) or 0) for one in numbers)
        partition = name.rstrip("*")
        default = name != partition
        seconds = seconds_of(limit)  # None for "infinite"
        limit_min = None if seconds is None else seconds / 60
        yield Nodes(partition, default, available, limit_min, count, cpus, memory, gres, state)


def gpus_of(gres: str, kind: str | None) -> int:
    """How many GPUs, of type `kind` where one is given, "gpu:a100:4(S:0-1),shard:8" tells of."""
    found = re.findall(r"\bgpu:(?:([^:,()]+):)?(\d+)", gres)
    return sum(int(number) for name, number in found if kind in (None, name))


def _partition(site: Site, nodes: list[Nodes]) -> list[Check]:
    wanted = set(site.partition.split(",")) if site.partition else None
    mine = [one for one in nodes if (one.partition in wanted if wanted else one.default)]
    missing = sorted((wanted or set()) - {one.partition for one in mine})
    if missing or not mine:
        known = ", ".join(sorted({one.partition for one in nodes})) or "none"
        lacks = f"no partition {', '.join(missing)}" if missing else "no default partition"
        found = f"the cluster has {lacks}; there are: {known}"
        return [Check("partition", False, found, "Set the key partition.", stops=True)]
    names = ", ".join(sorted({one.partition for one in mine}))
    down = sorted({f"{one.partition} is {one.available}" for one in mine if one.available != "up"})
    total, usable = sum(one.count for one in mine), sum(one.count for one in mine if one.usable)
    if not usable:
        states = ", ".join(sorted({one.state for one in mine}))
        down = [*down, f"of the {total} nodes of {names} none takes jobs ({states})"]
    advice = "It takes no jobs now: ask when it will, or take another one." if down else ""
    away = f", {total - usable} of them down or drained" if usable < total else ""
    found = ", ".join(down) or f"{names} is up, nodes: {total}{away}"
    return [
        Check("partition", not down, found, advice, stops=True),
        _nodes(site, mine),
        _time_limit(site, mine),
    ]


def _nodes(site: Site, nodes: list[Nodes]) -> Check:
    gpus, cpus = site.gpus_per_node, site.gpus_per_node * site.cpus_per_gpu
    memory_gb = site.gpus_per_node * (site.mem_gb_per_gpu or 0)
    fit = sum(
        one.count
        for one in nodes
        if gpus_of(one.gres, site.gpu_type) >= gpus
        and one.cpus >= cpus
        and one.memory_mb >= memory_gb * 1024
    )
    kind = f"{site.gpu_type} GPUs" if site.gpu_type else "GPUs"
    memory = f", {memory_gb:g} GB" if memory_gb else ""
    found = f"{fit} of {sum(one.count for one in nodes)} have {gpus} {kind}, {cpus} CPUs{memory}"
    if fit:
        return Check("nodes", True, found)
    have = sorted({f"{one.gres}, {one.cpus} CPUs, {one.memory_mb / 1024:.4g} GB" for one in nodes})
    return Check(
        "nodes",
        False,
        f"{found}; there are: {'; '.join(have)}",
        "Correct gpus_per_node, gpu_type, cpus_per_gpu, mem_gb_per_gpu, or partition.",
    )


def _time_limit(site: Site, nodes: list[Nodes]) -> Check:
    limits = [one.limit_min for one in nodes if one.limit_min is not None]
    found = f"{min(limits):g} minutes" if limits else "none"
    fits = not limits or site.time_limit_min <= min(limits)
    advice = "" if fits else f"Set time_limit_min = {min(limits):g} or less."
    return Check("time limit of the partition", fits, found, advice)


def _hours(site: Site, hours: float) -> Check:
    what = "hours against time_limit_min"
    if hours <= 0:
        return Check(what, True, "no run is left to train")
    jobs = ceil(hours * 3600 / (site.time_limit_min * 60 - site.signal_before_end_s))
    after = "goes back into the queue" if site.requeue else "submits its successor"
    chain = f"{jobs} jobs one after the other: each writes a checkpoint and {after}"
    length = f"{hours:,.1f} h" if hours >= 1 else f"{hours * 60:.0f} min"
    found = f"the longest run takes about {length}: {chain if jobs > 1 else 'one job'}"
    if jobs > MANY_JOBS:
        return Check(what, None, found, "A longer time_limit_min would save waiting in the queue.")
    return Check(what, True, found)
