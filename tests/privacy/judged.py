"""Two conditions of drawn faces, one of them fake, and who judges them."""

import json
import shutil
from pathlib import Path

import numpy as np

from softbio.privacy.judging.own_attributes import READERS, train_reader
from softbio.privacy.judging.own_evaluators import fit_own_hog, train_own_cnn
from softbio.privacy.judging.panel import PanelInputs, open_panel
from softbio.privacy.judging.score import score
from softbio.privacy.protect import load_resources, protect_parts
from softbio.privacy.protectors import get_protector
from softbio.privacy.recipe import AuxiliaryRecipe, own_matcher_recipe
from softbio.privacy.training.train_auxiliaries import train_auxiliary

# what becomes of a file: emptied, cut off, one bit in its middle turned
DAMAGES = (
    lambda whole: b"",
    lambda whole: whole[:999],
    lambda whole: bytes(b ^ (8 * (i == len(whole) // 2)) for i, b in enumerate(whole)),
)


def rewritten(folder: Path, images=None, index=None, card=None) -> None:
    """Some files of a condition replaced."""
    if images is not None:
        np.save(folder / "images.npy", images)
    if index is not None:
        index.to_parquet(folder / "index.parquet")
    if card is not None:
        known = json.loads((folder / "card.json").read_text())
        (folder / "card.json").write_text(json.dumps(known | card))


def panel_of(folder: Path, protector: str, **more):
    dataset = more.pop("dataset", "faces")
    inputs = PanelInputs(**({"networks": folder / "networks", "own": folder / "own"} | more))
    return open_panel(get_protector(protector), dataset, inputs, "cpu")


def make(trained, folder: Path) -> Path:
    """Conditions "original" and "inverted" (all grey levels), with networks and own evaluators."""
    (folder / "networks").mkdir()
    for kind in ("gender", "matcher"):
        shutil.copytree(trained.path(kind), folder / "networks" / kind)
    files = (trained.path("packed"), trained.path("parts.csv"))
    train_own_cnn(*files, folder / "own/own_cnn", "cpu", size=32, epochs=12)
    fit_own_hog(*files, folder / "own/hog_linear")
    for name in READERS:
        train_reader(name, *files, folder / f"own/{name}", "cpu", size=32, epochs=6)
    recipe = AuxiliaryRecipe(*("matcher", "faces", 0, 32), width=8, epochs=10, batch=8)
    train_auxiliary(own_matcher_recipe(recipe), *files, folder / "own/own_matcher", "cpu")
    protect_parts("none", "original", load_resources(*files, device="cpu"), folder / "original")
    shutil.copytree(folder / "original", folder / "inverted")
    inverse = 255 - np.load(folder / "original/images.npy")
    card = {"protector": "inverse", "mode": "full", "title": "Inverse"}
    rewritten(folder / "inverted", inverse, card=card)
    for name, before in (("original", None), ("inverted", folder / "original")):
        panel = panel_of(folder, "none" if before is None else "san")
        score(folder / name, before, panel, folder / name / "scores", dataset="faces")
    return folder
