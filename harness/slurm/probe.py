"""The doctor's one small job: what the cluster does with it, and what its node says."""

import json
import shlex
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

from harness.errors import LaunchError
from harness.paths import RunsFolder, logs_in
from harness.slurm.batch_script import Request, batch_script, python_beside, write_script
from harness.slurm.causes import OUT_OF_MEMORY
from harness.slurm.check import Check
from harness.slurm.commands import call
from harness.slurm.doctor_weights import weights_on_node
from harness.slurm.jobs import ENDED
from harness.slurm.sbatch import advice_for, send
from harness.slurm.site import Site
from harness.slurm.submissions import new_sid

NAME = "harness-doctor"
LIMIT_MIN = 10
LATE_FILES = 10  # looks at a shared file system that shows a new file late
MORE_MEMORY = "Raise mem_gb_per_gpu: importing torch and detectron2 alone takes about 1 GB."
WRONG_NODE = "Correct setup, python or container in the site file."


def probe(
    site: Site,
    runs: RunsFolder,
    weights: Sequence[str],
    wait_s: float,
    pause: Callable[[], None] | None,
) -> Iterator[Check]:
    """What Slurm says of a job as large as the site allows, and what one small job finds.

    Args:
        site: the cluster.
        runs: where the runs' folders are; the job writes into it.
        weights: names of the ImageNet weights that the job looks for.
        wait_s: how long it may wait in the queue before it is cancelled.
        pause: waits between two looks at the queue; a second by default.
    """
    script = runs.batch_script(f"doctor-{new_sid()}").absolute()
    try:
        taken = _is_taken(site, script)
        yield taken
        if taken.ok is not False:
            pause = pause or (lambda: time.sleep(1))
            yield from _small_job(site, script, weights, wait_s, pause)
    except LaunchError as error:
        yield Check("a job of this site", False, str(error), "")


def _request(
    site: Site, folder: Path, num_gpus: int, time_limit_min: int, weights: Sequence[str] = ()
) -> Request:
    python, follows = shlex.quote(python_beside(site)), shlex.quote(str(_follows(folder)))
    job = folder / "code" / "harness" / "slurm" / "doctor_job.py"
    return Request(
        name=NAME,
        output=folder,
        code=folder / "code",
        arguments=(str(job), *weights, str(_result(folder))),
        num_gpus=num_gpus,
        mem_gb=site.mem_gb(num_gpus),
        time_limit_min=time_limit_min,
        # A warning that the site gives earlier than this job's time limit would come at once.
        options={"no-requeue": True, "signal": "USR2@1"},
        # Empty where all that follows a run's processes is on the node; else what is missing.
        teardown=(
            f"{{ {python} -P -c 'import harness.slurm.aftermath' > /dev/null && "
            f'scontrol show job "$SLURM_JOB_ID" > /dev/null; }} 2> {follows}',
        ),
    )


def _result(folder: Path) -> Path:
    return folder / "found.json"


def _follows(folder: Path) -> Path:
    return folder / "follows.txt"


def _is_taken(site: Site, script: Path) -> Check:
    what = "a job as large as a node, as long as the time limit"
    request = _request(site, script.parent, site.gpus_per_node, site.time_limit_min)
    write_script(script, batch_script(request, site))
    reply = call(["sbatch", "--test-only", str(script)])
    shutil.rmtree(script.parent)
    said = reply.in_one_line
    if reply.code == 0:
        return Check(what, True, f"Slurm would take it ({said})")
    return Check(what, False, said, advice_for(said))


