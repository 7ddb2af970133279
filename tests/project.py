"""A copy of the project to run the workflow in, on a handful of drawn faces."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.conftest import ROOT

CONFIG = {
    "name": "micro",
    "title": "micro",
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


def started(folder: Path, *arguments: str, output: int | Any = subprocess.PIPE) -> subprocess.Popen:
    """Snakemake at work in a copy of the project, in a process group of its own."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    # one stream: a dry run tells its errors on stdout
    return subprocess.Popen(
        [sys.executable, "-m", "snakemake", *arguments],
        cwd=folder,
        stdout=output,
        stderr=subprocess.STDOUT,
        text=True,
        env=environment,
        start_new_session=True,
    )


def snakemake(folder: Path, *arguments: str, cores: int = 2) -> subprocess.CompletedProcess:
    """The same to its end, within ten minutes."""
    process = started(folder, "--cores", str(cores), *arguments)
    try:
        output, _ = process.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, 9)
        raise
    return subprocess.CompletedProcess(process.args, process.returncode, output)


def without_packages(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pip and an npm that fail, as on a machine without internet."""
    (folder / "fake/pip").mkdir(parents=True)
    (folder / "fake/pip/__init__.py").touch()
    (folder / "fake/pip/__main__.py").write_text("raise SystemExit('ERROR: no connection')")
    (folder / "fake/npm").write_text("#!/bin/sh\necho 'npm error no connection' >&2\nexit 1\n")
    (folder / "fake/npm").chmod(0o755)
    monkeypatch.setenv("PYTHONPATH", str(folder / "fake"), prepend=":")
    monkeypatch.setenv("PATH", str(folder / "fake"), prepend=":")
