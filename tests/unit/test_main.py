"""The steps without Snakemake."""

import json
import subprocess
import sys
from dataclasses import asdict

import pytest

from tests.unit.test_train import RECIPE


def softbio(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "softbio", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


def test_train_predict_and_judge(packed, tmp_path):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(asdict(RECIPE)))
    run = tmp_path / "run"
    trained = softbio("train", "--recipe", recipe, "--packed", packed, "--out", run)
    assert trained.returncode == 0, trained.stderr
    assert "epoch 3/3: loss" in trained.stderr
    predictions = tmp_path / "predictions.parquet"
    softbio(
        "predict", "--model", run / "model.safetensors", "--packed", packed, "--out", predictions
    )
    softbio("metrics", "--predictions", predictions, "--out", tmp_path / "metrics.json")
    judged = json.loads((tmp_path / "metrics.json").read_text())
    assert {result["selection"] for result in judged["results"]} == {"last", "best"}
    # the run.json of a run is a recipe too
    again = softbio(
        "train", "--recipe", run / "run.json", "--packed", packed, "--out", tmp_path / "b"
    )
    assert again.returncode == 0, again.stderr


def test_no_threads_at_all(packed, tmp_path):
    done = softbio(
        *("train", "--recipe", tmp_path, "--packed", packed, "--out", tmp_path, "--threads", "-1")
    )
    assert done.returncode == 2
    assert "-1 is not above 0" in done.stderr


@pytest.mark.parametrize(
    ("recipe", "message"),
    [(None, "No such file"), ("[1]", "must hold the fields"), ('{"epoch": 1}', "'epochs'")],
)
def test_a_bad_recipe_is_one_line(packed, tmp_path, recipe, message):
    path = tmp_path / "recipe.json"
    if recipe is not None:
        path.write_text(recipe)
    done = softbio("train", "--recipe", path, "--packed", packed, "--out", tmp_path / "run")
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1
