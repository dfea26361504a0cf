from harness.collect.evidence import evidence_frame
from harness.grid import Setting, base_of
from harness.grid.experiments import load_grid
from harness.records import Begin, End, Outcome, write_begin, write_outcome
from harness.report.evidence import facts

COMMIT = "1234567890abcdef1234567890abcdef12345678"


def line_of(grid, results, runs, row):
    frame = evidence_frame(grid, "table1", results, runs)
    (line,) = (line for _, line in frame.iterrows() if line["row"] == row)
    return line


def spec_of(grid, row):
    return next(cell.spec for cell in grid.table("table1") if cell.row == row)


def test_a_run_tells_its_base_code_data_evaluator_and_cost(grid, results, runs, leave_metrics):
    spec = spec_of(grid, "k=2")
    base = base_of(spec)
    environment = {"commit": COMMIT, "uncommitted_changes": "no", "torch": "2.14.1"}
    leave_metrics(results.metrics(spec.run_id), spec, environment=environment)
    of_base = environment | {"commit": COMMIT[::-1], "uncommitted_changes": "yes"}
    leave_metrics(results.metrics(base.run_id), base, environment=of_base, gpu_hours=0.5)
    told = dict(facts(line_of(grid, results, runs, "k=2")))
    assert told == {
        "run": f"{spec.run_id}, seed 0",
        "base": base.run_id,
        "recipe": (
            "mask_rcnn_R50_FPN, loss contour (k 2, revision 1, variant paper, weight 1.0), trained "
            "on shapes_train, tested on shapes_val, iterations 300 to 400, 4 images a batch, "
            "1 GPU, float32"
        ),
        "code": "commit 1234567890ab, its base's 87654321fedc, with changes that no commit holds",
        "annotations (sha256)": f"shapes_train {'a' * 64}\nshapes_val {'b' * 64}",
        "order of training images": f"sha256 {'c' * 64}",
        "evaluator": "pycocotools 2.0.10",
        "error bars": "none: its test images were not drawn anew",
        "environment": "torch 2.14.1",
        "GPU-hours": "0.1, and its base's 0.5",
        "attempts": "not known: the run's folder is not here, or may not be read",
    }


def test_a_run_that_is_not_collected_tells_its_names_and_its_attempts(grid, results, runs):
    spec = spec_of(grid, "k=3")
    attempt = runs.run(spec.run_id).attempt(1)
    write_begin(attempt.begin, Begin(host="node7", pid=1, started_at=0.0, iteration=300))
    ended = Outcome(ended=End.OUT_OF_MEMORY, error="6 GB were not enough", seconds=9, trained_s=3)
    attempt.outcome.write_text("")  # the room that an attempt takes for it
    write_outcome(attempt.outcome, ended)
    told = dict(facts(line_of(grid, results, runs, "k=3")))
    assert told["numbers"] == "none collected"
    # Not the host: evidence is made to be shared.
    assert told["attempts"] == (
        "1: out of memory (6 GB were not enough) after 9 s, from iteration 300"
    )


def test_an_attempt_without_an_end_says_so(grid, results, runs):
    runs.run(spec_of(grid, "k=3").run_id).attempt(1).folder.mkdir(parents=True)
    line = line_of(grid, results, runs, "k=3")
    assert line["attempts"] == "1: no end recorded"


def test_each_seed_of_a_row_has_a_line(project, results, runs):
    grid = load_grid(["table2"], Setting(scale="demo"), project / "experiments", range(3))
    frame = evidence_frame(grid, "table2", results, runs)
    assert frame.loc[frame["row"] == "contour", "seed"].tolist() == [0, 1, 2]
