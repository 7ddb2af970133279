"""A small SAN and what protectors need of it: recipes, its training, and whom its faces mislead."""

import numpy as np
import torch

from softbio.privacy.protect import NetworkFiles, load_resources, protected
from softbio.privacy.protectors import get_protector
from softbio.privacy.recipe import AuxiliaryRecipe, san_recipe
from softbio.privacy.training.train_san import SanInputs, train_san

SIZE = 32
RECIPE = san_recipe(
    *("drawn64", "faces", 0),
    **{
        "size": SIZE,
        "prototype": "warped",
        "pretrain_epochs": 6,
        "pretrain_psnr": 40.0,
        "epochs": 12,
        "batch": 8,
        "rate": 4e-3,
        "gender_weight": 2.0,
        "matching_weight": 1.0,
    },
)
GENDER = AuxiliaryRecipe("gender", "faces", 0, SIZE, epochs=1, width=4)


def train(trained, folder, recipe=RECIPE, matcher=None, **options):
    """A SAN with the networks of a `Home`, or with another matcher."""
    inputs = SanInputs(
        packed=trained.path("packed"),
        parts=trained.path("parts.csv"),
        prototypes=trained.path("prototypes.npz"),
        classifier=trained.path("gender/network.safetensors"),
        matcher=matcher or trained.path("matcher/network.safetensors"),
        pairs=trained.path("warped.npy") if recipe.prototype == "warped" else None,
        **options,
    )
    train_san(recipe, inputs, folder, device="cpu")


def means_of(home, san=None, generator=None):
    """What protectors need, of files; an ensemble or a series is the SAN three times."""
    pairs = home.path("warped.npy") if san else None
    files = NetworkFiles(
        classifier=home.path("gender/network.safetensors"),
        san=san,
        prototypes=home.path("prototypes.npz"),
        pairs=pairs,
        members=(san,) * 3 if san else (),
        generator=generator,
    )
    return load_resources(home.path("packed"), home.path("parts.csv"), 3, "cpu", files)


def error_of(means, name, mode) -> float:
    """Share of the test faces whose gender the auxiliary classifier misses."""
    rows = np.flatnonzero(means.parts == "test")
    protect = get_protector(name).prepare(mode, means)
    with torch.no_grad():
        told = [means.classifier(faces).argmax(1) for faces in protected(protect, means, rows)]
    return float((torch.cat(told) != means.faces.gender[rows]).float().mean())
