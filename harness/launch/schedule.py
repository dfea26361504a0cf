"""Which run starts next: a pure function of the runs' states."""

from collections.abc import Mapping

from harness.grid.spec import RunSpec, base_of
from harness.grid.state import RunState, State

States = Mapping[str, RunState]


def next_run(specs: Mapping[str, RunSpec], states: States, slots: int) -> RunSpec | None:
    """The run to start now; None while no slot is free or every other run waits.

    Fine-tunes go before bases, so that rows of a table appear early; but while fine-tunes alone are
    running, the next slot goes to a base, so that no base trains by itself at the end. Among equals
    the order of the tables decides.

    Args:
        specs: the runs by id, each base before its fine-tunes.
        states: of every run in `specs`.
        slots: how many runs train at a time.
    """
    running = running_in(specs, states)
    if len(running) >= slots:
        return None
    ready = [
        spec
        for run_id, spec in specs.items()
        if states[run_id].state is State.TO_DO and _base_is_done(spec, states)
    ]
    base_is_due = bool(running) and all(spec.stage == "finetune" for spec in running)
    wanted = "base" if base_is_due else "finetune"
    return min(ready, key=lambda spec: spec.stage != wanted, default=None)


def running_in(specs: Mapping[str, RunSpec], states: States) -> list[RunSpec]:
    """The runs that take a slot."""
    return [spec for run_id, spec in specs.items() if states[run_id].state is State.RUNNING]


def blocked_by_base(spec: RunSpec, states: States) -> str:
    """Why `spec` cannot start in this launch; "" while it can."""
    base = base_of(spec)
    if base and states[base.run_id].state in (State.FAILED, State.BLOCKED):
        return f"its base {base.run_id} failed"
    return ""


def _base_is_done(spec: RunSpec, states: States) -> bool:
    base = base_of(spec)
    return base is None or states[base.run_id].state is State.DONE
