"""The training loop: what it learns, repeats, resumes and refuses."""

import json
import logging
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import softbio.engine.rank_task
import softbio.engine.train
from softbio.data.feed import Resident
from softbio.data.packed import load_packed
from softbio.engine.controls import predict_median
from softbio.engine.importance import importance_weights
from softbio.engine.model import (
    build_model,
    forward,
    load_models,
    needs_two_images,
    weights_of,
)
from softbio.engine.predict import predict, predict_rows
from softbio.engine.provenance import Stopwatch
from softbio.engine.recipe import Recipe
from softbio.engine.train import train
from softbio.engine.training import training_data
from softbio.errors import UserError
from softbio.methods import METHODS
from softbio.results.predictions import read_predictions
from tests.conftest import write_packed

RECIPE = Recipe(
    *("noise", "small16", "coral", "", 0),
    size=18,
    crop=16,
    epochs=3,
    batch=16,
    learning_rate=1e-3,
    bias="descending",
)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def predictions_of(recipe: Recipe, packed: Path, folder: Path) -> pd.DataFrame:
    train(recipe, packed, folder, device="cpu")
    files = (folder / "model.safetensors", packed, folder / "predictions.parquet")
    predict(*files, device="cpu")
    return read_predictions(folder / "predictions.parquet")[1]


