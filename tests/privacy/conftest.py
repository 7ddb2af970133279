"""A few drawn faces, packed, with their parts, prototypes and auxiliaries."""

from pathlib import Path
from typing import NamedTuple

import pytest
import torch

from softbio.data.fetch import fetch
from softbio.data.packed import Packed, load_packed
from softbio.data.prepare import prepare
from softbio.data.registry import load_registry
from softbio.privacy.parts import read_parts, write_parts
from softbio.privacy.prototypes import make_prototypes, read_prototypes, write_pairs
from softbio.privacy.recipe import AuxiliaryRecipe
from softbio.privacy.train_auxiliaries import train_auxiliary
from tests.conftest import ROOT
from tests.privacy.judged import make

SIZE = 32


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


@pytest.fixture(scope="session")
def drawn(tmp_path_factory) -> Home:
    """The drawn faces of 120 subjects at 32 px."""
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("drawn")
    options = {"subjects": 120, "images_per_subject": 4, "seed": 3}
    entry = {"faces": {"options": {**options, "split": {"test": 0.2, "valid": 0.1, "seed": 0}}}}
    spec = load_registry(ROOT / "config/datasets.yaml", entry)["faces"]
    fetch(spec, folder / "raw")
    prepare(spec, SIZE, folder / "packed", folder / "raw", workers=1)
    packed = load_packed(folder / "packed")
    write_parts(packed, folder / "parts.csv")
    home = Home(folder, packed)
    make_prototypes(packed, folder / "parts.csv", folder / "prototypes.npz")
    write_pairs(read_prototypes(folder / "prototypes.npz"), packed, folder / "warped.npy")
    return home


@pytest.fixture(scope="session")
def trained(drawn) -> Home:
    """The same with both auxiliaries."""
    for kind in ("gender", "matcher"):
        recipe = AuxiliaryRecipe(
            *(kind, "faces", 0, SIZE), width=8, epochs=24, batch=8, learning_rate=2e-3
        )
        folders = (drawn.path("packed"), drawn.path("parts.csv"), drawn.path(kind))
        train_auxiliary(recipe, *folders, device="cpu")
    return drawn


@pytest.fixture(scope="session")
def home(trained, tmp_path_factory) -> Path:
    """Conditions "original" and "inverted" (all grey levels), with networks, own evaluators and
    scores."""
    return make(trained, tmp_path_factory.mktemp("judged"))
