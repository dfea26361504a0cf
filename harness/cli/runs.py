"""The commands that launch runs and look after them. What each needs is imported inside it."""

import typer

from harness.cli.options import (
    PAPER,
    RUNS,
    AsJson,
    Cluster,
    Data,
    Dirty,
    Experiments,
    Follow,
    Gpus,
    Iters,
    MemGb,
    Noise,
    Only,
    OtherSite,
    Patterns,
    Run,
    Runs,
    Scale,
    Seeds,
    Site,
    Watch,
    WithDownload,
    WithPower,
    WithWeights,
    Yes,
)
from harness.paths import LOCAL

app = typer.Typer()


@app.command()
def plan(
    experiments: Experiments = None,
    seeds: Seeds = 1,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    gpus: Gpus = None,
    power: WithPower = False,
    noise: Noise = None,
    as_json: AsJson = False,
) -> None:
    """Show what submit would do and at what cost. Writes nothing."""
    from harness.commands.plan import print_plan
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    print_plan(
        place.grid(experiments, seeds), place, gpus, power=power, noise=noise, as_json=as_json
    )


@app.command()
def submit(
    site: Site,
    experiments: Experiments = None,
    only: Only = None,
    seeds: Seeds = 1,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    dirty: Dirty = False,
) -> None:
    """Train what is not done yet: here while you wait, or as jobs of a cluster.

    On Slurm it returns at once, and the grid goes on. Given twice, nothing runs twice.
    """
    from harness.commands.submit import submit as start
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    well = start(place.grid(experiments, seeds), place, only, site, dirty=dirty)
    raise typer.Exit(0 if well else 1)


@app.command()
def demo(site: Site = LOCAL, data: Data = None, runs: Runs = RUNS, dirty: Dirty = False) -> None:
    """Train the whole grid at demo scale and print its tables: minutes on two cores."""
    from harness.commands.demo import demo as train_and_print
    from harness.workplace import workplace

    well = train_and_print(workplace("demo", data, runs), site, dirty=dirty)
    raise typer.Exit(0 if well else 1)


@app.command()
def prepare(
    experiments: Experiments = None,
    weights: WithWeights = False,
    download: WithDownload = False,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Check the data of the runs, images and stuff maps too, and say how to fetch what is missing.

    Exit 0 where nothing is wrong, 1 else, as `doctor`.
    """
    from harness.workplace import workplace

    well = True
    if download or not weights:
        from harness.commands.download import prepare_with_download
        from harness.commands.prepare import prepare as check

        place = workplace(scale, data, runs)
        typer.echo(place.title, err=True)
        well = (prepare_with_download if download else check)(place.grid(experiments), place)
    if weights:
        from harness.commands.weights import prepare_weights

        prepare_weights()
    raise typer.Exit(0 if well else 1)


@app.command()
def doctor(
    site: Cluster,
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
) -> None:
    """Check a cluster with one small job: partition, GPUs, folders, room, torch, time limit."""
    from harness.commands.cluster import doctor as check
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    raise typer.Exit(0 if check(place, place.grid(experiments), site) else 1)


@app.command()
def retry(
    patterns: Patterns,
    site: OtherSite = None,
    mem_gb: MemGb = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    dirty: Dirty = False,
    yes: Yes = False,
) -> None:
    """Give failed runs to Slurm again, from their checkpoints. A base brings its fine-tunes."""
    from harness.commands.cluster import retry as try_again
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    try_again(place.known_grid(), place, patterns, site=site, mem_gb=mem_gb, dirty=dirty, yes=yes)


@app.command()
def cancel(
    patterns: Patterns, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS, yes: Yes = False
) -> None:
    """End the Slurm jobs of runs; their checkpoints stay, and submit goes on from them."""
    from harness.commands.cluster import cancel as end
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    end(place.known_grid(), place, patterns, yes=yes)


@app.command()
def run(run: Run, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS) -> None:
    """Train and score one run here, in the foreground."""
    from harness.commands.named import run_named
    from harness.launch.foreground import run_one

    place, spec = run_named(run, scale, data, runs)
    run_one(place.runs, spec)
    print(place.runs.run(spec.run_id).metrics)


@app.command()
def benchmark(
    run: Run, iters: Iters = 200, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS
) -> None:
    """Measure how long an iteration of a run takes here, by part. Plan then reckons with it."""
    from harness.commands.benchmark import benchmark as measure
    from harness.commands.named import run_named

    place, spec = run_named(run, scale, data, runs)
    measure(spec, place, iters)


@app.command()
def status(
    experiments: Experiments = None,
    scale: Scale = PAPER,
    data: Data = None,
    runs: Runs = RUNS,
    as_json: AsJson = False,
    watch: Watch = False,
) -> None:
    """Show each run's state and its cause, how far it is, what it has cost, and where it runs."""
    from harness.commands.status import print_status
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    print_status(place.known_grid(experiments), place, as_json=as_json, watch=watch)


@app.command()
def logs(
    run: Run, follow: Follow = False, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS
) -> None:
    """Print what a run's newest attempt printed."""
    from harness.commands.named import run_named
    from harness.slurm.seen import log_of
    from harness.terminal.logs_view import show_log

    place, spec = run_named(run, scale, data, runs)
    show_log(log_of(spec, place.runs, follow=follow))


@app.command()
def fails(
    experiments: Experiments = None, scale: Scale = PAPER, data: Data = None, runs: Runs = RUNS
) -> None:
    """Print every failed run with its last lines."""
    from harness.commands.status import print_failures
    from harness.workplace import workplace

    place = workplace(scale, data, runs)
    print_failures(place.known_grid(experiments), place)
