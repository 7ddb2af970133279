"""Where a number comes from: versions, hardware, time, memory."""

import platform
import resource
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import torch
from torch import nn

from softbio.backbones.networks import gmac
from softbio.engine.device import Conditions
from softbio.engine.recipe import Recipe
from softbio.engine.state import Progress
from softbio.files import write_json
from softbio.methods import get_method

PACKAGES = ["torch", "torchvision", "numpy", "pandas", "pyarrow", "snakemake"]


def versions() -> dict[str, str]:
    """Version of Python and of each package in `PACKAGES` that is installed."""
    found = {"python": platform.python_version()}
    for package in PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def git_state() -> dict[str, Any]:
    """Commit of the source tree and whether it has changes; both None outside a checkout."""

    def git(*arguments: str) -> str:
        call = ["git", "-C", str(Path(__file__).parent), *arguments]
        return subprocess.run(call, capture_output=True, text=True, check=True).stdout.strip()

    try:
        changes = git("status", "--porcelain", "--untracked-files=no")
        return {"commit": git("rev-parse", "HEAD"), "dirty": bool(changes)}
    except (OSError, subprocess.CalledProcessError):
        return {"commit": None, "dirty": None}


@dataclass(frozen=True)
class Stopwatch:
    """When something began, and of which sources: a commit made later is not that of the run."""

    started: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="seconds"))
    tick: float = field(default_factory=time.monotonic)
    git: dict[str, Any] = field(default_factory=git_state)

    def seconds(self) -> float:
        """Wall clock since then."""
        return time.monotonic() - self.tick


def peak_memory_mb(device: torch.device) -> float:
    """Most memory used so far: of the GPU there, of this process elsewhere."""
    if device.type != "cpu":
        return torch.cuda.max_memory_allocated(device) / 2**20
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def of_processes(conditions: Sequence[Conditions]) -> dict[str, Any]:
    """What run.json says of the processes that made a run, each kind once, the last one at the end.

    hardware, threads, git: of the last; nondeterministic_kernels: those of all, whose sums differ
    from run to run; deterministic: there are none, and all processes add in one order.
    """
    last, kernels = conditions[-1], sorted({name for each in conditions for name in each.kernels})
    return {
        "hardware": last.hardware,
        "threads": last.threads,
        "git": last.git,
        "deterministic": not kernels and len({each.sums for each in conditions}) == 1,
        "nondeterministic_kernels": kernels,
        "processes": [asdict(each) for each in conditions],
    }


def of_training(
    recipe: Any,
    model: nn.Module,
    progress: Progress,
    watch: Stopwatch,
    device: torch.device,
    data_sha256: str,
) -> dict[str, Any]:
    """What run.json says of any training: its recipe, how long it took and what it ran on.

    recipe: a dataclass. Wall clock is that of the last process; the seconds of all epochs, also of
    those before an interruption, stand in history.csv.
    """
    return {
        "recipe": asdict(recipe),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "epochs": len(progress.history),
        "started": watch.started,
        "wall_seconds": watch.seconds(),
        "training_seconds": sum(epoch.seconds for epoch in progress.history),
        "resumed_at": progress.resumed_at,
        "peak_memory_mb": peak_memory_mb(device),
        "device": device.type,
        **of_processes(progress.conditions()),
        "versions": versions(),
        "data_sha256": data_sha256,
    }


def write_run(
    path: Path,
    recipe: Recipe,
    model: nn.Module,
    progress: Progress,
    watch: Stopwatch,
    device: torch.device,
    counts: tuple[int, int, int],
    cut: str | None,
    data_sha256: str,
) -> None:
    """run.json: `of_training`, and what the recipe's method is.

    counts: images of the training, validation and test part; cut: what was packed of each.
    """
    method = get_method(recipe.method)
    run = of_training(recipe, model, progress, watch, device, data_sha256)
    run |= {
        "dataset": recipe.dataset,
        "title": method.title,
        "citation": method.citation,
        "in_talk": method.in_talk,
        "gmac": gmac(model.to("cpu"), recipe.crop),
        "best_epoch": progress.best_epoch,
        **dict(zip(("n_train", "n_valid", "n_test"), counts, strict=True)),
        "cut": cut,
        "precision": recipe.precision,
        "command": " ".join(sys.argv),
    }
    write_json(path, run)
