"""The user of a round: sees what stands still, and gives `harness submit` or `harness retry`."""

import time
from dataclasses import dataclass
from random import Random

from harness.grid.state import Cause
from harness.paths import RunsFolder
from harness.slurm.submit import HELD_BACK
from tests.chaos import launches
from tests.chaos.launches import Launch
from tests.chaos.project import Project
from tests.chaos.sight import Sight
from tests.chaos.strikes import Deck
from tests.chaos.tally import Tally
from tests.chaos.watched import Watched

ENOUGH_GB = "2"
DISTURBED = 0.6  # of the launches, while there are faults to come


@dataclass
class User:
    """The user.

    Attributes:
        project: in which the commands are given.
        runs: the folder of the round's runs.
        rng: how they are given, and when.
        tally: of the whole campaign.
        most: faults in all rounds after which launches are disturbed no more.
        ways: of disturbing a launch, as they come.
        watched: what befalls the runs, and when a launcher was hit.
        launch: the one under way, if there is one.
        not_before: when the next may begin, on the monotonic clock.
        usual_s: how long the last undisturbed launch took.
    """

    project: Project
    runs: RunsFolder
    rng: Random
    tally: Tally
    most: int
    ways: Deck
    watched: Watched
    launch: Launch | None = None
    not_before: float = 0.0
    usual_s: float = 3.0

    def act(self, seen: Sight) -> None:
        """Submit what stands still, with more memory where that was short, if it is time."""
        if self.launch is not None:
            if self.launch.ended():
                self._judge(self.launch)
                self.launch = None
                self.not_before = time.monotonic() + self.rng.uniform(0, 3)
        elif seen.answered and time.monotonic() >= self.not_before:
            standing = self.watched.standing(seen)
            held = [one for one in standing if seen.rows[one].cause in HELD_BACK]
            if held:
                self._retry(held[0], seen.rows[held[0]].cause)
            elif standing:
                self._submit(len(standing))

    def _retry(self, run_id: str, cause: str) -> None:
        more = ["--mem-gb", ENOUGH_GB] if cause == Cause.OUT_OF_MEMORY else []
        self.tally.tell(f"harness retry {run_id} {' '.join(more)}")
        self.launch = Launch("retry", [self.project.retry(self.runs, run_id, *more)])

    def _submit(self, number: int) -> None:
        how = launches.ALONE
        if self.tally.total < self.most and self.rng.random() < DISTURBED:
            how = str(self.ways.deal(set(launches.KINDS)))
        self.tally.tell(f"harness submit ({how}), for {number} runs")
        self.launch = launches.launch(self.project, self.runs, how, self.rng, self.usual_s)

    def _judge(self, launch: Launch) -> None:
        said, hit = launch.said(), launch.was_hit()
        if hit:
            self.tally.faults[launch.how] += 1
            self.watched.launcher_was_hit()
        killed = hit and launch.how == launches.KILLED
        if launch.how == launches.ALONE:
            self.usual_s = launch.seconds
        for code, printed in said:
            if code and not killed:
                told = f"harness {launch.how} ended with {code}: {printed.strip()[-600:]}"
                self.tally.tell(told)
                if not self.watched.was_in_trouble(launch.begun):
                    self.tally.find(told)
