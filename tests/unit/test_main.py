"""The steps without Snakemake."""

import json
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict

import pytest

from softbio.__main__ import main
from tests.unit.test_train import RECIPE

Softbio = Callable[..., subprocess.CompletedProcess]


def in_a_process(*arguments: object) -> subprocess.CompletedProcess:
    command = [sys.executable, "-m", "softbio", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def softbio(monkeypatch, capsys) -> Softbio:
    """The same in this process, which has imported torch; what it returns and prints."""

    def called(*arguments: object) -> subprocess.CompletedProcess:
        monkeypatch.setattr(sys, "argv", ["softbio", *map(str, arguments)])
        capsys.readouterr()
        code = 0
        try:
            main()
        except SystemExit as left:
            code = left.code
        return subprocess.CompletedProcess(sys.argv, code, *capsys.readouterr())

    return called


def test_train_predict_and_judge(packed, tmp_path, softbio):
    recipe = tmp_path / "recipe.json"
    recipe.write_text(json.dumps(asdict(RECIPE)))
    run = tmp_path / "run"
    here = ("--packed", packed, "--device", "cpu")
    trained = in_a_process("train", "--recipe", recipe, *here, "--out", run)
    assert trained.returncode == 0, trained.stderr
    assert "epoch 3/3: loss" in trained.stderr
    predictions = tmp_path / "predictions.parquet"
    model = run / "model.safetensors"
    predicted = softbio("predict", "--model", model, *here, "--out", predictions)
    assert predicted.returncode == 0, predicted.stderr
    softbio("metrics", "--predictions", predictions, "--out", tmp_path / "metrics.json")
    judged = json.loads((tmp_path / "metrics.json").read_text())
    assert {result["selection"] for result in judged["results"]} == {"last", "best"}
    # the run.json of a run is a recipe too
    again = softbio("train", "--recipe", run / "run.json", *here, "--out", tmp_path / "b")
    assert again.returncode == 0, again.stderr


def test_no_threads_at_all(packed, tmp_path, softbio):
    done = softbio(
        *("train", "--recipe", tmp_path, "--packed", packed, "--out", tmp_path, "--threads", "-1")
    )
    assert done.returncode == 2
    assert "-1 is not above 0" in done.stderr


@pytest.mark.parametrize(
    ("recipe", "message"),
    [(None, "No such file"), ("[1]", "must hold the fields"), ('{"epoch": 1}', "'epochs'")],
)
def test_a_bad_recipe_is_one_line(packed, tmp_path, softbio, recipe, message):
    path = tmp_path / "recipe.json"
    if recipe is not None:
        path.write_text(recipe)
    done = softbio("train", "--recipe", path, "--packed", packed, "--out", tmp_path / "run")
    assert done.returncode == 1
    assert message in done.stderr
    assert len(done.stderr.splitlines()) == 1


def test_lists_are_audited(tmp_path, softbio):
    for part, people in (("train", "ab"), ("test", "bc")):
        rows = [f"{name}.jpg,{name},{rank}" for rank, name in enumerate(people)]
        (tmp_path / f"{part}.csv").write_text("\n".join(["file,id,age", *rows]))
    lists = ("--train", tmp_path / "train.csv", "--test", tmp_path / "test.csv")
    options = ("--subject", "id", "--ages", 20, 21, "--out", tmp_path / "audit.json")
    done = softbio("audit", *lists, *options)
    assert done.returncode == 0, done.stderr
    found = json.loads((tmp_path / "audit.json").read_text())["splits"]["published"]
    assert (found["overlaps"][0]["subject"], found["overlaps"][0]["with_subject"]) == (1, 2)
    absent = softbio("audit", *lists[:3], tmp_path / "no.csv", *options)
    assert absent.returncode == 1
    assert len(absent.stderr.splitlines()) == 1
