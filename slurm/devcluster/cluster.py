"""Bring a cluster up, and take it down again."""

import contextlib
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from slurm.devcluster.configuration import (
    DATABASE,
    free_ports,
    gres_conf,
    node_names,
    slurm_conf,
    slurmdbd_conf,
    user_name,
)
from slurm.devcluster.processes import MARK, Process, kill, processes_of, until
from slurm.devcluster.settings import SEARCH_PATH, DevclusterError, Settings, resolved

# What a job around us, or the user's profile, says to Slurm's commands.
OTHER_CLUSTERS = ("SLURM_", "SBATCH_", "SRUN_", "SALLOC_", "SQUEUE_", "SACCT_", "SCANCEL_")


@dataclass(frozen=True)
class Cluster:
    """A cluster that is up.

    Attributes:
        folder: holds everything of it.
        settings: its shape.
    """

    folder: Path
    settings: Settings

    @property
    def environment(self) -> dict[str, str]:
        """The environment in which Slurm's commands talk to this cluster and no other."""
        ours = {
            name: value for name, value in os.environ.items() if not name.startswith(OTHER_CLUSTERS)
        }
        ours.pop(MARK, None)
        return ours | {"SLURM_CONF": f"{self.folder}/slurm.conf", "PATH": SEARCH_PATH}

    @property
    def nodes(self) -> tuple[str, ...]:
        """The names of its nodes."""
        return node_names(self.settings)

    def ask(self, *command: str, timeout_s: float = 60) -> str:
        """What a command says, run against this cluster.

        Raises:
            subprocess.CalledProcessError: it failed; `stderr` says why.
            subprocess.TimeoutExpired: it did not end.
        """
        return subprocess.run(
            command,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=True,
            timeout=timeout_s,
        ).stdout

    def answers(self, *command: str) -> str | None:
        """As `ask`, but None where the command fails."""
        try:
            return self.ask(*command, timeout_s=5)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired):
            return None

    def daemons(self, name: str) -> list[Process]:
        """The running daemons of a name, as slurmctld."""
        return [process for process in processes_of(self.folder) if process.name == name]

    def clear(self) -> None:
        """Cancel all jobs, and wait a few seconds for them to end."""
        self.answers("scancel", "--me")
        live = ("squeue", "-h", "-t", "running,completing,suspended", "-o", "%A")
        with contextlib.suppress(TimeoutError):
            until(lambda: self.answers(*live) == "", 5)

    def start_munge(self) -> None:
        """Start munged, which signs what the others say to each other."""
        log, key, seed = self.folder / "log", self.folder / "munge.key", self.folder / "munge.seed"
        paths = [f"--socket={self.folder}/munge.sock", f"--key-file={key}", f"--seed-file={seed}"]
        paths += [f"--pid-file={log}/munged.pid", f"--log-file={log}/munged.log"]
        # --force: a folder below /tmp is a warning only. It is ours alone (0700).
        self._start("munged", "--force", "--num-threads=4", *paths)

    def start_database(self) -> None:
        """Start MariaDB, made new when there is none, without TCP: its socket is the way in."""
        database, sock = self.folder / "db", self.folder / "mysql.sock"
        common = ["--no-defaults", f"--user={user_name()}"]
        common += [f"--datadir={database}", "--innodb-log-file-size=8M"]
        if not database.is_dir():
            database.mkdir(mode=0o700)
            quick = ["--skip-test-db", "--auth-root-authentication-method=normal"]
            self._start("mariadb-install-db", *common, *quick)
        access = [f"--socket={sock}", "--skip-networking", "--skip-grant-tables"]
        # slurmdbd asks for a long wait; nothing here has to survive a power cut.
        speed = ["--innodb-lock-wait-timeout=900", "--innodb-flush-log-at-trx-commit=0"]
        speed += ["--skip-log-bin", "--innodb-buffer-pool-size=64M"]
        self._start("setsid", "--fork", "mariadbd", *common, *access, *speed)
        create = f"create database if not exists {DATABASE}"
        self._wait_for("mariadb", "--no-defaults", f"--socket={sock}", "-e", create)

    def start_accounting(self) -> None:
        """Start slurmdbd, and return when it answers."""
        self._start("slurmdbd")
        self._wait_for("sacctmgr", "-n", "list", "cluster")

    def start_controller(self, *, new: bool = False) -> None:
        """Start slurmctld, and return when it answers.

        Args:
            new: forget the jobs that there were.
        """
        self._start("slurmctld", "-i", *(["-c"] if new else []))
        self._wait_for("scontrol", "ping")

    def start_node(self, node: str) -> None:
        """Start a node's slurmd."""
        (self.folder / "nodes" / node).mkdir(parents=True, exist_ok=True)
        self._start("slurmd", "-N", node)

    def _start(self, *command: str) -> None:
        mark = {MARK: str(self.folder), "MYSQL_UNIX_PORT": f"{self.folder}/mysql.sock"}
        log = self.folder / "log" / "start.log"
        with log.open("a") as output:
            code = subprocess.run(
                command,
                env=self.environment | mark,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self.folder,
            ).returncode
        if code:
            raise DevclusterError(f"{command[0]} did not start:\n{_tail(log)}")

    def _wait_for(self, *command: str) -> None:
        try:
            until(lambda: self.answers(*command) is not None, 60, " ".join(command))
        except TimeoutError as error:
            logs = sorted((self.folder / "log").glob("*.log"))
            ends = "\n".join(f"{log.name}:\n{_tail(log)}" for log in logs)
            raise DevclusterError(f"{error}.\n{ends}") from None


