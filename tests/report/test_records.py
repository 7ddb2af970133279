"""Run folders as frames."""

import json
import shutil

import numpy as np
import pandas as pd
import pytest

from softbio.errors import UserError
from softbio.results.labels import in_order, in_text, label
from softbio.results.records import collect, load
from softbio.results.run import Run
from tests.report.synthetic import EPOCHS, K


def test_every_run_is_there_in_published_order(made):
    runs = list(made.records.folders)
    assert len(runs) == 2 * 3 * 3 + 2 * 3 + 2
    assert made.records.backbones("faces") == ["small32", "resnet34"]
    chosen = made.records.select("faces", "small32")
    assert [(r.method, r.seed) for r in chosen] == [
        (m, s) for m in ("ce", "orcnn", "coral") for s in range(3)
    ]


def test_runs_csv_is_the_long_form_of_metrics_json(made, tmp_path):
    collect([folder / "metrics.json" for folder in made.results.runs], tmp_path / "runs.csv")
    frame = pd.read_csv(tmp_path / "runs.csv", keep_default_na=False, na_values=[""])
    assert list(frame.columns) == [
        "dataset", "backbone", "method", "variant", "seed", "selection", "decoding", "metric",
        "value",
    ]  # fmt: skip
    folder = made.results.runs[4]
    metrics = json.loads((folder / "metrics.json").read_text())
    same = frame[
        (frame["backbone"] == metrics["backbone"]) & (frame["method"] == metrics["method"])
    ]
    same = same[(same["seed"] == metrics["seed"]) & same["variant"].isna()]
    for result in metrics["results"]:
        part = same[same["selection"].eq(result["selection"])]
        part = part[part["decoding"].eq(result["decoding"])].set_index("metric")["value"]
        expected = {k: np.nan if v is None else v for k, v in result["scalars"].items()}
        pd.testing.assert_series_equal(part, pd.Series(expected), check_names=False)


def test_values_are_in_the_order_of_the_runs(made):
    runs = made.records.select("faces", "small32")[::-1]
    values = made.records.values(runs, "mae")
    for run, value in zip(runs, values, strict=True):
        metrics = json.loads((made.records.folders[run] / "metrics.json").read_text())
        assert value == metrics["results"][0]["scalars"]["mae"]
    absent = Run("faces", "small32", "ce", "", 99)
    assert np.isnan(made.records.values([absent], "mae")).all()


def test_histories_and_provenance_belong_to_trained_runs(made):
    trained = len(made.records.folders) - 1
    assert len(made.records.provenance) == trained
    assert len(made.records.histories) == trained * EPOCHS
    assert set(made.records.provenance["recipe.bias"]) == {"descending"}


def test_predictions_of_each_selection(made):
    run = made.records.select("faces", "small32")[3]
    last, best = (made.records.predictions(run, s) for s in ("last", "best"))
    assert last.kind == "exceedance"
    assert last.probabilities.shape == (len(last.frame), K - 1)
    assert not np.array_equal(last.probabilities, best.probabilities)


def test_controls_come_last():
    assert in_order(["median", "coral", "mine", "ce"]) == ["ce", "coral", "mine", "median"]


def test_a_repaired_split_stands_after_the_published_one():
    known = ["mine-repaired", "utkface-repaired", "faces", "other", "mine", "utkface"]
    assert in_order(known) == [
        "faces", "utkface", "utkface-repaired", "other", "mine", "mine-repaired",
    ]  # fmt: skip
    assert label("utkface-repaired") == "UTKFace, repaired split"
    assert in_text("faces-repaired") == "the drawn faces, repaired split"
    assert in_text("faces") == "the drawn faces"


def test_a_run_without_metrics_is_named(made, tmp_path):
    with pytest.raises(UserError, match=r"nowhere.metrics\.json"):
        load([tmp_path / "nowhere"])


def test_the_same_run_twice_is_refused(made, tmp_path):
    copy = shutil.copytree(made.results.runs[0], tmp_path / "copy")
    with pytest.raises(UserError, match="the same run as"):
        load([made.results.runs[0], copy])


def test_a_folder_with_another_runs_predictions_is_named(made, tmp_path):
    """Predictions of another data set or method that were copied into a run's folder."""
    other = tmp_path / "age/utkface/small32/ce/seed0"
    shutil.copytree(made.results.runs[0], other)
    with pytest.raises(
        UserError, match=r"utkface.*holds the predictions of faces/small32/ce/seed0"
    ):
        load([other])


def test_predictions_of_another_length_are_named(made, tmp_path):
    source, second = made.results.runs[0], made.results.runs[1]
    shorter = tmp_path / "age" / second.relative_to(second.parents[4])
    shutil.copytree(second, shorter)
    metrics = json.loads((shorter / "metrics.json").read_text())
    for result in metrics["results"]:
        result["n"] -= 1
    (shorter / "metrics.json").write_text(json.dumps(metrics))
    with pytest.raises(UserError, match=r"239 test images, .* has 240"):
        load([source, shorter])
