"""A cluster of one JSON file: what sbatch, squeue, sacct, scancel and scontrol do to it.

Run as `slurm.py STATE COMMAND ARGUMENTS...`. Time stands still but for the test. Jobs start and end
when the test says so; dependencies are Slurm's affair, so they are kept here at every command.
"""

import contextlib
import fcntl
import json
import os
import re
import signal
import sys
from pathlib import Path

LIVE = ("PENDING", "RUNNING", "COMPLETING", "SUSPENDED", "REQUEUE_HOLD")
FRESH = {
    "now": 0.0,
    "next_id": 100,
    "jobs": [],
    "calls": [],
    "sbatch_faults": [],  # one for each call to come: see `sbatch`
    "duplicate": False,
    "accounting": True,
    "unreachable": False,
    "unreachable_after_sbatch": False,
    "before": "",  # lines that squeue prints before ours: of foreign jobs
    "cut": False,  # squeue's answer ends in the middle of a line
}


@contextlib.contextmanager
def opened(file: Path):
    """The cluster, kept by this process alone until the block ends."""
    with file.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        cluster = json.loads(file.read_text()) if file.exists() else json.loads(json.dumps(FRESH))
        settle_dependencies(cluster)
        yield cluster
        settle_dependencies(cluster)
        temporary = file.with_suffix(f".{os.getpid()}")
        temporary.write_text(json.dumps(cluster))
        temporary.replace(file)


def job_id(job) -> str:
    return f"{job['array']}_{job['index']}"


def settle_dependencies(cluster) -> None:
    by_id = {job_id(job): job for job in cluster["jobs"]}
    for job in cluster["jobs"]:
        if job["state"] != "PENDING" or not job["after"]:
            continue
        state = by_id[job["after"]]["state"]
        if state in ("COMPLETED", "GONE"):
            job |= {"after": None, "reason": "Priority"}
        elif state in LIVE:
            job["reason"] = "Dependency"
        elif job["kill"]:
            job |= {"state": "CANCELLED", "reason": "DependencyNeverSatisfied", "accounted": False}
        else:
            job["reason"] = "DependencyNeverSatisfied"


def fail(words: str, code: int = 1):
    print(words, file=sys.stderr)
    return code


def sbatch(cluster, arguments) -> int:
    """Faults, one a call: refuse, never, silent, late, kill-before, kill-after, lose-lock."""
    options, script = {}, Path(arguments[-1])
    for line in script.read_text().splitlines():
        if line.startswith("#SBATCH --"):
            name, _, value = line.removeprefix("#SBATCH --").partition("=")
            options[name] = value.strip("'\"")
    for word in arguments[:-1]:  # in place of the script's own
        name, _, value = word.removeprefix("--").partition("=")
        options[name] = value
    fault = cluster["sbatch_faults"].pop(0) if cluster["sbatch_faults"] else ""
    if fault == "refuse":
        return fail("sbatch: error: Batch job submission failed: Invalid qos specification")
    if fault == "kill-before":
        return kill_launcher()
    late = 10.0 if fault == "late" else 0.0
    after = options.get("dependency", "").removeprefix("afterok:") or None
    if after and not any(job_id(job) == after and job["known"] for job in cluster["jobs"]):
        after = None  # Slurm 22.05 takes a job that it has forgotten for one that has ended well
    array = ""
    if fault != "never":
        for _ in range(2 if cluster["duplicate"] else 1):
            array = new_array(cluster, options, after, late)
    cluster["unreachable"] = cluster["unreachable_after_sbatch"]
    if fault == "kill-after":
        return kill_launcher()
    if fault == "lose-lock":
        (script.parents[1] / "lock").unlink()
        fault = ""
    if fault:
        return fail("sbatch: error: Batch job submission failed: Socket timed out on send/recv")
    print(f"Submitted batch job {array}")
    return 0


def new_array(cluster, options, after, late) -> str:
    array = str(cluster["next_id"])
    cluster["next_id"] += 1
    for index in indices(options["array"].partition("%")[0]):
        cluster["jobs"].append(
            {
                "array": array,
                "index": index,
                "name": options["job-name"],
                "state": "PENDING",
                "reason": "Priority",
                "node": "",
                "elapsed": 0,
                "after": after,
                "kill": options.get("kill-on-invalid-dep") == "yes",
                "visible_at": cluster["now"] + late,
                "known": True,  # to squeue
                "told": "",  # what sacct says instead of the state
                "accounted": True,  # known to sacct
            }
        )
    return array


def indices(text: str) -> list[int]:
    """Of "0-2,7"."""
    spans = [part.partition("-") for part in text.split(",")]
    return [
        index for first, _, last in spans for index in range(int(first), int(last or first) + 1)
    ]


def kill_launcher() -> int:
    os.kill(os.getppid(), signal.SIGKILL)
    return 1


def shown(cluster):
    return [job for job in cluster["jobs"] if job["visible_at"] <= cluster["now"]]


def squeue(cluster, arguments) -> int:
    assert "--format=%F|%K|%j|%T|%r|%N|%M|%L" in arguments
    assert not [name for name in os.environ if name.startswith("SQUEUE_")]
    text = cluster["before"]
    for job in shown(cluster):
        if job["known"]:
            left = "1-00:00:00" if job["state"] == "RUNNING" else "INVALID"
            clock = f"{job['elapsed'] // 60}:{job['elapsed'] % 60:02d}"
            head = f"{job['array']}|{job['index']}|{job['name']}|{job['state']}"
            text += f"{head}|{job['reason'] or 'None'}|{job['node']}|{clock}|{left}\n"
    sys.stdout.write(text[:-7] if cluster["cut"] else text)
    return 0


def sacct(cluster, arguments) -> int:
    if not cluster["accounting"]:
        return fail("Slurm accounting storage is disabled")
    names = next(word for word in arguments if word.startswith("--name=")).partition("=")[2]
    for job in shown(cluster):
        if job["name"] in names.split(",") and job["accounted"]:
            state = job["told"] or job["state"]
            rest = f"{job['node'] or 'None assigned'}|{job['elapsed']}|{job['reason'] or 'None'}"
            print(f"{job_id(job)}|{job['name']}|{state}|1:0|{rest}")
    return 0


def scancel(cluster, arguments) -> int:
    for job in cluster["jobs"]:
        if job_id(job) in arguments and job["state"] in LIVE:
            if job["state"] == "PENDING":
                # Slurm 22.05 drops such a task of an array from all its books, and starts what
                # has waited for it.
                job |= {"state": "GONE", "known": False, "accounted": False}
                continue
            by = f"CANCELLED by {os.getuid()}"
            job |= {"state": "CANCELLED", "reason": "", "told": by}
    return 0


def scontrol(cluster, arguments) -> int:
    assert arguments[0] == "requeue"
    for job in cluster["jobs"]:
        if job_id(job) in arguments[1:]:
            job |= {"state": "PENDING", "reason": "BeginTime", "node": ""}
    return 0


def main(state: str, command: str, *arguments: str) -> int:
    with opened(Path(state)) as cluster:
        cluster["calls"].append([command, *arguments])
        if cluster["unreachable"]:
            return fail(f"{command}: error: Unable to contact slurm controller (connect failure)")
        if command == "srun":
            return fail("srun: there are no nodes here")
        known = {one.__name__: one for one in (sbatch, squeue, sacct, scancel, scontrol)}
        return known[re.sub(r"\W", "", command)](cluster, list(arguments))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
