"""What a person types: the examples at the end of each command's help, and what each does."""

from collections.abc import Mapping, Sequence

WHOLE = (
    ("harness demo", "everything, small, on this machine"),
    ("harness plan", "what the paper's tables cost"),
    ("harness table table1 --scale demo", "a table of what is trained"),
)
EXAMPLES: Mapping[str, Sequence[tuple[str, str]]] = {
    "plan": (
        ("harness plan", "the paper's three tables"),
        ("harness plan table1 --gpus 8", "how long 8 GPUs take for one"),
        ("harness plan --seeds 3 --power", "what three seeds can tell"),
    ),
    "submit": (
        ("harness submit --site local --scale demo", "here, while you wait"),
        ("harness submit table1 --site NAME --seeds 3", "as jobs of slurm/NAME.toml"),
        ("harness submit --site NAME --only 'table1/k=*'", "some rows"),
    ),
    "demo": (
        ("harness demo", "drawn shapes, on this machine"),
        ("harness demo --data FOLDER", "your own images"),
    ),
    "prepare": (
        ("harness prepare table1", "what is missing for one table"),
        ("harness prepare --download --weights", "fetch all of it"),
        ("harness prepare --scale demo --data FOLDER", "check your own images"),
    ),
    "doctor": (("harness doctor --site NAME", "the cluster of slurm/NAME.toml"),),
    "retry": (
        ("harness retry table1", "shows what it would do"),
        ("harness retry 'table1/k=*' --yes", "does it"),
        ("harness retry table3/HTC --mem-gb 96 --yes", "with more memory"),
    ),
    "cancel": (
        ("harness cancel table2", "shows what it would do"),
        ("harness cancel 'table1/k=[56]' --yes", "does it, for two rows"),
    ),
    "run": (
        ("harness run table1/k=2 --scale demo", "its base must be trained"),
        ("harness run 'base mask_rcnn_R50_FPN' --scale demo", "that base"),
        ("harness run table1/k=2/seed=1", "of one seed"),
    ),
    "benchmark": (
        ("harness benchmark table1/k=2", "on this machine's GPUs"),
        ("harness benchmark table3/HTC --scale demo --iters 20", "quick, on a CPU"),
    ),
    "status": (
        ("harness status", "all that was asked for"),
        ("harness status table1 --watch", "anew until nothing runs"),
        ("harness status --scale demo --json", "for a script"),
    ),
    "logs": (
        ("harness logs table1/k=2", "its newest attempt"),
        ("harness logs table1/k=2/seed=1 -f", "as it comes"),
    ),
    "fails": (
        ("harness fails", "of all experiments"),
        ("harness fails table3 --scale demo", "of one"),
    ),
    "collect": (
        ("harness collect", "into results/paper"),
        ("harness collect --scale demo --runs FOLDER", "from another folder"),
    ),
    "table": (
        ("harness table table1 --scale demo", "as Markdown"),
        ("harness table table2 --format latex > table2.tex", "for a paper"),
        ("harness table table3 --honest --boundary", "with Boundary AP"),
    ),
    "diff": (
        ("harness diff table1/baseline table1/k=2", "all seeds that are done"),
        ("harness diff table1/k=1 table1/k=6 --scale demo", "two rows of the demo"),
    ),
    "verdicts": (
        ("harness verdicts", "of all tables, and claims"),
        ("harness verdicts table3 --scale demo --format csv", "one table, for a script"),
    ),
    "score": (
        ("harness score --gt val.json --results dets.json", "masks"),
        ("harness score --gt val.json --results dets.json --boundary", "and contours"),
    ),
    "explain": (
        ("harness explain table1/k=2 --scale demo", "a row"),
        ("harness explain 42b40789 --scale demo", "the row of a run"),
    ),
    "figure": (
        ("harness figure fig8 --scale demo", "from the committed demo"),
        ("harness figure fig3", "with no data at all"),
        ("harness figure fig9 --scale demo --images 35", "of one image"),
    ),
    "masks": (
        ("harness masks table1/baseline table1/k=2 --scale demo", "after the demo"),
        ("harness masks table3/HTC table3/HTC+contour --worst 5", "of five images"),
    ),
    "report": (
        ("harness report --scale demo", "results/demo/report.html"),
        ("harness report --watch", "anew while a grid runs"),
    ),
    "bundle": (
        ("harness bundle", "results/paper/bundle.zip"),
        ("harness bundle --scale demo --output demo.zip", "another file"),
    ),
    "verify": (("harness verify bundle.zip", "in any folder, without data"),),
}


def epilog(examples: Sequence[tuple[str, str]]) -> str | None:
    """The end of a command's help; None without examples."""
    if not examples:
        return None
    width = max(len(command) for command, _ in examples)
    lines = (f"  {command:{width}}  {told}" for command, told in examples)
    return "\n".join(("", "Examples:", *lines))  # begun by an empty line, they stay indented
