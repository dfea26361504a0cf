"""Wall time of commands, and of a TAB, that a person waits for. Aim: under 0.3 s."""

import os
import statistics
import subprocess
import time
from pathlib import Path

ROUNDS = 15
ROOT = Path(__file__).parents[2]
TAB = {"_HARNESS_COMPLETE": "complete_bash", "COMP_WORDS": "harness\nrun\n", "COMP_CWORD": "2"}
COMMANDS = {
    "harness run <TAB>": [".venv/bin/harness"],
    "python -c pass": [".venv/bin/python", "-c", "pass"],
    "harness --help": [".venv/bin/harness", "--help"],
    "harness plan": [".venv/bin/harness", "plan"],
    "harness plan --json": [".venv/bin/harness", "plan", "--json"],
    "plan --seeds 5 --json": [".venv/bin/harness", "plan", "--seeds", "5", "--json"],
    "harness status": [".venv/bin/harness", "status"],
}


def main() -> None:
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for round_number in range(ROUNDS + 1):
        for name, command in COMMANDS.items():
            asked = TAB if name.endswith("<TAB>") else {}
            begun = time.perf_counter()
            subprocess.run(
                command,
                cwd=ROOT,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                check=True,
                env={**os.environ, **asked},
            )
            if round_number:  # the first fills the caches
                seconds[name].append(time.perf_counter() - begun)
    print("command                  median      max")
    for name, own in seconds.items():
        print(f"  {name:21} {statistics.median(own):6.3f} s {max(own):6.3f} s")


if __name__ == "__main__":
    main()
