"""The fault campaign: `make chaos`; python -m tests.chaos.campaign [--faults 100] [--seed N] ...

A grid of small runs on a real Slurm on this host, once undisturbed, then again and again while
faults befall it at random, until there were enough. At the end of each round every run must be
done, and be the same to the last bit. Exit 1 where anything was lost; everything is then kept.
"""

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path
from random import Random, SystemRandom

from harness.paths import RunsFolder
from slurm.devcluster.cluster import Cluster, down, up
from slurm.devcluster.settings import Settings
from tests.chaos import comparison, launches, strikes
from tests.chaos.project import Project, make_project, write_site
from tests.chaos.round import Round
from tests.chaos.sight import overlaps
from tests.chaos.strikes import Deck
from tests.chaos.tally import Tally
from tests.chaos.user import User
from tests.chaos.watched import Watched

# Four runs at a time; more memory than they take, and less than they take is noticed.
SETTINGS = Settings(nodes=2, cpus=4, gpus=2, memory_mb=16000, kill_over_memory=True)
# No name that a path may have is too odd for a runs folder.
NAMES = ("reference", "it's round {} at 100%")


class Campaign:
    """The rounds, one after the other, on one cluster."""

    def __init__(self, project: Project, cluster: Cluster, rng: Random, most: int):
        self.project = project
        self.cluster = cluster
        self.rng = rng
        self.most = most
        self.begun = time.monotonic()
        self.tally = Tally(self.tell)
        # Each with its own numbers: what else is drawn, and how often, is a matter of time.
        self.kinds = Deck(tuple(kind.name for kind in strikes.KINDS), Random(rng.random()))
        self.ways = Deck(launches.KINDS, Random(rng.random()))

    def tell(self, text: str) -> None:
        """Print a line with the seconds since the campaign began, and keep it."""
        line = f"[{time.monotonic() - self.begun:7.1f} s] {text}"
        print(line, flush=True)
        with (self.project.folder / "campaign.log").open("a", encoding="utf-8") as log:
            log.write(line + "\n")

    def run(self) -> None:
        """The undisturbed grid, then rounds until there were enough faults or one did harm."""
        reference, run_ids = self.round(NAMES[0], most=0, requeue=True)
        number = 0
        while self.tally.total < self.most and not self.tally.findings:
            number += 1
            # Every other cluster forbids that jobs go back into the queue.
            name, requeue = NAMES[1].format(number), number % 2 == 1
            runs, _ = self.round(name, most=self.most, requeue=requeue)
            lost = comparison.lost(reference, runs, run_ids)
            for text in [*overlaps(runs, run_ids), *lost]:
                self.tally.find(text)
            self.tell(f"compared with the undisturbed grid: {len(lost)} differences")

    def round(self, name: str, *, most: int, requeue: bool) -> tuple[RunsFolder, list[str]]:
        """One grid in a new folder, to its end; the folder and its runs."""
        self.tell(f"{name}: requeue = {str(requeue).lower()}")
        write_site(self.project.folder, requeue=requeue, gpus_per_node=SETTINGS.gpus)
        runs = self.project.new_runs(name)
        watched = Watched(runs, self.tally.find)
        user = User(self.project, runs, self.rng, self.tally, most, self.ways, watched)
        run_ids = Round(self.cluster, user, requeue, most, self.kinds).go()
        self.tally.count_attempts(runs, run_ids, undisturbed=not most)
        return runs, run_ids


def main() -> int:
    """0 if nothing was lost."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.chaos.campaign", description=__doc__.partition("\n\n")[2]
    )
    parser.add_argument("--faults", type=int, default=100, help="how many at least")
    parser.add_argument(
        "--seed", type=int, help="of another campaign: its faults, at other moments"
    )
    parser.add_argument("--rows", type=int, help="of the grid, from its first; all by default")
    options = parser.parse_args()
    seed = SystemRandom().randrange(10**6) if options.seed is None else options.seed
    usual = tempfile.gettempdir()
    # Slurm's sockets need a short path.
    folder = Path(tempfile.mkdtemp(prefix="chaos-", dir=usual if len(usual) < 40 else "/tmp"))
    print(f"Seed {seed}. Everything is in {folder}.", flush=True)
    begun = time.monotonic()
    cluster = up(folder / "slurm", SETTINGS)
    whole = False
    try:
        path = launches.put_wrapper(folder / "bin", cluster.environment["PATH"])
        environ = {**cluster.environment, "PATH": path}
        project = make_project(folder / "project", environ, options.rows)
        if project.dirty:
            print("This checkout has changes: jobs run it as it is now (--dirty).", flush=True)
        campaign = Campaign(project, cluster, Random(seed), options.faults)
        try:
            campaign.run()
        finally:
            print(campaign.tally.summary((time.monotonic() - begun) / 60), flush=True)
        whole = not campaign.tally.findings
    finally:
        down(folder / "slurm", keep=not whole)
        if whole:
            shutil.rmtree(folder)
        else:
            again = f"--seed {seed} deals the same faults in the same order, as far as time allows"
            print(f"Kept: {folder}. {again}.", flush=True)
    return 0 if whole else 1


if __name__ == "__main__":
    sys.exit(main())
