"""Processes seen from outside; training held still, so that a fault surely hits it."""

import logging
import multiprocessing
import os
import re
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil

# Forks of a process that has imported what takes longest: torch and what training needs of it, and
# Snakemake. One list for all tests: a second call of `set_forkserver_preload` would replace it.
PREPARED = multiprocessing.get_context("forkserver")
PREPARED.set_forkserver_preload(
    [
        *("softbio.engine.train", "torch._dynamo", "tests.killed.runs"),
        *("snakemake.cli", "softbio.privacy.protectors", "tests.project"),
    ]
)


def until(what: Callable[[], object], text: str, seconds: float) -> object:
    """Wait for a value that is true and return it; AssertionError with `text` after `seconds`."""
    end = time.monotonic() + seconds
    while not (value := what()):
        assert time.monotonic() < end, f"not within {seconds} s: {text}"
        time.sleep(0.2)
    return value


class Noted(logging.Handler):
    """Sets `event` when `softbio.engine.stopping` logs that it has noted a signal."""

    def __init__(self) -> None:
        super().__init__()
        self.event = threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        if "saving the state" in record.getMessage():
            self.event.set()


def signal_self(number: signal.Signals = signal.SIGTERM, seconds: float = 60) -> None:
    """Send a signal to this process, and return once the thread that listens has noted it.

    AssertionError where it has not after `seconds`.
    """
    logger, noted = logging.getLogger("softbio.engine.stopping"), Noted()
    level = logger.level
    logger.setLevel(logging.INFO)
    logger.addHandler(noted)
    try:
        os.kill(os.getpid(), number)
        assert noted.event.wait(seconds), f"{number.name} was not noted within {seconds} s"
    finally:
        logger.removeHandler(noted)
        logger.setLevel(level)


@dataclass(frozen=True)
class Trainer:
    """A training process at work: its Slurm job (None outside Slurm), process and run folder."""

    job: str | None
    process: psutil.Process
    run: Path

    @property
    def epoch(self) -> int:
        """Last finished epoch by the run's log."""
        log = (self.run / "train.log").read_text()
        return max((int(number) for number in re.findall(r"epoch (\d+)/", log)), default=0)

    def environment(self, name: str) -> str | None:
        """A variable of the process."""
        return self.process.environ().get(name)


def trainers(folder: Path) -> list[Trainer]:
    """The training processes whose log lies below `folder`."""
    found = []
    for process in psutil.process_iter(["cmdline"]):
        if not any(word.endswith("train.py") for word in process.info["cmdline"] or []):
            continue
        try:
            logs = [Path(file.path) for file in process.open_files()]
            job = process.environ().get("SLURM_JOB_ID")
        except psutil.Error:  # it ended meanwhile
            continue
        found += [
            Trainer(job, process, log.parent)
            for log in logs
            if log.name == "train.log" and folder in log.parents
        ]
    return found


def hold(folder: Path, held: dict[str, Trainer]) -> dict[str, Trainer]:
    """Stop (SIGSTOP) each training process that has two epochs behind it; by run, adding to `held`.

    A held process stands for one that is slower than its time limit. Slurm continues it (SIGCONT)
    just before it asks it to end (SIGTERM).
    """
    for trainer in trainers(folder):
        name = str(trainer.run.relative_to(folder))
        if name not in held and trainer.epoch >= 2:
            trainer.process.suspend()
            held[name] = trainer
    return held


def left_over(folder: Path) -> list[str]:
    """Command lines of processes that still work in `folder`."""
    found = []
    for process in psutil.process_iter(["cmdline", "status", "cwd"]):
        at_work = process.info["status"] != psutil.STATUS_ZOMBIE and process.info["cwd"]
        if at_work and Path(process.info["cwd"]).is_relative_to(folder):
            found.append(f"{process.pid}: {' '.join(process.info['cmdline'] or [])}"[:300])
    return found
