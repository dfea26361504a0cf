"""What a training says of itself: metrics.jsonl, exact on resume, and lines on stdout."""

import json
import logging
import os
from io import TextIOWrapper
from pathlib import Path

from detectron2.utils.events import EventWriter, get_event_storage
from detectron2.utils.logger import setup_logger

from harness.errors import HarnessError
from harness.files import write_text


class MetricsLog(EventWriter):
    """Writes each loss term, its mean over the last `log_every` iterations, and the learning rate.

    detectron2's own JSON writer takes medians over a window that a resume would empty, and writes
    wall times between the losses: its lines would differ from an undisturbed run's.
    """

    def __init__(self, path: Path, log_every: int, last_iteration: int):
        path.parent.mkdir(parents=True, exist_ok=True)
        self.log_every = log_every
        self.last_iteration = last_iteration
        self.file: TextIOWrapper = path.open("a", encoding="utf-8")
        self.written = -1

    def write(self) -> None:
        storage = get_event_storage()
        if "total_loss" not in storage.histories():
            return
        _, iteration = storage.latest()["total_loss"]
        if iteration == self.written:  # detectron2 writes once more at the end
            return
        # Also at the end of an interrupted training, which has no line there when undisturbed.
        if (iteration + 1) % self.log_every and iteration + 1 != self.last_iteration:
            return
        terms = {
            name: history.avg(self.log_every)
            for name, history in storage.histories().items()
            if name == "total_loss" or name.startswith("loss_")
        }
        line = {"iteration": iteration + 1, "lr": storage.history("lr").latest(), **terms}
        self.file.write(json.dumps({k: line[k] for k in sorted(line)}) + "\n")
        self.file.flush()
        self.written = iteration

    def sync(self) -> None:
        """On the disk before the checkpoint that goes on after these lines."""
        os.fsync(self.file.fileno())

    def close(self) -> None:
        self.file.close()


def print_progress() -> None:
    """Let detectron2 print what it does, losses and time left included, to stdout."""
    setup_logger(color=False)
    hide_told_errors()


def hide_told_errors() -> None:
    """Let detectron2 print no traceback of what is told to a person in a line."""
    logging.getLogger("detectron2.engine.train_loop").addFilter(_is_not_told_anyway)


def _is_not_told_anyway(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], HarnessError))


def cut_log(path: Path, iteration: int) -> None:
    """Drop the lines after `iteration`: a resumed training writes them again."""
    if not path.exists():
        return
    kept = []
    for line in path.read_text(encoding="utf-8").splitlines():
        try:
            if json.loads(line)["iteration"] > iteration:
                break
        except ValueError:
            break
        kept.append(line + "\n")
    write_text(path, "".join(kept))
