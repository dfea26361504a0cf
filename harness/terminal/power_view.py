"""`harness plan --power` as people read it: what seeds can settle, and at what cost. To stdout."""

from collections.abc import Iterator

from rich.console import Console, Group
from rich.table import Table
from rich.text import Text

from harness.statistics.power_report import Needed, Power
from harness.terminal.words import hours_used, table, title


def show_power(power: Power, console: Console | None = None) -> None:
    """Print what differences can be told from noise.

    Args:
        power: from `harness.statistics.power_report`.
        console: where to; stdout by default.
    """
    (console or Console()).print(
        Group(
            "",
            title("Power: which differences seeds can tell from noise"),
            *map(Text, _reckoned_with(power)),
            "",
            _detectable(power),
            "",
            Text(
                f"One seed of all these runs takes "
                f"{hours_used(power.gpu_hours_per_seed)} GPU-hours."
            ),
            "",
            _needed(power),
        ),
        highlight=False,
        markup=False,
    )


def _reckoned_with(power: Power) -> Iterator[str]:
    yield f"Noise of a difference: {power.noise.seed_std:.2f} AP between seeds. {power.seed_source}"
    if power.noise.image_std == 0:
        yield (
            f"Test images: {power.image_source} Which ones there are adds to this, as much with "
            "many seeds as with few."
        )
    else:
        yield (
            f"Test images: {power.noise.image_std:.2f} AP. {power.image_source} Differences below "
            f"{power.smallest_by_images:.2f} AP are settled by no number of seeds."
        )
    yield (
        f"Tests are two-sided at {power.level:.0%}; a difference counts as detected where they "
        f"find it {power.power:.0%} of the time."
    )


def _detectable(power: Power) -> Table:
    view = table()
    view.add_column("seeds", justify="right")
    view.add_column("smallest difference detected", justify="right")
    for one in power.detectable:
        view.add_row(str(one.seeds), f"{one.difference:.2f} AP")
    return view


def _needed(power: Power) -> Table:
    view = table()
    for heading in ("to settle", "seeds needed", "GPU-hours"):
        view.add_column(heading, justify="right")
    for one in power.needed:
        seeds, hours = _cost(one, power)
        view.add_row(f"{one.difference:.1f} AP", seeds, hours)
    return view


def _cost(one: Needed, power: Power) -> tuple[str, str]:
    if one.seeds is not None and one.gpu_hours is not None:
        return str(one.seeds), hours_used(one.gpu_hours)
    if one.difference <= power.smallest_by_images:
        return "no number", "–"
    least = hours_used(power.most_seeds * power.gpu_hours_per_seed)
    return f"more than {power.most_seeds}", f"more than {least}"