def up(folder: Path, settings: Settings) -> Cluster:
    """A cluster in `folder`, all nodes idle. Nothing of it is left where it fails.

    Args:
        folder: new or empty, and short: unix sockets go into it.
        settings: its shape.

    Raises:
        DevclusterError: a setting, the folder, a missing program, a daemon that does not start.
    """
    folder = folder.absolute()
    cluster = Cluster(folder, resolved(settings, folder))
    try:
        _write_files(cluster)
        cluster.start_munge()
        if cluster.settings.accounting:
            cluster.start_database()
            cluster.start_accounting()
            cluster.ask("sacctmgr", "-i", "add", "cluster", "devcluster")
        cluster.start_controller(new=True)
        for node in cluster.nodes:
            cluster.start_node(node)
        idle = ["sinfo", "-h", "-N", "-p", "low", "-t", "idle", "-o", "%N"]
        until(lambda: (cluster.answers(*idle) or "").count("\n") == len(cluster.nodes), 60, "idle")
    except BaseException:
        down(folder)
        raise
    return cluster


def _write_files(cluster: Cluster) -> None:
    folder, settings = cluster.folder, cluster.settings
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for name in ("log", "state", "nodes", "gpus"):
        (folder / name).mkdir()
    for number in range(settings.gpus):
        (folder / "gpus" / f"gpu{number}").symlink_to(os.devnull)
    ports = free_ports(settings.nodes)
    (folder / "slurm.conf").write_text(slurm_conf(folder, settings, ports))
    (folder / "gres.conf").write_text(gres_conf(folder, settings))
    for name, data in [
        ("munge.key", secrets.token_bytes(1024)),
        ("slurmdbd.conf", slurmdbd_conf(folder, ports).encode()),
    ]:
        (folder / name).touch(mode=0o600)
        (folder / name).write_bytes(data)


def down(folder: Path, *, keep: bool = False) -> None:
    """Cancel the jobs, end all processes, and delete the folder.

    Args:
        folder: where a cluster is, was, or failed to come up. Anything else is left alone.
        keep: leave the files, to read the logs.

    Raises:
        DevclusterError: the folder holds something, but no cluster.
    """
    folder = folder.absolute()
    if folder.is_dir() and any(folder.iterdir()) and not (folder / "slurm.conf").is_file():
        raise DevclusterError(f"{folder} holds no cluster: there is no slurm.conf in it.")
    cluster = Cluster(folder, Settings())
    if cluster.daemons("slurmctld"):
        # So that jobs are asked to end before they are made to.
        cluster.clear()

    def killed() -> bool:
        left = processes_of(folder)
        kill(left)
        return not left

    until(killed, 20, f"the end of all processes of {folder}")
    if not keep:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def private_cluster(settings: Settings) -> Iterator[Cluster]:
    """A cluster in a new folder of its own, for as long as the block runs.

    Raises:
        DevclusterError: as `up`.
    """
    usual = tempfile.gettempdir()
    # Slurm needs short paths, which TMPDIR need not have.
    folder = Path(tempfile.mkdtemp(prefix="slurm-", dir=usual if len(usual) < 40 else "/tmp"))
    try:
        yield up(folder, settings)
    finally:
        with _uninterrupted():
            down(folder)


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C and SIGTERM wait: a second one must not leave half a cluster."""
    blocked = {signal.SIGINT, signal.SIGTERM, signal.SIGHUP}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, blocked)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _tail(log: Path) -> str:
    return "\n".join(log.read_text(errors="replace").splitlines()[-5:])
