"""A trained model's file: what is in it is checked before it is used."""

import json
from dataclasses import asdict

import pytest
import torch
from safetensors.torch import load_file, save_file

from softbio.engine.model import build_model, load_models, save_models, weights_of
from softbio.engine.recipe import Recipe
from softbio.errors import UserError

RECIPE = Recipe(
    *("noise", "small8", "coral", "", 0), size=18, crop=16, epochs=1, batch=8, learning_rate=1e-3
)
AGES = (20, 25)


@pytest.fixture
def path(tmp_path):
    torch.manual_seed(0)
    path = tmp_path / "model.safetensors"
    save_models(path, RECIPE, AGES, {"last": weights_of(build_model(RECIPE, 6))})
    return path


def test_what_was_saved_comes_back(path):
    recipe, ages, models = load_models(path)
    assert (recipe, ages, set(models)) == (RECIPE, AGES, {"last"})
    torch.manual_seed(0)
    for name, weight in weights_of(build_model(RECIPE, 6)).items():
        assert torch.equal(models["last"].state_dict()[name], weight)


@pytest.mark.parametrize("ages", [[], [20], "ab", ["x", "y"], [25, 20], [20, 90], {"a": 1}, True])
def test_strange_ages_are_one_line(path, ages):
    about = {"about": json.dumps({"recipe": asdict(RECIPE), "ages": ages})}
    save_file(load_file(path), path, metadata=about)
    with pytest.raises(UserError, match=r"model.safetensors: not a model of this .*; train again"):
        load_models(path)


@pytest.mark.parametrize("about", ["no JSON", "null", "[1]", "{}", 3000 * "["])
def test_a_strange_description_is_one_line(path, about):
    save_file(load_file(path), path, metadata={"about": about})
    with pytest.raises(UserError, match=r"model.safetensors: not a model of this .*; train again"):
        load_models(path)
