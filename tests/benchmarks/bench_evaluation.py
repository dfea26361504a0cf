"""AP, Boundary AP and the paired bootstrap against others, on generated ground truth.

Aims: `boundary_ap` at least 5 times faster than faster-coco-eval on 1,000 images;
`paired_bootstrap` of 5,000 images under 15 s on 2 cores and within 2 GiB, and at least 10 times
faster than hotcoco's `compare`.

Every measurement is a process of its own, so that its memory is too; the contenders take turns.
Ratios are those of one round. "inside" leaves out imports and the loading of compiled code, for
which a few images are evaluated first; "process" is all. "CPU" is the processor time of all threads
inside, on which others on the machine have the least influence.

Measured on two quiet cores, with 1,000 and with 5,000 images: `boundary_ap` 0.9 s and 4.5 s, 15 and
14 times faster than faster-coco-eval. `paired_bootstrap` 2.1 s and 10.0 s, 620 MB at most; with all
reading and matching 7.8 and 4.5 times faster than hotcoco, whose `compare` alone takes 15.9 s and
43.5 s. Of our 10.0 s the draws alone take 4.1 s, 10.5 times less; reading JSON, checking it and
drawing polygons take most of the others, in one thread.

What the numbers beside the times say:

- Boundary AP is faster-coco-eval's to the last digit. (While harness gave crowds a boundary too, it
  was not: 68.590 against 68.600 on 150 images. The authors' code gives them none.)
- hotcoco's standard error of the difference of AP is about 0.8 of ours, since it removes an image
  that a draw has twice: a draw has 1 - 1/e of the images, each once. Without replacement the
  variance of a mean would be (1 - 0.632) / 0.632 = 0.58 of ours, its root 0.76. Measured: 0.299
  against 0.366 AP on 1,000 images, 0.100 against 0.130 on 5,000.

Command:   python tests/benchmarks/bench_evaluation.py [IMAGES ROUNDS]
"""

import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

DEFAULT = ((1000, 2), (5000, 1))  # images, rounds
FEW = 5  # images, to load compiled code
REPLICATES = 1000
TIMES = ("process", "inside", "CPU", "peak")
Numbers = Mapping[str, float]


def by_harness(engine: str) -> Callable[[Path], Numbers]:
    def score(folder: Path) -> Numbers:
        from harness.evaluation import coco_ap

        return {"AP": coco_ap(folder / "gt", folder / "a", engine=engine)["AP"]}

    return score


def by_faster_coco_eval(task: str) -> Callable[[Path], Numbers]:
    def score(folder: Path) -> Numbers:
        from faster_coco_eval import COCO, COCOeval_faster

        truth = COCO(folder / "gt")
        found = truth.loadRes(str(folder / "a"))
        evaluator = COCOeval_faster(truth, found, task, print_function=lambda *_: None)
        evaluator.run()
        return {"AP": 100 * evaluator.stats[0]}

    return score


def boundary_by_harness(folder: Path) -> Numbers:
    from harness.evaluation import boundary_ap

    return {"AP": boundary_ap(folder / "gt", folder / "a")["AP"]}


def bootstrap_by_harness(folder: Path) -> Numbers:
    from harness.evaluation import bootstrap

    alone_s = []

    def timed(*arguments):
        begun = time.perf_counter()
        found = replicated(*arguments)
        alone_s.append(time.perf_counter() - begun)
        return found

    replicated, bootstrap.replicated = bootstrap.replicated, timed
    files = (folder / name for name in ("gt", "a", "b"))
    found = bootstrap.paired_bootstrap(*files, replicates=REPLICATES)
    bootstrap.replicated = replicated
    return {
        "difference": found.delta,
        "its error": found.std_error,
        "draws alone, s": sum(alone_s),
    }


def bootstrap_by_hotcoco(folder: Path) -> Numbers:
    import hotcoco

    truth = hotcoco.COCO(str(folder / "gt"))
    evaluators = []
    for name in ("a", "b"):
        found = truth.load_res(str(folder / name))
        evaluators.append(hotcoco.COCOeval(truth, found, "segm"))
        evaluators[-1].evaluate()
    begun = time.perf_counter()
    compared = hotcoco.compare(*evaluators, n_bootstrap=REPLICATES)
    return {
        "difference": 100 * compared["deltas"]["AP"],
        "its error": 100 * compared["ci"]["AP"]["std_err"],
        "draws alone, s": time.perf_counter() - begun,
    }


