"""Where a run computes, and how repeatably."""

import os
import platform
import re
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from softbio.errors import UserError


def choose_device(name: str = "auto") -> torch.device:
    """The device of that name; "auto": the GPU where there is one.

    On a GPU also asks for deterministic kernels and for full float32 products (not TF32, which is
    torch's default for convolutions: the published runs knew none). Raises UserError for a device
    that this machine or this build of torch does not have.
    """
    # read by cuBLAS when it starts: without it its sums depend on what runs beside
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    if name.split(":")[0] not in ("cpu", "cuda"):
        raise UserError(f"device '{name}' is unknown; set device to cpu, cuda or auto")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError) as error:
        raise UserError(
            f"device '{name}' cannot be used ({str(error).splitlines()[0]}); "
            "set device to cpu, cuda or auto"
        ) from None
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
    return device


class Determinism:
    """Within it torch takes deterministic kernels; `missing` names those it has no such form of.

    For a GPU: everything here is repeatable on a CPU with a fixed number of threads. torch names a
    kernel in a warning, which is noted whatever filters there are (PYTHONWARNINGS) and however
    often it came before; all other warnings go their way. A context manager, because both settings
    are global.
    """

    TEXT = "does not have a deterministic implementation"
    WARNING = re.compile(rf"(\S+) {TEXT}")

    def __init__(self) -> None:
        self._missing: set[str] = set()

    @property
    def missing(self) -> list[str]:
        """Names of kernels, sorted."""
        return sorted(self._missing)

    def __enter__(self) -> "Determinism":
        self._warnings = warnings.catch_warnings()
        self._warnings.__enter__()
        # without it Python drops what it has shown once of a place, also in an earlier training
        warnings.filterwarnings("always", message=rf".*{self.TEXT}")
        self._show = warnings.showwarning
        self._before = torch.get_deterministic_debug_mode()
        self._fill = torch.utils.deterministic.fill_uninitialized_memory
        # as use_deterministic_algorithms, which imports torch's compiler: a second in each job
        torch.set_deterministic_debug_mode("warn")
        # a debugging aid that writes all fresh memory once more
        torch.utils.deterministic.fill_uninitialized_memory = False
        warnings.showwarning = self._note
        return self

    def __exit__(self, *_: object) -> None:
        self._warnings.__exit__(None, None, None)
        torch.utils.deterministic.fill_uninitialized_memory = self._fill
        torch.set_deterministic_debug_mode(self._before)

    def _note(self, message, *arguments, **options) -> None:
        found = self.WARNING.search(str(message))
        if found:
            self._missing.add(found[1])
        else:
            self._show(message, *arguments, **options)


def hardware(device: torch.device) -> str:
    """Name of the GPU with the versions of its libraries, which choose the kernels, or of the
    processor with its number of cores."""
    if device.type == "cuda":
        libraries = f"CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
        return f"{torch.cuda.get_device_name(device)}, {libraries}"
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        name = next((li.split(":", 1)[1].strip() for li in lines if "model name" in li), name)
    capability = torch.backends.cpu.get_cpu_capability()
    return f"{name}, {os.cpu_count()} cores, {capability}"


@dataclass(frozen=True)
class Conditions:
    """What the sums of a process depend on, and where it is at work.

    git: commit and dirty; kernels: those without a deterministic form that it has used.
    """

    device: str
    hardware: str
    threads: int
    git: dict[str, Any]
    kernels: list[str]

    @property
    def sums(self) -> tuple[Any, ...]:
        """What decides the order of sums, so that a run stays the same bit for bit; on a GPU the
        threads of the processor do not."""
        return self.hardware, None if self.device == "cuda" else self.threads

    def __str__(self) -> str:
        threads = "" if self.device == "cuda" else f", {self.threads} threads"
        return self.hardware + threads


def here(
    device: torch.device, git: dict[str, Any], determinism: Determinism
) -> Callable[[], Conditions]:
    """A function that tells the conditions of this process, with the kernels that it has used so
    far within `determinism`."""
    # a large machine takes its time to list its processors
    name = hardware(device)
    return lambda: Conditions(device.type, name, torch.get_num_threads(), git, determinism.missing)
