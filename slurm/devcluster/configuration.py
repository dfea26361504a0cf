"""The configuration files of a cluster, as text."""

import os
import pwd
import random
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from slurm.devcluster.settings import Settings

DATABASE = "slurm_acct_db"
# The part of slurm.conf in which all clusters are alike.
ALIKE = """\
AuthType=auth/munge
CredType=cred/munge
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
MailProg=/bin/true

# No cgroups: they need root and systemd.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
MpiDefault=none

# Scheduling looks again every second: tests wait for it.
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,batch_sched_delay=0,sched_min_interval=0,bf_interval=1,bf_min_age_reserve=0
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU_Memory
SlurmdParameters=config_overrides
PriorityType=priority/basic
DefMemPerCPU=100

# What is preempted gets the signal that it asked for (--signal), GraceTime, and its place again.
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmctldParameters=preempt_send_user_signal
JobRequeue=1
KillWait=2
CompleteWait=0
EpilogMsgTime=0
UnkillableStepTimeout=10

# squeue forgets a job an hour after its end, a usual site after 5 minutes: tests never see it go.
MinJobAge=3600
MaxArraySize=1001
MaxJobCount=20000
ReturnToService=2
SlurmctldTimeout=10
MessageTimeout=10
TCPTimeout=2
"""


@dataclass(frozen=True)
class Ports:
    """The TCP ports of a cluster, on 127.0.0.1.

    Attributes:
        controller: slurmctld's.
        accounting: slurmdbd's.
        nodes: each slurmd's.
    """

    controller: int
    accounting: int
    nodes: tuple[int, ...]


def free_ports(nodes: int) -> Ports:
    """Ports that nobody uses now.

    Drawn anew for each cluster, from below those that the kernel gives to outgoing connections: so
    clusters that come up at the same time do not meet.
    """
    found: set[int] = set()
    while len(found) < nodes + 2:
        port = random.randrange(15000, 32000)
        with socket.socket() as probe:
            try:
                probe.bind(("", port))
            except OSError:
                continue
        found.add(port)
    controller, accounting, *others = found
    return Ports(controller, accounting, tuple(others))


def user_name() -> str:
    """The name of the user whose processes these are, whatever the environment says."""
    return pwd.getpwuid(os.getuid()).pw_name


def node_names(settings: Settings) -> tuple[str, ...]:
    """The names of the nodes: node1, node2, ..."""
    return tuple(f"node{number + 1}" for number in range(settings.nodes))


def slurm_conf(folder: Path, settings: Settings, ports: Ports) -> str:
    """The text of slurm.conf."""
    return "\n".join(
        [
            _own_part(folder, settings, ports),
            ALIKE,
            *_memory_lines(settings),
            *_accounting_lines(folder, settings, ports),
            *_node_lines(settings, ports),
            "",
        ]
    )


def _own_part(folder: Path, settings: Settings, ports: Ports) -> str:
    user, host = user_name(), socket.gethostname().partition(".")[0]
    return f"""\
ClusterName=devcluster
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports.controller}
SlurmUser={user}
SlurmdUser={user}
# cred_expire is also how long a job waits that went back into the queue.
AuthInfo=socket={folder}/munge.sock,cred_expire={settings.requeue_wait_s}
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/nodes/%n
SlurmctldPidFile={folder}/log/slurmctld.pid
SlurmdPidFile={folder}/nodes/%n/slurmd.pid
SlurmctldLogFile={folder}/log/slurmctld.log
# Its folder is where slurmd and its slurmstepd work: processes.py knows them by it.
SlurmdLogFile={folder}/nodes/%n/slurmd.log
SlurmdTimeout={settings.node_timeout_s}
"""


def _memory_lines(settings: Settings) -> Sequence[str]:
    if not settings.kill_over_memory:
        return ["JobAcctGatherType=jobacct_gather/none"]
    return [
        "JobAcctGatherType=jobacct_gather/linux",
        "JobAcctGatherFrequency=task=1",
        "JobAcctGatherParams=OverMemoryKill",
    ]


def _accounting_lines(folder: Path, settings: Settings, ports: Ports) -> Sequence[str]:
    if not settings.accounting:
        return ["AccountingStorageType=accounting_storage/none"]
    return [
        "AccountingStorageType=accounting_storage/slurmdbd",
        "AccountingStorageHost=localhost",
        f"AccountingStoragePort={ports.accounting}",
        # Of munge's socket, not a password: without it slurmdbd is asked through /run/munge.
        f"AccountingStoragePass={folder}/munge.sock",
        "AccountingStorageTRES=gres/gpu",
    ]


def _node_lines(settings: Settings, ports: Ports) -> Sequence[str]:
    names = node_names(settings)
    gpus = f" Gres=gpu:{settings.gpus}" if settings.gpus else ""
    everywhere = f"Nodes={','.join(names)} DefaultTime=10 MaxTime=INFINITE State=UP"
    return [
        *(["GresTypes=gpu"] if settings.gpus else []),
        *(
            f"NodeName={name} NodeHostname={name} NodeAddr=127.0.0.1 Port={port} "
            f"CPUs={settings.cpus} RealMemory={settings.memory_mb}{gpus}"
            for name, port in zip(names, ports.nodes, strict=True)
        ),
        "PartitionName=low Default=YES PriorityTier=1 PreemptMode=REQUEUE GraceTime=5 "
        + everywhere,
        f"PartitionName=high PriorityTier=10 PreemptMode=OFF {everywhere}",
    ]


def slurmdbd_conf(folder: Path, ports: Ports) -> str:
    """The text of slurmdbd.conf."""
    user = user_name()
    return f"""\
AuthType=auth/munge
AuthInfo={folder}/munge.sock
DbdHost=localhost
DbdPort={ports.accounting}
SlurmUser={user}
LogFile={folder}/log/slurmdbd.log
PidFile={folder}/log/slurmdbd.pid
CommitDelay=0
StorageType=accounting_storage/mysql
StorageHost=localhost
StorageUser={user}
StorageLoc={DATABASE}
"""


def gres_conf(folder: Path, settings: Settings) -> str:
    """The text of gres.conf. Slurm counts the GPUs' files, which must be devices."""
    if not settings.gpus:
        return ""
    return (
        f"AutoDetect=off\nNodeName={','.join(node_names(settings))} Name=gpu "
        f"File={folder}/gpus/gpu[0-{settings.gpus - 1}]\n"
    )
