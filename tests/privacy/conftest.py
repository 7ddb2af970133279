"""A few drawn faces, packed, with their parts, prototypes and auxiliaries."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import torch

from softbio.data.fetching.locate import fetch
from softbio.data.packed import Packed, load_packed
from softbio.data.prepare import prepare
from softbio.data.registry import load_registry
from softbio.privacy.attacks.base import Evidence
from softbio.privacy.evidence import gather, male, open_condition
from softbio.privacy.parts import read_parts, write_parts
from softbio.privacy.prototypes import make_prototypes, read_prototypes, write_pairs
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.training.train_auxiliaries import train_auxiliary
from tests.conftest import ROOT
from tests.once import once
from tests.privacy import attacked
from tests.privacy.judged import make
from tests.privacy.sans import SIZE, train


class Home(NamedTuple):
    """A folder with packed drawn faces and what is made of them."""

    folder: Path
    packed: Packed

    def path(self, name: str) -> Path:
        return self.folder / name

    @property
    def parts(self):
        return read_parts(self.path("parts.csv"), self.packed)


@pytest.fixture(autouse=True)
def one_thread():
    torch.set_num_threads(1)


def draw(folder: Path) -> None:
    """Faces, their parts and prototypes."""
    torch.set_num_threads(1)
    options = {"subjects": 120, "images_per_subject": 4, "seed": 3}
    entry = {"faces": {"options": {**options, "split": {"test": 0.2, "valid": 0.1, "seed": 0}}}}
    spec = load_registry(ROOT / "config/datasets.yaml", entry)["faces"]
    fetch(spec, folder / "raw")
    prepare(spec, SIZE, folder / "packed", folder / "raw", workers=1)
    packed = load_packed(folder / "packed")
    write_parts(packed, folder / "parts.csv")
    make_prototypes(packed, folder / "parts.csv", folder / "prototypes.npz")
    write_pairs(read_prototypes(folder / "prototypes.npz"), packed, folder / "warped.npy")


# Workers share the folders: nothing is written into them. The first that asks makes one.
@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Home:
    """The drawn faces of 120 subjects at 32 px."""
    folder = once(tmp_path_factory, "drawn", draw)
    return Home(folder, load_packed(folder / "packed"))


def train_auxiliaries(drawn: Home) -> None:
    """Into the same folder."""
    torch.set_num_threads(1)
    for kind in ("gender", "matcher"):
        recipe = AuxiliaryRecipe(
            *(kind, "faces", 0, SIZE), width=8, epochs=24, batch=8, learning_rate=2e-3
        )
        folders = (drawn.path("packed"), drawn.path("parts.csv"), drawn.path(kind))
        train_auxiliary(recipe, *folders, device="cpu")


@pytest.fixture(scope="session")
def trained(drawn, tmp_path_factory) -> Home:
    """The same with both auxiliaries."""
    once(tmp_path_factory, "trained", lambda _: train_auxiliaries(drawn))
    return drawn


@pytest.fixture(scope="session")
def san(trained, tmp_path_factory):
    """The folder of a trained network."""
    torch.set_num_threads(1)
    return once(tmp_path_factory, "san", lambda folder: train(trained, folder))


@pytest.fixture(scope="session")
def by_age(trained, tmp_path_factory):
    """prototypes.npz of young and old."""
    files = (trained.packed, trained.path("parts.csv"))
    folder = once(
        tmp_path_factory,
        "groups",
        lambda folder: make_prototypes(*files, folder / "prototypes.npz", "age"),
    )
    return folder / "prototypes.npz"


@pytest.fixture(scope="session")
def home(trained, tmp_path_factory) -> Path:
    """Conditions "original" and "inverted" (all grey levels), with networks, own evaluators and
    scores."""
    return once(tmp_path_factory, "judged", lambda folder: make(trained, folder))


@pytest.fixture(scope="session")
def prey(trained, tmp_path_factory) -> Path:
    """Conditions to attack, with own evaluators."""
    return once(tmp_path_factory, "prey", lambda folder: attacked.make(trained, folder))


@pytest.fixture(scope="session")
def clean(prey) -> Evidence:
    """What attackers have of faces that nothing was done to."""
    original = open_condition(prey / "none/original")
    return gather(original, original, prey / "own", device="cpu")


@pytest.fixture(scope="session")
def answers(prey) -> np.ndarray:
    """The gender of the test faces, which evidence does not hold."""
    return male(open_condition(prey / "none/original").test)
