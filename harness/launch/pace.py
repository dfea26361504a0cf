"""Time left of a run, from the speed that a viewer has seen with its own clock."""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Reading:
    """An iteration and the time at which it was first seen."""

    iteration: int
    at_s: float


@dataclass
class Pace:
    """Readings of many runs. Nothing is said of a run before its second reading."""

    _first: dict[str, Reading] = field(default_factory=dict)
    _newest: dict[str, Reading] = field(default_factory=dict)

    def see(self, run_id: str, iteration: int, now_s: float) -> None:
        """Note that `run_id` has done `iteration` iterations at `now_s`."""
        newest = self._newest.get(run_id)
        if newest is None or iteration < newest.iteration:  # or resumed from a checkpoint
            self._first[run_id] = self._newest[run_id] = Reading(iteration, now_s)
        elif iteration > newest.iteration:
            self._newest[run_id] = Reading(iteration, now_s)

    def left_s(self, run_id: str, last_iteration: int, now_s: float) -> float | None:
        """Seconds until `last_iteration` at the speed seen; None until there is one."""
        if run_id not in self._newest:
            return None
        first, newest = self._first[run_id], self._newest[run_id]
        if newest.iteration == first.iteration:
            return None
        speed_s = (newest.at_s - first.at_s) / (newest.iteration - first.iteration)
        left_s = (last_iteration - newest.iteration) * speed_s - (now_s - newest.at_s)
        return max(0.0, left_s)
