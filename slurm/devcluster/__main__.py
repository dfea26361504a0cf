"""The command line: python -m slurm.devcluster up | down | with."""

import argparse
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path
from types import FrameType

from slurm.devcluster.cluster import Cluster, down, private_cluster, up
from slurm.devcluster.settings import DevclusterError, Settings, for_this_machine


def main(words: Sequence[str]) -> int:
    """Do what the words say; what comes back is the exit code."""
    asked = _parser().parse_args(words)
    try:
        if asked.what == "down":
            down(asked.folder, keep=asked.keep)
        elif asked.what == "up":
            cluster = up(asked.folder, _settings(asked))
            print(f"export SLURM_CONF={cluster.folder}/slurm.conf")
        else:
            return _run_with(_settings(asked), asked.command)
    except DevclusterError as error:
        print(f"devcluster: {error}", file=sys.stderr)
        return 2
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m slurm.devcluster", description=__doc__)
    what = parser.add_subparsers(dest="what", required=True)
    for name, text in {
        "up": "bring a cluster up in FOLDER and print the line that makes Slurm's commands find it",
        "down": "end all processes of the cluster in FOLDER, and delete FOLDER",
        "with": "bring a cluster up, run COMMAND in it, take it down; exits as COMMAND",
    }.items():
        command = what.add_parser(name, help=text, description=text)
        if name == "with":
            command.add_argument("command", nargs="+", metavar="COMMAND")
        else:
            command.add_argument("folder", type=Path, metavar="FOLDER")
        if name == "down":
            command.add_argument("--keep", action="store_true", help="leave the files")
        else:
            _add_settings(command)
    return parser


def _add_settings(command: argparse.ArgumentParser) -> None:
    usual = for_this_machine()
    for field in fields(Settings):
        option, default = "--" + field.name.replace("_", "-"), getattr(usual, field.name)
        if isinstance(default, int) and not isinstance(default, bool):
            command.add_argument(option, type=int, default=default, help=f"{default}, if not given")
        else:
            flag = argparse.BooleanOptionalAction
            command.add_argument(option, action=flag, default=default)


def _settings(asked: argparse.Namespace) -> Settings:
    return Settings(**{field.name: getattr(asked, field.name) for field in fields(Settings)})


def _run_with(settings: Settings, command: Sequence[str]) -> int:
    def stop(signum: int, frame: FrameType | None) -> None:
        raise SystemExit(128 + signum)

    for signum in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signum, stop)
    try:
        with private_cluster(settings) as cluster:
            return _run(cluster, command)
    except KeyboardInterrupt:
        return 128 + signal.SIGINT


def _run(cluster: Cluster, command: Sequence[str]) -> int:
    try:
        child = subprocess.Popen(command, env=cluster.environment)
    except OSError as error:
        raise DevclusterError(f"{command[0]} cannot be run: {error.strerror}.") from None
    try:
        try:
            code = child.wait()
        except KeyboardInterrupt:
            # The terminal has told the command as well.
            code = child.wait(timeout=10)
        except SystemExit:
            child.terminate()
            child.wait(timeout=10)
            raise
    except subprocess.TimeoutExpired:
        code = 128 + signal.SIGKILL
    finally:
        if child.poll() is None:
            child.kill()
            child.wait()
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
