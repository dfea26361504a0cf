"""What commands do on a Slurm cluster: submit, retry, cancel, doctor, and the demo there."""

from collections.abc import Collection

from harness.commands.messages import tell
from harness.errors import LaunchError
from harness.grid import Grid
from harness.grid.missing import coco_splits, weights_needed
from harness.grid.next_command import command
from harness.grid.plan import make_plan
from harness.grid.state import State
from harness.paths import RunsFolder
from harness.slurm import control
from harness.slurm.doctor import Need, examine
from harness.slurm.seen import look_at
from harness.slurm.site import load_site
from harness.slurm.submissions import submissions_of
from harness.slurm.submit import Submitted, submit
from harness.terminal.doctor_view import show_checks
from harness.terminal.live import watch_launch
from harness.terminal.runs_view import show_runs, show_submitted
from harness.terminal.words import some
from harness.workplace import Workplace

NOTHING_DONE = "Nothing was done. Give the same command with --yes to do it."


def submit_grid(
    grid: Grid,
    place: Workplace,
    site: str,
    *,
    dirty: bool,
    only: Collection[str] | None = None,
    mem_gb: float | None = None,
) -> Submitted:
    """Give what is not done of `grid` to the cluster `site`, and tell what became of each run.

    Args:
        grid: the cells and runs asked for.
        place: where runs and site files are.
        site: the name of a site file.
        dirty: whether a tree with uncommitted changes may be submitted.
        only: runs to submit, those held back included; by default all but those.
        mem_gb: memory of each run, where it is not the site's.
    """
    cluster = load_site(site, place.sites)
    done = submit(grid, place.runs, cluster, dirty=dirty, only=only, mem_gb=mem_gb)
    one = next(iter(grid.runs.values()))
    show_submitted(
        done,
        {run_id: grid.name_of(run_id) for run_id in grid.runs},
        watch=command("status --watch", one, place.runs.folder),
        fails=command("fails", one, place.runs.folder),
    )
    return done


def train(grid: Grid, place: Workplace, site: str, *, dirty: bool) -> bool:
    """Submit `grid`, and watch it to its end or to Ctrl-C.

    Returns:
        Whether a run failed.
    """
    submit_grid(grid, place, site, dirty=dirty)
    look = look_at(grid, place.runs)
    watch_launch(grid, place.runs, look)
    states = [now.state for now in look().states.values()]
    if State.QUEUED in states or State.RUNNING in states:
        tell("The grid goes on without this window. Give the same command to see it again.")
    return State.FAILED in states


def retry(
    grid: Grid,
    place: Workplace,
    patterns: list[str],
    *,
    site: str | None,
    mem_gb: float | None,
    dirty: bool,
    yes: bool,
) -> None:
    """Submit again what failed of the runs that match, with the fine-tunes of a base.

    Raises:
        HarnessError: a pattern matches nothing, or the runs cannot be submitted.
    """
    planned = control.retry_plan(grid, place.runs, patterns)
    show_runs(
        "Runs to submit again",
        [(run_id, grid.name_of(run_id), planned.states[run_id]) for run_id in planned.again],
    )
    _tell_left(planned.left, planned.note)
    if not planned.again:
        return
    if not yes:
        tell(NOTHING_DONE)
        return
    name = site or _site_of(planned.again, place.runs)
    submit_grid(grid, place, name, dirty=dirty, only=planned.again, mem_gb=mem_gb)


def cancel(grid: Grid, place: Workplace, patterns: list[str], *, yes: bool) -> None:
    """End the jobs of the runs that match.

    Raises:
        HarnessError: a pattern matches nothing, or Slurm does not answer.
    """
    planned = control.cancel_plan(grid, place.runs, patterns)
    show_runs(
        "Runs to cancel",
        [(run_id, grid.name_of(run_id), now) for run_id, now in planned.states.items()],
    )
    if planned.with_them:
        tell(f"Their fine-tunes go with them: {', '.join(planned.with_them)}.")
    _tell_left(planned.left)
    if not planned.states:
        return
    if not yes:
        tell(NOTHING_DONE)
        return
    # Before the jobs: as they end they give to Slurm what waits.
    given = control.stop_waiting(place.runs, planned.waiting)
    control.cancel(planned.jobs.values())
    done = [_number(len(planned.jobs), "job")]
    if waited := len(planned.waiting) - len(given):
        done.append(f"{_number(waited, 'run')} that waited for room in the queue")
    tell(f"Cancelled {' and '.join(done)}.")
    if given:
        tell(f"Given to Slurm meanwhile: {', '.join(given)}. Give the same command again.")


def doctor(place: Workplace, grid: Grid, site: str) -> bool:
    """Check the cluster `site` against what `grid` needs; whether nothing is wrong.

    Raises:
        SiteError: the site file is wrong.
    """
    cluster = load_site(site, place.sites)
    planned = make_plan(grid, place.runs)
    ahead = [run for run in planned.runs if run.ahead]
    specs = {run.run_id: grid.runs[run.run_id] for run in ahead}
    need = Need(
        disk_gb=planned.disk_gb_running,
        longest_run_hours=max((run.gpu_hours / run.num_gpus for run in ahead), default=0.0),
        most_gpus=max((run.num_gpus for run in ahead), default=0),
        weights=weights_needed(specs, place.runs),
        splits=frozenset(coco_splits(specs.values())),
    )
    return show_checks(examine(cluster, place.runs, need))


def _site_of(run_ids: Collection[str], runs: RunsFolder) -> str:
    newest = {run_id: one.site for one in submissions_of(runs, run_ids) for run_id in one.run_ids}
    sites = sorted({site for run_id, site in newest.items() if run_id in run_ids})
    if len(sites) == 1:
        return sites[0]
    known = f"were submitted to {' and '.join(sites)}" if sites else "were never submitted to Slurm"
    raise LaunchError(f"These runs {known}, so it is not clear where they shall run: give --site.")


def _number(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def _tell_left(left: tuple[str, ...], note: str = "") -> None:
    if left:
        tell(f"Left as they are: {some(left)}.")
    if note:
        tell(note)
