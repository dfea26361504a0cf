"""Which run goes into which array of jobs: a pure function of the runs and the site's limits."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from harness.errors import LaunchError
from harness.grid.spec import RunSpec, base_of
from harness.slurm.site import Site


@dataclass(frozen=True)
class Array:
    """Runs of equal resources that one sbatch submits.

    Attributes:
        run_ids: by array index.
        num_gpus: of each run.
        after: the base run that must end well before any of these starts; None where none must.
    """

    run_ids: tuple[str, ...]
    num_gpus: int
    after: str | None


def make_arrays(
    specs: Mapping[str, RunSpec],
    *,
    unfinished_bases: Collection[str],
    site: Site,
    room: int | None,
) -> tuple[tuple[Array, ...], tuple[str, ...]]:
    """The arrays in the order to submit them, and the runs that find no place in the queue now.

    Bases come first, so that all of them train side by side. Fine-tunes that wait for a base are in
    an array of their own, so that a base that fails stops its own fine-tunes and no other.

    Args:
        specs: the runs to submit by id, each base before its fine-tunes.
        unfinished_bases: the bases that are not done, whether or not they are in `specs`.
        site: the cluster.
        room: how many jobs more the user may have in the queue; None for any number.

    Raises:
        LaunchError: runs ask for more GPUs than a node of the site has.
    """
    _refuse_too_many_gpus(specs.values(), site)
    # All bases stand before all fine-tunes: whatever is cut off, no fine-tune loses its base.
    order = sorted(specs, key=lambda run_id: specs[run_id].stage != "base")
    kept = len(order) if room is None else max(0, room)
    groups: dict[tuple[str, int, str | None], list[str]] = {}
    for run_id in order[:kept]:
        spec, base = specs[run_id], base_of(specs[run_id])
        after = base.run_id if base and base.run_id in unfinished_bases else None
        groups.setdefault((spec.stage, spec.num_gpus, after), []).append(run_id)
    arrays = tuple(
        Array(tuple(run_ids[first : first + site.max_array_size]), num_gpus, after)
        for (_, num_gpus, after), run_ids in groups.items()
        for first in range(0, len(run_ids), site.max_array_size)
    )
    return arrays, tuple(order[kept:])


def _refuse_too_many_gpus(specs: Iterable[RunSpec], site: Site) -> None:
    too_many = [spec for spec in specs if spec.num_gpus > site.gpus_per_node]
    if too_many:
        first = too_many[0]
        more = f" and {len(too_many) - 1} more" if len(too_many) > 1 else ""
        raise LaunchError(
            f"Run {first.run_id}{more}: trained on {first.num_gpus} GPUs, a node of site "
            f"{site.name!r} has {site.gpus_per_node} (gpus_per_node). A run's GPUs are on one "
            "node, and their number is part of what it is, so the site does not change it. Nothing "
            "was submitted. Use a site with larger nodes, or leave these runs out with --only."
        )