def _small_job(
    site: Site, script: Path, weights: Sequence[str], wait_s: float, pause: Callable[[], None]
) -> list[Check]:
    what = "a small job runs and writes into the runs folder"
    folder = script.parent
    request = _request(site, folder, 1, min(LIMIT_MIN, site.time_limit_min), weights)
    write_script(script, batch_script(request, site))
    package = Path(__file__).parents[1]  # as a job gets it: from the runs folder
    shutil.copytree(
        package, request.code / package.name, ignore=shutil.ignore_patterns("__pycache__")
    )
    job_id = send(script, site.name)
    print(f"Waiting for a small job, {job_id}: {wait_s / 60:.0f} min at most.", file=sys.stderr)
    waiting = _wait(job_id, wait_s, pause)
    if waiting:
        advice = "The partition may be busy: give the command again later, or see `squeue --start`."
        found = f"job {job_id} did not start within {wait_s:.0f} s ({waiting}) and was cancelled"
        return [Check(what, False, found, advice)]
    result = _result(folder)
    for _ in range(LATE_FILES):
        if result.exists():
            break
        pause()
    try:
        seen: dict[str, Any] = json.loads(result.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return [_no_word(what, job_id, folder)]
    said = _printed(folder, job_id)
    missing = _follows(folder).read_text(errors="replace").strip().rpartition("\n")[2]
    shutil.rmtree(folder, ignore_errors=True)
    found = f"job {job_id} on {seen['host']}, Python {seen['python']}, {seen['cpus']} CPUs"
    return [
        Check(what, True, found),
        *_on_node(site, seen),
        *weights_on_node(seen["weights"]),
        _after_runs(site, missing),
        *_said(said),
    ]


def _wait(job_id: str, wait_s: float, pause: Callable[[], None]) -> str:
    """Until the job has ended: "". Why it waits, where it does so for too long; then cancelled."""
    start, ended = time.monotonic(), False
    try:
        while True:
            reply = call(["squeue", "-h", "-j", job_id, "-t", "all", "-o", "%T|%r"])
            state, _, reason = reply.out.strip().partition("|")
            gone = reply.code != 0 and "invalid job id" in reply.err.lower()
            ended = gone or (reply.code == 0 and state in {"", *ENDED})
            if ended:
                return ""
            waited = time.monotonic() - start
            if state == "PENDING" and waited >= wait_s:
                return f"Slurm's reason: {reason}"
            if waited >= wait_s + (LIMIT_MIN + 5) * 60:
                return state or f"squeue: {reply.in_one_line}"
            pause()
    finally:
        if not ended:  # Ctrl-C included
            call(["scancel", job_id])


def _no_word(what: str, job_id: str, folder: Path) -> Check:
    out, err = logs_in(folder, job_id)
    logs = [log for log in (err, out) if log.exists()]
    if not logs:  # Slurm makes them on the node before anything runs
        return Check(
            what,
            False,
            f"job {job_id} ended and left nothing in {folder}",
            "The folder is not the same on the nodes: give --runs one on the shared file system.",
        )
    lines = _printed(folder, job_id)[-5:]
    found = f"job {job_id} failed: {' / '.join(lines) or 'without a word'}"
    advice = MORE_MEMORY if OUT_OF_MEMORY.search(found) else WRONG_NODE
    return Check(what, False, found, f"{advice} Its output: {err}")


def _printed(folder: Path, job_id: str) -> list[str]:
    out, err = logs_in(folder, job_id)
    texts = (log.read_text(errors="replace") for log in (err, out) if log.exists())
    return [line for text in texts for line in text.splitlines() if line.strip()]


def _said(lines: list[str]) -> list[Check]:
    if not lines:
        return []
    advice = "Lines of setup that fail end no job: see that nothing was missing."
    return [Check("what the small job printed", None, " / ".join(lines[:5]), advice)]


def _on_node(site: Site, seen: dict[str, Any]) -> list[Check]:
    errors: dict[str, str] = seen["errors"]
    ours = "; ".join(f"{name}: {why}" for name, why in errors.items() if name.startswith("harness"))
    return [
        _package("torch", seen, errors),
        *([_gpu(site, seen)] if seen["torch"] else []),
        _package("detectron2", seen, errors),
        Check(
            "harness on the node",
            bool(seen["harness"]),
            ours or "imported, from the runs folder",
            WRONG_NODE if ours else "",
        ),
    ]


def _after_runs(site: Site, missing: str) -> Check:
    what = "what requeues runs on the node"
    if not missing:
        return Check(what, True, f"{python_beside(site)} and Slurm's commands are there")
    advice = (
        f"Beside the container {python_beside(site)} runs, that of this command: install harness "
        "on a file system that the nodes share."
        if site.container
        else "The nodes must have the site's python, and Slurm's commands on PATH."
    )
    return Check(what, False, missing, advice)


def _package(name: str, seen: dict[str, Any], errors: dict[str, str]) -> Check:
    if seen[name]:
        return Check(f"{name} on the node", True, str(seen[name]))
    return Check(f"{name} on the node", False, errors.get(name, "missing"), WRONG_NODE)


def _gpu(site: Site, seen: dict[str, Any]) -> Check:
    what = "torch sees the GPU"
    if site.fake_gpus:
        return Check(what, True, "not asked for: fake_gpus = true, runs train on CPUs")
    if seen["cuda"]:
        return Check(what, True, str(seen["device"]))
    if seen["driver"]:
        return Check(
            what,
            False,
            "the node has a GPU that torch does not see",
            "Is it a CPU build of torch, or one for a newer driver? Does the container get GPUs "
            "(apptainer: --nv)?",
        )
    return Check(
        what,
        False,
        "no, and the node has no GPU driver",
        "Correct partition, constraint or gpu_type. Where a cluster's GPUs are only counted, as on "
        "one for tests: fake_gpus = true.",
    )
