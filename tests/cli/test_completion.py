"""What shells are told when a line is to be completed, asked as their scripts ask."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from harness.cli import values
from harness.commands.figure import FIGURES
from harness.report.tables import SUFFIXES
from harness.workplace import workplace

ROOT = Path(__file__).parents[2]
K_ROWS = tuple(f"k={k}" for k in range(1, 7))
HARNESS = Path(sys.executable).with_name("harness")
WHAT_IS_LOADED = (
    "import atexit, sys; sys.argv = ['harness'];"
    "atexit.register(lambda: print(*sys.modules, file=sys.__stderr__));"
    "from harness.cli import main; main()"
)


def asked(*words: str, shell: str = "bash", folder: Path = ROOT, call=(HARNESS,), **environment):
    """The answer to a TAB behind the last of `words`, as the shell has taken the line apart."""
    line = " ".join(words)
    done = subprocess.run(
        [*map(str, call)],
        capture_output=True,
        text=True,
        cwd=folder,
        env={
            "_HARNESS_COMPLETE": f"complete_{shell}",
            "COMP_WORDS": "\n".join(words),
            "COMP_CWORD": str(len(words) - 1),
            "_TYPER_COMPLETE_ARGS": line,
            "_TYPER_COMPLETE_FISH_ACTION": "get-args",
            "PATH": "",
            **environment,
        },
    )
    return done


def completed(*words: str, **options) -> list[str]:
    done = asked(*words, **options)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.split("\n")[:-1]


def test_commands_and_options_are_completed():
    assert completed("harness", "ver") == ["verdicts", "verify"]
    assert completed("harness", "table", "--for") == ["--format"]


@pytest.mark.parametrize(
    ("words", "values"),
    [
        (["plan", "table"], ["table1", "table1_sound", "table2", "table3"]),
        (["table", "table1"], ["table1", "table1_sound"]),
        (["table", "table1", "--format", ""], ["md", "latex", "csv", "html"]),
        (["figure", "fig"], [f"fig{number}" for number in range(2, 10)]),
        (["collect", "--scale", ""], ["paper", "demo"]),
        (["submit", "--site", "l"], ["local"]),
        (["doctor", "--site", "dev"], ["devcluster"]),
        (["score", "--task", ""], ["segm", "bbox"]),
        (["diff", "table2/baseline", "table2/c"], ["table2/contour"]),
        (["run", "table3/HTC"], ["table3/HTC", "table3/HTC+contour"]),
        (
            ["retry", "table1_"],
            ["table1_sound", *(f"table1_sound/{row}" for row in ("baseline", *K_ROWS))],
        ),
        (["verify", "res"], [""]),  # nothing of harness: the shell completes files
    ],
)
def test_values_are_completed(words, values):
    assert completed("harness", *words) == values


def test_an_id_is_completed_once_it_is_begun():
    # Of the demo's Table II, from README.
    assert completed("harness", "run", "--scale", "demo", "09d7") == ["09d7f7e8"]
    assert not any("09d7" in name for name in completed("harness", "run", "--scale", "demo", ""))


def test_seeds_are_told_where_runs_of_several_were_left(tmp_path):
    (tmp_path / "experiments").symlink_to(ROOT / "experiments")
    before = completed("harness", "run", "--scale", "demo", "table2/c", folder=tmp_path)
    assert before == ["table2/contour"]
    place = ["harness", "run", "--scale", "demo", "--runs", str(tmp_path)]
    grid = workplace("demo", None, tmp_path).grid(["table2"], 2)
    run_id = next(cell.spec.run_id for cell in grid.cells if cell.spec.seed == 1)
    (tmp_path / run_id).mkdir()
    found = completed(*place, "table2/c", folder=tmp_path)
    assert found == ["table2/contour/seed=0", "table2/contour/seed=1"]


@pytest.mark.parametrize(
    ("words", "pieces"),
    [
        # Bash takes words apart at "=", and replaces the last piece only.
        (["run", "table1/k", "="], ["1", "2", "3", "4", "5", "6"]),
        (["run", "table1/k", "=", "2"], ["2"]),
        (["submit", "--site", "=", "loc"], ["local"]),
        (["submit", "--only", "=", "table1/k", "=", ""], ["1", "2", "3", "4", "5", "6"]),
        (["diff", "table1/k", "=", "1", "table1/k", "=", "2"], ["2"]),
        # What it does not take apart is told whole: where a user's COMP_WORDBREAKS has no "=".
        (["run", "table1/k=2"], ["table1/k=2"]),
        # It inserts what it is told as it is, but for a quote that it closes.
        (["run", "base\\ htc"], ["base\\ htc_R50_FPN"]),
        (["run", "'base htc"], ["base htc_R50_FPN"]),
        (["run", "'table1/k=2"], ["table1/k=2"]),
    ],
)
def test_in_bash_names_with_equal_signs_and_spaces_are_completed(words, pieces):
    assert completed("harness", *words) == pieces


@pytest.mark.skipif(not shutil.which("bash"), reason="no bash")
def test_the_script_for_bash_fills_in_what_harness_tells():
    done = subprocess.run(
        [HARNESS], capture_output=True, text=True, env={"_HARNESS_COMPLETE": "source_bash"}
    )
    ask = (
        'COMP_WORDS=(harness run table1/k = ""); COMP_CWORD=4; _harness_completion harness;'
        'printf "<%s>" "${COMPREPLY[@]}"'
        "COMP_WORDS=(harness run base); COMP_CWORD=2; _harness_completion harness;"
        'printf "<%s>" "${COMPREPLY[0]}"'
    ).replace('"COMP_WORDS', '"; COMP_WORDS')
    told = subprocess.run(
        [shutil.which("bash"), "--norc", "-c", f"{done.stdout}\n{ask}"],
        capture_output=True,
        text=True,
        cwd=ROOT,
        env={"PATH": f"{HARNESS.parent}:/usr/bin:/bin"},
    )
    assert told.stderr == ""
    assert told.stdout == "<1><2><3><4><5><6><base\\ mask_rcnn_R50_FPN>"


@pytest.mark.parametrize(
    ("shell", "told"), [("zsh", '"base htc_R50_FPN"'), ("fish", "base htc_R50_FPN")]
)
def test_other_shells_are_told_whole_names_and_quote_them_themselves(shell, told):
    assert told in asked("harness", "run", "base", shell=shell).stdout.splitlines()[-1]
    assert "table1/k=2" in asked("harness", "run", "table1/k=", shell=shell).stdout


@pytest.mark.parametrize(
    "content",
    [
        "import harness\n1 / 0",
        "import harness\nprint('table9')\nNAME = 'a'",
        "harness = (",
        "import harness, sys\nsys.exit('no')",
    ],
)
@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_broken_experiment_file_completes_nothing_and_says_nothing(tmp_path, content, shell):
    (tmp_path / "experiments").mkdir()
    (tmp_path / "experiments" / "broken.py").write_text(content)
    done = asked("harness", "plan", "ta", shell=shell, folder=tmp_path)
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_a_shell_that_asks_in_another_way_is_told_nothing():
    done = asked("harness", "plan", "", COMP_CWORD="no number")
    assert (done.stdout.strip(), done.stderr) == ("", "")


def test_what_an_experiment_prints_is_no_value(tmp_path):
    (tmp_path / "experiments").mkdir()
    text = (ROOT / "experiments" / "table2_losses.py").read_text(encoding="utf-8")
    (tmp_path / "experiments" / "loud.py").write_text(f"{text}\nprint('loud')\n")
    assert completed("harness", "plan", "", folder=tmp_path) == ["table2"]


def test_completing_loads_neither_torch_nor_pandas_nor_numpy():
    done = asked("harness", "run", "tab", call=(sys.executable, "-c", WHAT_IS_LOADED))
    assert "table1/k=2" in done.stdout
    loaded = set(done.stderr.split())
    assert "harness.grid.grid" in loaded
    assert not {"torch", "pandas", "numpy", "matplotlib", "rich"} & loaded


def test_names_that_are_told_again_are_those_that_exist():
    assert tuple(sorted(FIGURES)) == values.FIGURE_NAMES
    assert tuple(SUFFIXES) == values.FORMAT_NAMES