def same(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    """Bit for bit."""
    left, right = (np.stack(frame["probabilities"].to_list()) for frame in (one, other))
    return left.tobytes() == right.tobytes() and one["prediction"].equals(other["prediction"])


@pytest.mark.parametrize("method", METHODS)
def test_learns_what_can_be_learnt(packed, tmp_path, method):
    """Brightness gives the rank away: far better than the constant median's MAE of 1.5."""
    recipe = replace(RECIPE, method=method, epochs=25, learning_rate=3e-3)
    frame = predictions_of(recipe, packed, tmp_path)
    best = frame[frame["selection"] == "best"]
    assert (best["label"] - best["prediction"]).abs().mean() < 0.7
    shuffled = predictions_of(replace(recipe, variant="-shuffled"), packed, tmp_path / "shuffled")
    errors = shuffled["label"] - shuffled["prediction"]
    assert errors.abs().mean() > 1.0


def test_same_recipe_same_predictions_other_seed_others(packed, tmp_path):
    first = predictions_of(RECIPE, packed, tmp_path / "a")
    assert same(first, predictions_of(RECIPE, packed, tmp_path / "b"))
    assert not same(first, predictions_of(replace(RECIPE, seed=1), packed, tmp_path / "c"))


def test_best_epoch_is_the_lowest_validation_mae(packed, tmp_path):
    train(replace(RECIPE, epochs=8), packed, tmp_path, device="cpu")
    history = pd.read_csv(tmp_path / "history.csv")
    run = json.loads((tmp_path / "run.json").read_text())
    assert run["best_epoch"] == history["valid_mae"].idxmin() + 1
    assert history["epoch"].tolist() == list(range(1, 9))
    assert history["bias_inversions"].notna().all()
    assert (run["n_train"], run["n_valid"]) == (60, 20)


def test_without_validation_images_there_is_only_the_last_epoch(tmp_path):
    labels = [0, 1, 2, 3] * 12
    folder = write_packed(tmp_path / "p", ["train"] * 40 + ["test"] * 8, labels, k=4, size=18)
    frame = predictions_of(RECIPE, folder, tmp_path / "r")
    assert set(frame["selection"]) == {"last"}
    assert pd.read_csv(tmp_path / "r/history.csv")["valid_mae"].isna().all()
    held = replace(RECIPE, validation=0.2)
    assert set(predictions_of(held, folder, tmp_path / "v")["selection"]) == {"last", "best"}
    assert json.loads((tmp_path / "v/run.json").read_text())["n_valid"] == 8


def test_what_gender_gets_wrong_is_called_a_share_and_no_mae(tmp_path, caplog):
    parts = ["train"] * 24 + ["valid"] * 16 + ["test"] * 8
    folder = write_packed(tmp_path / "p", parts, [0, 1] * 24, k=2, size=18)
    (folder / "card.json").write_text(json.dumps({"ages": None, "cut": "centre"}))
    caplog.set_level(logging.INFO)
    train(replace(RECIPE, method="ce", epochs=2), folder, tmp_path, device="cpu")
    assert json.loads((tmp_path / "run.json").read_text())["cut"] == "centre"
    history = pd.read_csv(tmp_path / "history.csv")
    assert not [name for name in history if "mae" in name or "rmse" in name]
    # of 24 and of 16 answers
    assert (history["train_error"] * 24 % 1 == 0).all()
    assert (history["valid_error"] * 16 % 1 == 0).all()
    _, _, models = load_models(tmp_path / "model.safetensors")
    data = load_packed(folder)
    rows = torch.from_numpy(data.rows("valid"))
    feed = Resident(data.images, torch.device("cpu"))
    ranks, _ = predict_rows(models["last"], replace(RECIPE, method="ce"), feed, rows)
    wrong = (ranks != data.labels[rows.numpy()]).mean()
    assert history["valid_error"].iloc[-1] == wrong
    (last,) = (line for line in caplog.messages if line.startswith("epoch 2/2"))
    share = history["train_error"].iloc[-1]
    assert f"wrong answers train {share:.2%}, valid {wrong:.2%}, " in last
    assert "MAE" not in last


def test_nan_names_epoch_and_batch_and_keeps_the_last_good_state(packed, tmp_path, monkeypatch):
    step, calls = softbio.engine.rank_task.step, []

    def poisoned(run, inputs, labels):
        calls.append(1)
        # four batches an epoch: the second of the second epoch
        return step(run, inputs * float("nan") if len(calls) == 6 else inputs, labels)

    monkeypatch.setattr(softbio.engine.rank_task, "step", poisoned)
    with pytest.raises(
        UserError,
        match=r"loss is nan in epoch 2, batch 2; .*resume\.pt holds what was saved last; lower",
    ):
        train(RECIPE, packed, tmp_path, device="cpu")
    monkeypatch.undo()
    train(RECIPE, packed, tmp_path, device="cpu")
    assert json.loads((tmp_path / "run.json").read_text())["resumed_at"] == [1]


def test_a_run_names_the_sources_that_it_began_with(packed, tmp_path, monkeypatch):
    began = {"commit": "c" * 40, "dirty": False}
    monkeypatch.setattr(softbio.engine.train, "Stopwatch", lambda: Stopwatch(git=began))
    train(RECIPE, packed, tmp_path, device="cpu")
    assert json.loads((tmp_path / "run.json").read_text())["git"] == began


def test_weighted_run_uses_the_weights_of_its_training_labels(packed):
    data = load_packed(packed)
    seen = training_data(data, replace(RECIPE, variant="-weighted"), torch.device("cpu"))
    expected = importance_weights(data.labels[data.rows("train")], data.k)
    np.testing.assert_allclose(seen.importance, expected, rtol=1e-6)
    plain = training_data(data, RECIPE, torch.device("cpu"))
    assert (plain.importance == 1).all()


def test_shuffling_touches_training_labels_only(packed):
    data = load_packed(packed)
    seen = training_data(data, replace(RECIPE, variant="-shuffled"), torch.device("cpu"))
    rows, rest = data.rows("train"), np.r_[data.rows("valid"), data.rows("test")]
    assert (seen.labels[rest].numpy() == data.labels[rest]).all()
    assert (np.sort(seen.labels[rows]) == np.sort(data.labels[rows])).all()
    assert (seen.labels[rows].numpy() != data.labels[rows]).mean() > 0.5


def test_missing_rank_is_a_warning_that_names_the_age(tmp_path, caplog):
    labels = [0, 1, 3] * 12
    folder = write_packed(tmp_path / "p", ["train"] * 30 + ["test"] * 6, labels, k=4, size=18)
    for variant in ("", "-weighted"):
        train(
            replace(RECIPE, variant=variant, epochs=1),
            folder,
            tmp_path / f"r{variant}",
            device="cpu",
        )
    assert "no training image of age 22" in caplog.text


@pytest.mark.parametrize(
    ("change", "splits", "message"),
    [
        ({"variant": "-weighted", "method": "ce"}, None, "no binary tasks"),
        ({"size": 20, "crop": 16}, None, "images of 18 px"),
        ({"batch": 15}, None, "batch 15 leaves one image of 16 for the last batch"),
        ({"validation": 0.99}, None, "validation 0.99 holds out all 16"),
        ({}, ["valid", "test"], "training part is empty"),
        ({}, ["train", "train"], "test part is empty"),
    ],
)
def test_recipes_that_do_not_fit_are_named(tmp_path, change, splits, message):
    labels = [0, 1, 2, 3] * 8
    parts = (splits or ["train", "test"]) * 16
    folder = write_packed(tmp_path / "p", parts, labels, k=4, size=18)
    with pytest.raises(UserError, match=message):
        predictions_of(replace(RECIPE, epochs=1, **change), folder, tmp_path / "r")


def test_a_single_image_in_the_last_batch_is_refused_before_anything_is_learnt(
    tmp_path, monkeypatch
):
    folder = write_packed(tmp_path / "p", ["train", "test"] * 16, [0, 1, 2, 3] * 8, k=4, size=18)
    monkeypatch.delattr(softbio.engine.rank_task, "step")
    for batch, count in ((15, 16), (5, 16), (1, 16)):
        message = f"batch {batch} leaves one image of {count} for the last batch"
        with pytest.raises(UserError, match=message):
            train(replace(RECIPE, batch=batch), folder, tmp_path / "r")


@pytest.mark.parametrize(
    ("backbone", "crop"),
    [("small8", 16), ("small8", 44), ("mobilenet_v3_small", 32), ("mobilenet_v3_small", 64)],
)
def test_which_networks_need_two_images_is_as_torch_has_it(backbone, crop):
    model = build_model(replace(RECIPE, backbone=backbone, size=64, crop=crop), 4)
    before, state = weights_of(model), torch.get_rng_state()
    found = needs_two_images(model, crop)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], weight) for name, weight in weights_of(model).items())
    try:
        model.train()(torch.zeros(1, 3, crop, crop))
        refused = False
    except ValueError:
        refused = True
    assert found == refused


