"""`devcluster`: a real Slurm for a test; where its programs are missing, the test skips."""

import os

import pytest

from slurm.devcluster.cluster import OTHER_CLUSTERS, private_cluster
from slurm.devcluster.settings import ACCOUNTING, SLURM, Settings, how_to_install, missing


@pytest.fixture(scope="session")
def slurm():
    """Skips where Slurm is not installed."""
    if missing(SLURM):
        pytest.skip(f"no real Slurm: {how_to_install(missing(SLURM + ACCOUNTING))}")


@pytest.fixture(scope="session")
def one_cluster(slurm):
    """The cluster of all tests: 2 nodes with 8 CPUs and 4 GPUs each."""
    with private_cluster(Settings(nodes=2, cpus=8, gpus=4)) as cluster:
        yield cluster


@pytest.fixture
def devcluster(one_cluster, monkeypatch):
    """That cluster, the one that Slurm's commands find; the jobs of the test end with it."""
    for name in [name for name in os.environ if name.startswith(OTHER_CLUSTERS)]:
        monkeypatch.delenv(name)
    for name in ("SLURM_CONF", "PATH"):
        monkeypatch.setenv(name, one_cluster.environment[name])
    yield one_cluster
    one_cluster.clear()


@pytest.fixture
def accounting(devcluster):
    """Skips where the cluster has no database behind `sacct`."""
    if not devcluster.settings.accounting:
        pytest.skip(f"no accounting: {how_to_install(missing(ACCOUNTING))}")
