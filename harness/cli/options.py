"""What the command line takes: its arguments and options, and what help says of each."""

from pathlib import Path
from typing import Annotated

import typer

from harness.cli import values

PAPER = "paper"
RUNS = Path("runs")

Experiments = Annotated[
    list[str] | None,
    typer.Argument(
        help="table1, table2, table3, table1_sound; the first three by default.",
        autocompletion=values.experiments,
    ),
]
Run = Annotated[
    str,
    typer.Argument(
        help="A run's id or its name: table1/k=2, table1/k=2/seed=1.", autocompletion=values.runs
    ),
]
One = Annotated[
    str,
    typer.Argument(help="A row, as table1/baseline, or a run's id.", autocompletion=values.rows),
]
Other = Annotated[str, typer.Argument(help="What is compared with it.", autocompletion=values.rows)]
Scale = Annotated[
    str,
    typer.Option(
        help="paper: the published schedule. demo: thin networks, minutes.",
        autocompletion=values.scales,
    ),
]
Row = Annotated[
    str,
    typer.Argument(help="A row, as table1/k=2, or a run's id.", autocompletion=values.rows),
]
RunA = Annotated[
    str,
    typer.Argument(help="A run's id or its name: table1/baseline.", autocompletion=values.runs),
]
RunB = Annotated[
    str,
    typer.Argument(
        help="The run that is compared with it, of the same images.", autocompletion=values.runs
    ),
]
Worst = Annotated[int, typer.Option(metavar="N", help="How many images: the largest changes.")]
Data = Annotated[
    Path | None,
    typer.Option(help="A folder of your own images and annotations, laid out as COCO's."),
]
Runs = Annotated[
    Path, typer.Option(help="The folder of all runs; it becomes large.", envvar="HARNESS_RUNS")
]
Site = Annotated[
    str,
    typer.Option(
        help="Where the runs are trained: local, or a cluster: slurm/NAME.toml.",
        autocompletion=values.sites,
    ),
]
Dirty = Annotated[
    bool,
    typer.Option("--dirty", help="On Slurm: run uncommitted code too, and say so in its records."),
]
Yes = Annotated[bool, typer.Option("--yes", help="Do it; without it, only show what would be.")]
Patterns = Annotated[
    list[str],
    typer.Argument(
        help="Runs: ids, names or experiments, or patterns of them: 'table1/k=*'.",
        autocompletion=values.patterns,
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON and nothing else.")]
Seeds = Annotated[
    int, typer.Option(metavar="N", help="Train every cell N times, with the seeds 0 to N-1.")
]
Gpus = Annotated[
    int | None,
    typer.Option(min=1, help="How many you have: tells how long the plan takes on them."),
]
WithPower = Annotated[
    bool, typer.Option("--power", help="Tell how many seeds settle which difference.")
]
Noise = Annotated[
    float | None,
    typer.Option(
        help="Standard deviation between seeds of a difference, in AP points; implies --power."
    ),
]
Only = Annotated[
    list[str] | None,
    typer.Option(
        help="Rows to keep, as in 'table1/k=*'; may be given several times.",
        autocompletion=values.patterns,
    ),
]
WithWeights = Annotated[
    bool, typer.Option("--weights", help="Fetch, check and convert the ImageNet weights.")
]
WithDownload = Annotated[
    bool, typer.Option("--download", help="Fetch and unpack what is missing of COCO.")
]
OtherSite = Annotated[
    str | None,
    typer.Option(
        help="Another cluster than that of the last attempt.", autocompletion=values.clusters
    ),
]
MemGb = Annotated[
    float | None,
    typer.Option(min=0.1, help="Memory of each run, in GB, in place of the site's."),
]
Iters = Annotated[int, typer.Option(min=2, help="How many iterations are measured.")]
Watch = Annotated[bool, typer.Option("--watch", help="Show it anew until nothing runs any more.")]
Follow = Annotated[bool, typer.Option("--follow", "-f", help="Go on printing, as it comes.")]
Format = Annotated[
    str,
    typer.Option("--format", help="md, latex, csv or html.", autocompletion=values.formats),
]
Emphasis = Annotated[
    bool, typer.Option("--emphasis", help="Mark the best also where the paper does not.")
]
Honest = Annotated[
    bool, typer.Option("--honest", help="In bold all that cannot be told from the best.")
]
BoundaryColumns = Annotated[
    bool, typer.Option("--boundary", help="With AP80, AP90 and Boundary AP of ours.")
]
Cluster = Annotated[
    str, typer.Option(help="A cluster: slurm/NAME.toml.", autocompletion=values.clusters)
]
Tables = Annotated[
    list[str] | None,
    typer.Argument(
        help="Names of tables; those that are published or have runs by default.",
        autocompletion=values.experiments,
    ),
]
Table = Annotated[
    str,
    typer.Argument(
        help="table1, table2, table3 or table1_sound.", autocompletion=values.experiments
    ),
]
Figure = Annotated[
    str,
    typer.Argument(
        help=f"{', '.join(values.FIGURE_NAMES[:-1])} or {values.FIGURE_NAMES[-1]}.",
        autocompletion=values.figures,
    ),
]
Images = Annotated[
    list[int] | None,
    typer.Option(
        metavar="ID",
        help="A training image for fig2 to fig7, a test image for fig9; may be repeated.",
    ),
]
GroundTruth = Annotated[
    Path, typer.Option("--gt", help="Ground truth: annotations in COCO's format, plain or gzip.")
]
Detections = Annotated[
    Path,
    typer.Option("--results", help="Detections in COCO's results format, plain or gzip."),
]
Task = Annotated[
    str,
    typer.Option(help="What is compared. segm: masks. bbox: boxes.", autocompletion=values.tasks),
]
WithBoundary = Annotated[
    bool, typer.Option("--boundary", help="Boundary AP of the masks too: how right contours are.")
]
Output = Annotated[
    Path | None, typer.Option(help="The file to write; bundle.zip in the results by default.")
]
BundleFile = Annotated[Path, typer.Argument(metavar="BUNDLE", help="What harness bundle wrote.")]