def test_a_method_without_probabilities_is_refused_where_gender_is_learnt(tmp_path):
    parts = ["train"] * 24 + ["test"] * 8
    folder = write_packed(tmp_path / "p", parts, [0, 1] * 16, k=2, size=18)
    (folder / "card.json").write_text(json.dumps({"ages": None}))
    with pytest.raises(UserError, match="method 'regression' gives no probability of a gender"):
        train(replace(RECIPE, method="regression"), folder, tmp_path / "r")


def test_unknown_device_is_named(packed, tmp_path):
    with pytest.raises(UserError, match="device 'gpu' is unknown; set device to cpu"):
        train(RECIPE, packed, tmp_path, device="gpu")
    with pytest.raises(UserError, match="device 'cuda:99' cannot be used"):
        train(RECIPE, packed, tmp_path, device="cuda:99")


def test_damaged_model_is_named(packed, tmp_path):
    train(replace(RECIPE, epochs=1), packed, tmp_path, device="cpu")
    model = tmp_path / "model.safetensors"
    assert set(load_models(model)[2]) == {"last", "best"}
    model.write_bytes(model.read_bytes()[:500])
    with pytest.raises(UserError, match=r"model.safetensors: not a model"):
        predict(model, packed, tmp_path / "predictions.parquet", device="cpu")


def test_median_control(packed, tmp_path):
    predict_median("noise", packed, tmp_path / "predictions.parquet")
    about, frame = read_predictions(tmp_path / "predictions.parquet")
    data = load_packed(packed)
    training = np.sort(data.labels[data.rows("train")])
    assert (frame["prediction"] == training[(len(training) - 1) // 2]).all()
    assert about.kind == "point"
    # no other constant does better on the labels that it was taken from
    errors = [np.abs(training - rank).mean() for rank in range(data.k)]
    assert errors[frame["prediction"][0]] == min(errors)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize("channels_last", [False, True])
def test_precision_and_layout_are_choices(packed, tmp_path, precision, channels_last):
    recipe = replace(RECIPE, epochs=1, precision=precision, channels_last=channels_last)
    train(recipe, packed, tmp_path, device="cpu")
    model = load_models(tmp_path / "model.safetensors")[2]["last"]
    assert all(parameter.dtype == torch.float32 for parameter in model.parameters())
    weight = model.backbone[3].weight
    assert weight.is_contiguous(memory_format=torch.channels_last) == channels_last


def test_half_precision_computes_otherwise_and_nearly_the_same(packed):
    """Of one network with one set of weights: bfloat16 has 8 bits of a number."""
    torch.manual_seed(0)
    network = build_model(RECIPE, load_packed(packed).k).eval()
    images = torch.rand(8, 3, RECIPE.crop, RECIPE.crop)
    outputs = [forward(network, images, replace(RECIPE, precision=p)) for p in ("fp32", "bf16")]
    plain, half = (output.detach().float() for output in outputs)
    assert not torch.equal(plain, half)
    torch.testing.assert_close(half, plain, rtol=0.03, atol=0.03 * plain.abs().max().item())


@pytest.mark.skipif(shutil.which("g++") is None, reason="torch.compile needs g++ on a CPU")
def test_compiled_step_learns_the_same(packed, tmp_path):
    """The last, smaller batch and the validation go through the uncompiled model."""
    recipe = replace(RECIPE, backbone="small8", epochs=1)
    plain = predictions_of(recipe, packed, tmp_path / "plain")
    compiled = predictions_of(replace(recipe, compile=True), packed, tmp_path / "compiled")
    # Adam turns a rounding error of a small gradient into a step: outputs agree, weights need not
    pairs = [np.stack(frame["probabilities"].to_list()) for frame in (plain, compiled)]
    np.testing.assert_allclose(*pairs, atol=5e-3)
    plain_loss, compiled_loss = (
        pd.read_csv(tmp_path / name / "history.csv")["loss"] for name in ("plain", "compiled")
    )
    np.testing.assert_allclose(plain_loss, compiled_loss, rtol=1e-3)
    assert not same(plain, compiled)  # it was compiled


def test_history_reports_the_errors_of_the_epoch(packed, tmp_path):
    """The last validation errors in history.csv are those of the saved last model."""
    train(RECIPE, packed, tmp_path, device="cpu")
    history = pd.read_csv(tmp_path / "history.csv")
    recipe, _, models = load_models(tmp_path / "model.safetensors")
    data = load_packed(packed)
    rows = torch.from_numpy(data.rows("valid"))
    feed = Resident(data.images, torch.device("cpu"))
    ranks, _ = predict_rows(models["last"], recipe, feed, rows)
    error = np.abs(ranks - data.labels[rows.numpy()]).mean()
    assert history["valid_mae"].iloc[-1] == pytest.approx(error)