# Ours first, with which the others are compared.
CONTESTS: Mapping[str, Mapping[str, Callable[[Path], Numbers]]] = {
    "AP of masks": {
        "harness, hotcoco": by_harness("hotcoco"),
        "harness, pycocotools": by_harness("pycocotools"),
        "faster-coco-eval": by_faster_coco_eval("segm"),
    },
    "Boundary AP": {
        "harness": boundary_by_harness,
        "faster-coco-eval": by_faster_coco_eval("boundary"),
    },
    "paired bootstrap": {"harness": bootstrap_by_harness, "hotcoco": bootstrap_by_hotcoco},
}


def draw(folder: Path, images: int) -> Numbers:
    """Write a ground truth and two results files into `folder`."""
    from generated import write_ground_truth, write_results

    annotations = write_ground_truth(folder / "gt", images)
    write_results(folder / "a", annotations, images, noise=0.030, seed=1)
    detections = write_results(folder / "b", annotations, images, noise=0.028, seed=2)
    return {"objects": len(annotations), "detections": detections}


def measure(folder: Path, few: Path, contest: str, name: str) -> Numbers:
    """Evaluate, in this process, and say what it took."""
    with open(os.devnull, "w") as silent:
        printed, sys.stdout = sys.stdout, silent  # faster-coco-eval's
        work = CONTESTS[contest][name]
        if name != "hotcoco":  # nothing of it is compiled late, and a few images take it long
            work(few)
        begun, cpu_begun = time.perf_counter(), time.process_time()
        numbers = work(folder)
        inside_s, cpu_s = time.perf_counter() - begun, time.process_time() - cpu_begun
        sys.stdout = printed
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {"inside": inside_s, "CPU": cpu_s, "peak": peak_mb, **numbers}


def child(*words: object) -> dict[str, float]:
    """What a process of this file with these arguments says, and its seconds as "process".

    This process stays small: Linux counts its memory as a child's, until that has begun.
    """
    begun = time.perf_counter()
    command = [sys.executable, __file__, *map(str, words)]
    printed = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    return json.loads(printed) | {"process": time.perf_counter() - begun}


def bench(folder: Path, few: Path, images: int, rounds: int) -> None:
    """Print a line for each contender."""
    folder.mkdir()
    sizes = child("draw", folder, images)
    print(
        f"{images:,} images, {sizes['objects']:,} objects, {sizes['detections']:,} detections; "
        f"{rounds} rounds, load {os.getloadavg()[0]:.1f}"
    )
    for contest, contenders in CONTESTS.items():
        took = [
            {name: child(contest, name, folder, few) for name in contenders} for _ in range(rounds)
        ]
        heads = "process    inside       CPU      peak  inside, times ours; CPU, times ours"
        print(f"  {contest:<22} {heads}")
        for name in contenders:
            print(row(name, took))


def row(name: str, took: list[dict[str, dict[str, float]]]) -> str:
    """A contender's medians, and its times as so many times those of the first."""
    mine = [one[name] for one in took]
    ours = [next(iter(one.values())) for one in took]
    inside, cpu = (
        [one[key] / our[key] for one, our in zip(mine, ours, strict=True)]
        for key in ("inside", "CPU")
    )
    median = {key: statistics.median(one[key] for one in mine) for key in mine[0]}
    numbers = ", ".join(f"{key} {median[key]:.3f}" for key in mine[0] if key not in TIMES)
    seconds = " ".join(f"{median[key]:7.2f} s" for key in ("process", "inside", "CPU"))
    peak = f"{median['peak']:6.0f} MB"
    return f"    {name:<20} {seconds} {peak}  {ratio(inside)}; {ratio(cpu)}  {numbers}"


def ratio(rounds: list[float]) -> str:
    """The median of a ratio, and between which it was."""
    return f"{statistics.median(rounds):.1f} ({min(rounds):.1f} to {max(rounds):.1f})"


def main(sizes: tuple[tuple[int, int], ...]) -> None:
    """Print a table for each number of images."""
    with tempfile.TemporaryDirectory() as temporary:
        few = Path(temporary, "few")
        few.mkdir()
        child("draw", few, FEW)
        for images, rounds in sizes:
            bench(Path(temporary, str(images)), few, images, rounds)


if __name__ == "__main__":
    match sys.argv[1:]:
        case ["draw", folder, images]:
            print(json.dumps(draw(Path(folder), int(images))))
        case [contest, name, folder, few]:
            print(json.dumps(measure(Path(folder), Path(few), contest, name)))
        case [images, rounds]:
            main(((int(images), int(rounds)),))
        case []:
            main(DEFAULT)
        case _:
            sys.exit(__doc__)
