"""What a run sees: images in which order and crop, which weights, which seed; and what it keeps."""

import json
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch

import softbio.engine.predict
import softbio.engine.rank_task as engine
from softbio.data.feed import Resident
from softbio.data.packed import Packed, load_packed
from softbio.engine.device import Determinism, here
from softbio.engine.importance import importance_weights
from softbio.engine.loop import Loop
from softbio.engine.model import build_model, forward, load_models
from softbio.engine.predict import predict_rows
from softbio.engine.rank_task import RankTask
from softbio.engine.recipe import Recipe
from softbio.engine.resume import ResumeFile
from softbio.engine.stopping import Stop
from softbio.engine.train import start, train
from softbio.engine.training import training_data
from softbio.methods import get_method
from tests.conftest import write_packed

CPU = torch.device("cpu")
RECIPE = Recipe(
    *("noise", "small8", "coral", "", 0), size=20, crop=16, epochs=2, batch=8, learning_rate=1e-3
)
LABELS = [number * number % 6 for number in range(72)]


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


@pytest.fixture
def told(tmp_path) -> Path:
    """60 training and 12 test images of which each pixel holds its row in the data set, its y and
    its x; labels that are not spread evenly."""
    folder = write_packed(tmp_path / "told", ["train"] * 60 + ["test"] * 12, LABELS, 6, 20)
    rows, y, x = np.meshgrid(np.arange(72), np.arange(20), np.arange(20), indexing="ij")
    np.save(folder / "images.npy", np.stack([rows, y, x], -1).astype(np.uint8))
    return folder


def places(inputs: torch.Tensor) -> np.ndarray:
    """Row, top and left of each image of a batch (B, 3, H, W) in 0..1."""
    pixels = (inputs * 255).round().long()
    steps = torch.arange(pixels.shape[2])
    assert (pixels[:, 1] == pixels[:, 1, :1, :1] + steps[:, None]).all()
    assert (pixels[:, 2] == pixels[:, 2, :1, :1] + steps).all()
    return pixels[:, :, 0, 0].numpy()


def begun(recipe: Recipe, data: Packed, folder: Path) -> Loop[RankTask]:
    """A run at its start."""
    resume = ResumeFile(folder / "resume.pt", recipe, CPU, "")
    return start(recipe, data, resume, Stop(), here(CPU, {}, Determinism()))


def test_training_images_come_shuffled_with_their_labels_and_randomly_cropped(
    told, tmp_path, monkeypatch
):
    seen, labelled, step = [], [], engine.step

    def watched(run, inputs, labels):
        seen.append(places(inputs))
        labelled.append(labels.numpy())
        return step(run, inputs, labels)

    monkeypatch.setattr(engine, "step", watched)
    train(RECIPE, told, tmp_path, "cpu")
    first, second = np.concatenate(seen).reshape(2, 60, 3)
    for epoch in (first, second):
        assert sorted(epoch[:, 0]) == list(range(60))
        # each of five places about as often
        for side in (1, 2):
            assert set(epoch[:, side]) == set(range(5))
        assert np.abs(np.corrcoef(epoch.T) - np.eye(3)).max() < 0.5
    assert (first[:, 0] != second[:, 0]).mean() > 0.8
    order = np.argsort(first[:, 0]), np.argsort(second[:, 0])
    assert (first[order[0], 1:] != second[order[1], 1:]).mean() > 0.5
    rows = np.concatenate([first, second])[:, 0]
    assert (np.concatenate(labelled) == np.array(LABELS)[rows]).all()


def test_what_is_predicted_is_cropped_at_its_centre(told, monkeypatch):
    seen, data = [], load_packed(told)

    def watched(model, images, recipe):
        seen.append(places(images))
        return forward(model, images, recipe)

    monkeypatch.setattr(softbio.engine.predict, "forward", watched)
    model = build_model(RECIPE, data.k)
    predict_rows(model, RECIPE, Resident(data.images, CPU), torch.arange(60, 72))
    assert np.concatenate(seen).tolist() == [[row, 2, 2] for row in range(60, 72)]
    assert not model.training


def test_a_seed_decides_on_the_first_weights_and_on_the_first_order(told, tmp_path):
    """Each by itself, and nothing else does."""
    runs = []
    for place, seed in enumerate((0, 0, 1)):
        torch.manual_seed(1000 + place)
        runs.append(begun(replace(RECIPE, seed=seed), load_packed(told), tmp_path))
    weights = [torch.cat([w.flatten() for w in run.moving.model.parameters()]) for run in runs]
    orders = [torch.randperm(60, generator=run.moving.generator) for run in runs]
    for first, again, other in (weights, orders):
        assert torch.equal(first, again)
        assert not torch.equal(first, other)


@pytest.mark.parametrize("method", ["coral", "orcnn"])
def test_the_weights_of_a_weighted_run_are_in_its_loss(told, tmp_path, method):
    data = load_packed(told)
    run = begun(replace(RECIPE, method=method, variant="-weighted"), data, tmp_path)
    labels = torch.from_numpy(data.labels[:8])
    inputs = torch.rand(8, 3, RECIPE.crop, RECIPE.crop)
    output = forward(deepcopy(run.moving.model).train(), inputs, run.task.recipe)
    run.moving.model.train()
    found, _ = engine.step(run.task, inputs, labels)
    weights = torch.from_numpy(importance_weights(data.labels[:60], data.k)).float()
    losses = [get_method(method).loss(output, labels, w) for w in (weights, torch.ones(5))]
    torch.testing.assert_close(found, losses[0].detach())
    assert abs(losses[0] - losses[1]) > 0.01


def test_the_best_epochs_weights_are_kept_beside_the_last_ones(packed, tmp_path, monkeypatch):
    states, errors = [], iter([3.0, 1.0, 2.0])

    def told_best(run):
        states.append(deepcopy(run.moving.model.state_dict()))
        return next(errors), 1.0

    monkeypatch.setattr(engine, "validate", told_best)
    train(replace(RECIPE, size=18, epochs=3), packed, tmp_path, "cpu")
    assert json.loads((tmp_path / "run.json").read_text())["best_epoch"] == 2
    models = load_models(tmp_path / "model.safetensors")[2]
    for name, epoch in (("best", 2), ("last", 3)):
        for key, tensor in models[name].state_dict().items():
            assert torch.equal(tensor, states[epoch - 1][key]), (name, key)
    assert not torch.equal(*(models[n].state_dict()["backbone.0.weight"] for n in models))


@pytest.mark.parametrize("column", ["subject", "group"])
def test_nobody_is_trained_on_and_held_out(told, column):
    """Three images of each, next to each other or not; of a repaired split its groups."""
    data = load_packed(told)
    people = np.arange(72) % 24
    index = data.index.assign(subject=[f"s{number}" for number in people])
    if column == "group":
        # pairs of subjects that belong together
        index = index.assign(group=people // 2)
    data = replace(data, index=index)
    seen = training_data(data, replace(RECIPE, validation=0.3), CPU)
    sides = [set(pd.Series(index[column]).iloc[rows.numpy()]) for rows in (seen.train, seen.valid)]
    assert not sides[0] & sides[1]
    assert sorted([*seen.train.tolist(), *seen.valid.tolist()]) == list(range(60))
    assert 0.2 < len(seen.valid) / 60 < 0.4
