"""`harness submit` as an unlucky user gives it: killed, twice at once, with a busy controller."""

import os
import shutil
import signal
import subprocess
import threading
import time
from contextlib import suppress
from pathlib import Path
from random import Random

from harness.paths import RunsFolder
from tests.chaos.project import PATIENCE_S, Project

KILLED, TWICE, SLOW = "launcher killed", "two launchers", "sbatch times out"
KINDS = (KILLED, TWICE, SLOW)
ALONE = "undisturbed"
# What Slurm says when slurmctld is busy; the job that it accepted exists all the same.
WRAPPER = """\
#!/bin/sh
if [ -n "$CHAOS_SLOW" ] && rm "$CHAOS_SLOW" 2>/dev/null; then
    "{real}" "$@" >/dev/null
    echo "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation" >&2
    exit 1
fi
exec "{real}" "$@"
"""


class Launch:
    """One launcher, or two at once, under way.

    Attributes:
        how: one of `KINDS`, or what else it is.
        processes: the launchers.
        flag: of an sbatch that is to time out: the first one that is called takes it away.
        begun: when, on the monotonic clock.
        seconds: how long it has taken, or took.
    """

    def __init__(self, how: str, processes: list[subprocess.Popen[str]], flag: Path | None = None):
        self.how = how
        self.processes = processes
        self.flag = flag
        self.begun = time.monotonic()
        self.seconds = 0.0

    def ended(self) -> bool:
        """Whether it is over.

        Raises:
            TimeoutError: it takes for ever.
        """
        self.seconds = time.monotonic() - self.begun
        if self.seconds > PATIENCE_S:
            raise TimeoutError(f"harness {self.how} has not ended after {PATIENCE_S} s")
        return all(process.poll() is not None for process in self.processes)

    def kill_after(self, seconds: float, *, whole_group: bool) -> None:
        """kill -9 in `seconds`: of all its processes or, as the kernel does it, of one."""
        kill = os.killpg if whole_group else os.kill

        def hit(process: subprocess.Popen[str]) -> None:
            with suppress(ProcessLookupError):
                kill(process.pid, signal.SIGKILL)

        for process in self.processes:
            timer = threading.Timer(seconds, hit, [process])
            timer.daemon = True
            timer.start()

    def was_hit(self) -> bool:
        """Whether the fault that it was to have came to pass, once it is over."""
        if self.how == KILLED:
            return any(process.returncode < 0 for process in self.processes)
        if self.flag is not None:
            return not self.flag.exists()
        return self.how == TWICE

    def said(self) -> list[tuple[int, str]]:
        """Exit code and messages of each launcher, once it is over."""
        return [(one.returncode, one.communicate()[1]) for one in self.processes]


def put_wrapper(folder: Path, path: str) -> str:
    """A PATH whose first sbatch can be made to time out, in `folder`."""
    folder.mkdir(parents=True)
    wrapper = folder / "sbatch"
    wrapper.write_text(WRAPPER.format(real=shutil.which("sbatch", path=path)))
    wrapper.chmod(0o755)
    return f"{folder}{os.pathsep}{path}"


def launch(project: Project, runs: RunsFolder, how: str, rng: Random, usual_s: float) -> Launch:
    """Start `harness submit` in the way `how`; `usual_s` is how long it takes."""
    if how == TWICE:
        return Launch(how, [project.submit(runs), project.submit(runs)])
    if how == SLOW:
        flag = project.folder / "slow"
        flag.touch()
        return Launch(how, [project.submit(runs, CHAOS_SLOW=str(flag))], flag)
    started = Launch(how, [project.submit(runs)])
    if how == KILLED:
        started.kill_after(rng.uniform(0, 1.1 * usual_s), whole_group=rng.random() < 0.5)
    return started
