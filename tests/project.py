"""A copy of the project to run the workflow in, on a handful of drawn faces."""

import atexit
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT
from tests.processes import PREPARED

CONFIG = {
    "name": "micro",
    "title": "micro",
    "device": "cpu",
    "datasets": {"faces": {"options": {"subjects": 24, "images_per_subject": 2}}},
    "grid": [
        {
            "datasets": ["faces"],
            "backbones": ["small16"],
            "methods": ["orcnn", "coral"],
            "seeds": [0],
        }
    ],
    "training": {"size": 18, "crop": 16, "epochs": 1, "batch": 8, "learning_rate": 0.001},
}
PARTS = ["Snakefile", "workflow", "config", "src", "report", "envs", "profiles", "slurm"]


def copy_of_the_project(folder: Path, config: dict[str, Any] = CONFIG) -> Path:
    """What a fresh clone holds, with `config` as its default config."""
    for part in PARTS:
        source = ROOT / part
        if source.is_dir():
            shutil.copytree(source, folder / part, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / part)
    (folder / "config/config.yaml").write_text(yaml.safe_dump(config))
    return folder


def environment() -> dict[str, str]:
    """That of the tests as it is now, with their programs first."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}


def started(folder: Path, *arguments: str, output: int | Any = subprocess.PIPE) -> subprocess.Popen:
    """Snakemake at work in a copy of the project, in a process group of its own."""
    # one stream: a dry run tells its errors on stdout
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment(),
        start_new_session=True,
    )


def snakemake(folder: Path, *arguments: str, cores: int = 2) -> subprocess.CompletedProcess:
    """Snakemake's own main to its end, within ten minutes, in a process of its own.

    Forked from one that has imported Snakemake and torch, which take longer than most plans."""
    told = folder / ".snakemake-output.txt"
    given = ("--cores", str(cores), *arguments)
    process = PREPARED.Process(target=_run, args=(folder, given, environment(), told))
    process.start()
    process.join(600)
    if process.exitcode is None:
        os.killpg(process.pid, 9)
        raise subprocess.TimeoutExpired(given, 600)
    return subprocess.CompletedProcess(given, process.exitcode, told.read_text())


def _run(folder: Path, arguments: tuple[str, ...], variables: dict[str, str], told: Path) -> None:
    """What the new process does: `python -m snakemake` with one stream, as `started` has it."""
    os.setsid()
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    with told.open("wb") as output:
        os.dup2(output.fileno(), 1)
        os.dup2(output.fileno(), 2)
    from snakemake.cli import main

    try:
        main(arguments)
    finally:
        # a forked process leaves without them
        atexit._run_exitfuncs()


def jobs_of(text: str) -> dict[str, int]:
    """Snakemake's own table of jobs, rule -> number."""
    table = text.partition("Job stats:")[2].partition("\n\n")[0]
    return {name: int(number) for name, number in re.findall(r"^(\w+) +(\d+)$", table, re.M)}


def without_packages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pip and an npm that fail, as on a machine without internet."""
    (folder / "fake/pip").mkdir(parents=True)
    (folder / "fake/pip/__init__.py").touch()
    (folder / "fake/pip/__main__.py").write_text("raise SystemExit('ERROR: no connection')")
    (folder / "fake/npm").write_text("#!/bin/sh\necho 'npm error no connection' >&2\nexit 1\n")
    (folder / "fake/npm").chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(folder / "fake"), prepend=":")
    monkeypatch.setenv("PATH", str(folder / "fake"), prepend=":")
