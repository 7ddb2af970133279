"""A workflow killed whole goes on with the documented command; a second one beside it refuses."""

import json
import os
import shutil
import signal
from pathlib import Path

import pytest

from softbio.files import sha256
from softbio.results.predictions import read_predictions
from tests.processes import hold, until
from tests.project import CONFIG, copy_of_the_project, snakemake, started

GRID = {
    "datasets": ["faces"],
    "backbones": ["small8"],
    "methods": ["orcnn", "coral"],
    "seeds": [0],
}
# long enough to be caught at it
TRAINING = CONFIG["training"] | {"backbones": {"small16": {"epochs": 200}}}
GRIDS = [GRID, GRID | {"backbones": ["small16"], "methods": ["coral"]}]
LONG = CONFIG | {"name": "long", "grid": GRIDS, "training": TRAINING}
LONG_RUN = "results/long/age/faces/small16/coral/seed0"
SHORT_RUN = "results/long/age/faces/small8/orcnn/seed0"


@pytest.fixture(scope="module")
def killed(tmp_path_factory):
    """A copy whose workflow was killed with one run done and one under way, and what a second
    workflow, started beside it, said."""
    folder = copy_of_the_project(tmp_path_factory.mktemp("killed"), LONG)
    with open(folder / "output.txt", "w") as output:
        first = started(folder, "--cores", "2", output=output)
    held, done = {}, folder / SHORT_RUN / "metrics.json"
    try:
        until(lambda: hold(folder, held) and done.exists(), "one run done and one under way", 120)
        second = snakemake(folder)
    finally:
        os.killpg(first.pid, signal.SIGKILL)
        first.wait()
    return folder, second


@pytest.fixture(scope="module")
def again(killed):
    """That copy gone on with by the documented command, and what the short run held before."""
    folder, _ = killed
    assert not (folder / LONG_RUN / "model.safetensors").exists()
    before = files_of(folder)
    read_predictions(folder / SHORT_RUN / "predictions.parquet")
    refused = snakemake(folder)
    assert "Directory cannot be locked" in refused.stdout
    assert snakemake(folder, "--unlock").returncode == 0
    run = snakemake(folder)
    assert run.returncode == 0, run.stdout
    return folder, before


def files_of(folder: Path) -> dict[str, int]:
    """Each finished file of the short run with the time of its last change."""
    return {path.name: path.stat().st_mtime_ns for path in (folder / SHORT_RUN).iterdir()}


def test_a_second_workflow_refuses_and_says_why(killed):
    _, second = killed
    assert second.returncode != 0
    assert "Directory cannot be locked" in second.stdout
    assert "--unlock" in second.stdout
    assert "Traceback" not in second.stdout


def test_after_a_kill_the_command_goes_on(again):
    folder, before = again
    run = folder / LONG_RUN
    assert files_of(folder) == before, "a finished run was made again"
    assert json.loads((run / "run.json").read_text())["resumed_at"] != []
    assert (folder / "results/long/report.html").exists()
    assert not list(folder.glob("results/**/*.part*"))


def test_the_interrupted_run_predicts_what_an_undisturbed_one_does(again):
    folder, _ = again
    run, kept = folder / LONG_RUN, folder / "interrupted"
    run.replace(kept)
    try:
        alone = snakemake(folder, f"{LONG_RUN}/predictions.parquet")
        assert alone.returncode == 0, alone.stdout
        assert json.loads((run / "run.json").read_text())["resumed_at"] == []
        assert sha256(run / "predictions.parquet") == sha256(kept / "predictions.parquet")
    finally:
        # for the other test, whichever comes first
        shutil.rmtree(run, ignore_errors=True)
        kept.replace(run)
