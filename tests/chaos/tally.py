"""What is counted over all rounds, and what must not be."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from harness.paths import RunsFolder
from harness.records import read_begin


@dataclass
class Tally:
    """The campaign so far.

    Attributes:
        tell: prints a line with the time.
        faults: by kind.
        findings: what must not be, a sentence each.
        attempts: at all runs of all rounds.
        requeues: how many of them were by jobs that Slurm had put back into the queue.
    """

    tell: Callable[[str], None]
    faults: Counter[str] = field(default_factory=Counter)
    findings: list[str] = field(default_factory=list)
    attempts: int = 0
    requeues: int = 0

    @property
    def total(self) -> int:
        """How many faults there were."""
        return self.faults.total()

    def find(self, what: str) -> None:
        """Note what must not be, once."""
        if what not in self.findings:
            self.findings.append(what)
            self.tell(f"FOUND: {what}")

    def count_attempts(self, runs: RunsFolder, run_ids: list[str], *, undisturbed: bool) -> None:
        """Count those at the runs of a round; find more than one where nothing disturbed it."""
        for run_id in run_ids:
            paths = runs.run(run_id)
            numbers = paths.attempt_numbers()
            if undisturbed and len(numbers) != 1:
                self.find(f"{run_id} has {len(numbers)} attempts, undisturbed")
            begins = [read_begin(paths.attempt(number).begin) for number in numbers]
            self.attempts += len(numbers)
            self.requeues += sum(1 for begin in begins if begin and begin.restart)

    def summary(self, minutes: float) -> str:
        """Faults by kind, attempts, how long it took, and what was lost."""
        lines = [
            *(f"{number:4} {name}" for name, number in sorted(self.faults.items())),
            f"{self.total:4} faults in {minutes:.1f} min",
            f"{self.attempts:4} attempts, {self.requeues} of them by jobs back from the queue",
            f"{len(self.findings):4} lost or wrong",
            *(f"     {text}" for text in self.findings),
        ]
        return "\n".join(lines)
