"""How long a user with a number of GPUs waits for the runs of a plan."""

import heapq
from collections.abc import Sequence
from dataclasses import dataclass

from harness.errors import SpecError


@dataclass(frozen=True)
class Task:
    """One run that is to do.

    Attributes:
        run_id: of the run.
        parent: the run that must have ended before; None where none must.
        num_gpus: on which it trains.
        hours: how long it takes there.
    """

    run_id: str
    parent: str | None
    num_gpus: int
    hours: float


def hours_on(gpus: int, tasks: Sequence[Task]) -> float:
    """Hours until all tasks are done, each started in their order as soon as its GPUs are free.

    Nothing else is reckoned with: no queue, no time limits, no evaluation.

    Args:
        gpus: how many there are.
        tasks: each after its parent, if that is one of them.

    Raises:
        SpecError: a run trains on more GPUs than there are.
    """
    too_large = [task for task in tasks if task.num_gpus > gpus]
    if too_large:
        raise SpecError(
            f"Run {too_large[0].run_id} trains on {too_large[0].num_gpus} GPUs, and there are "
            f"{gpus}. Give --gpus {max(task.num_gpus for task in tasks)} or more."
        )
    waiting, free, now = list(tasks), gpus, 0.0
    running: list[tuple[float, int, str]] = []  # by the hour at which they end
    while waiting or running:
        not_done = {task.run_id for task in waiting} | {run_id for _, _, run_id in running}
        for task in list(waiting):
            if task.num_gpus <= free and task.parent not in not_done:
                waiting.remove(task)
                free -= task.num_gpus
                heapq.heappush(running, (now + task.hours, task.num_gpus, task.run_id))
        now, freed, _ = heapq.heappop(running)
        free += freed
    return now
