"""Drawn faces clean, blurred and through a SAN that nobody trained, and what attackers have."""

from pathlib import Path

import numpy as np
import torch

from softbio.privacy.attacks import get_attack
from softbio.privacy.attacks.base import Evidence, Scored
from softbio.privacy.evidence import SanFiles
from softbio.privacy.judging.own_evaluators import grey_bytes
from softbio.privacy.judging.readers import fit_hog, train_cnn
from softbio.privacy.models.weights import build_network, save_network
from softbio.privacy.parts import gender_of
from softbio.privacy.protect import NetworkFiles, load_resources, protect_parts
from softbio.privacy.recipe import SanRecipe

# of the prototype's R, G and B in the released network
RELEASED = torch.tensor([1.312, 1.476, -0.257])
CONDITIONS = [("none", "original"), ("blur", "sigma2"), *(("san", m) for m in ("sm", "nt", "op"))]


def make(trained, folder: Path) -> Path:
    """The folders of the conditions, with own evaluators in "own"."""
    packed = trained.packed
    known = np.flatnonzero(np.isin(trained.parts, ("san", "evaluators")))
    faces, gender = grey_bytes(packed, known), gender_of(packed)[known] == 1
    train_cnn(faces, gender, None, folder / "own/own_cnn", 0, "cpu")
    fit_hog(faces, gender, folder / "own/hog_linear")
    matcher = folder / "own/own_matcher/network.safetensors"
    matcher.parent.mkdir()
    matcher.write_bytes(trained.path("matcher/network.safetensors").read_bytes())
    recipe = SanRecipe("faces", 0, packed.images.shape[1], shape="px64")
    torch.manual_seed(0)
    save_network(folder / "san.safetensors", recipe, strong(build_network(recipe)))
    files = NetworkFiles(
        san=folder / "san.safetensors",
        prototypes=trained.path("prototypes.npz"),
        pairs=trained.path("warped.npy"),
    )
    packed, parts = trained.path("packed"), trained.path("parts.csv")
    resources = load_resources(packed, parts, device="cpu", files=files)
    for protector, mode in CONDITIONS:
        protect_parts(protector, mode, resources, folder / protector / mode)
    return folder


def strong(network):
    """A SAN whose last layer weighs the prototype as the released one does."""
    with torch.no_grad():
        network.protocombiner[0].weight[0, -3:, 0, 0] = RELEASED
    return network


def san_files(folder: Path, trained) -> SanFiles:
    """Of that SAN."""
    return SanFiles(
        folder / "san.safetensors",
        trained.path("packed/index.parquet"),
        trained.path("prototypes.npz"),
        trained.path("warped.npy"),
    )


def scores_of(attack: str, evidence: Evidence) -> dict[str, Scored]:
    """What an attack scores, by the names of its files."""
    return {scored.name: scored for scored in get_attack(attack).run(evidence)}
