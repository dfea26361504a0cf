"""Jobs as processes of this machine: submitit's local executor, and an orderly end of its jobs."""

import atexit
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import submitit
from submitit.core.utils import environment_variables

from harness.files import private_folder
from harness.launch.job import ONE_THREAD
from harness.launch.trust import refuse_shared
from harness.paths import RunPaths

TIMEOUT_MIN = 30 * 24 * 60  # submitit ends a local job after 5 minutes unless told otherwise
STOP_WITHIN_S = 30.0
POLL_S = 0.5

LocalJob = submitit.Job[None]


def start_job(paths: RunPaths, work: Callable[[Path], None]) -> LocalJob:
    """A process of its own, on one thread, that does `work` with the run's folder.

    Raises:
        LaunchError: others could change what submitit leaves in that folder for the job to execute.
    """
    private_folder(paths.scheduler)
    refuse_shared(paths.scheduler, within=paths.folder.parent)
    executor = submitit.LocalExecutor(folder=_without_tags(paths.scheduler.resolve()))
    executor.update_parameters(timeout_min=TIMEOUT_MIN)
    with environment_variables(**ONE_THREAD), _deaf_to_the_terminal():
        return executor.submit(work, paths.folder.resolve())


def stop_jobs(jobs: Iterable[LocalJob]) -> list[LocalJob]:
    """Ask the jobs to end until they have written how, for half a minute; those still alive."""
    deadline = time.monotonic() + STOP_WITHIN_S
    alive = [job for job in jobs if not job.done()]
    while alive and time.monotonic() < deadline:
        for job in alive:
            # The id is the process's number; submitit passes the signal on to the job itself.
            with suppress(ProcessLookupError):
                os.kill(int(job.job_id), signal.SIGTERM)
        time.sleep(POLL_S)
        alive = [job for job in alive if not job.done()]
    return alive


def _without_tags(folder: Path) -> Path:
    """`folder` by a name in which submitit sees no tags of its own, such as %j, to be filled in."""
    if "%" not in str(folder):
        return folder
    private = Path(tempfile.mkdtemp(prefix="harness-"))
    atexit.register(shutil.rmtree, private, ignore_errors=True)
    link = private / folder.name
    link.symlink_to(folder)
    return link


@contextmanager
def _deaf_to_the_terminal() -> Iterator[None]:
    # Processes started in this block leave Ctrl-C and a closed terminal to the launcher, which asks
    # them to end in order: submitit itself would kill them a second after it.
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
