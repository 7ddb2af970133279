"""Training a PrivacyNet from its files."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import nn

from softbio.engine.resume import ResumeFile
from softbio.engine.state import TrainState
from softbio.files import sha256
from softbio.privacy.attributes import attributes_of, labels_of
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.privacynet import PrivacyNet
from softbio.privacy.privacynet_recipe import PrivacyNetRecipe, check_hidden
from softbio.privacy.training.loss_matcher import load_matcher, matcher_sha256
from softbio.privacy.training.originals import originals_of
from softbio.privacy.training.privacynet_task import (
    PrivacyNetLine,
    PrivacyNetTask,
    optimizer_of,
)
from softbio.privacy.training.session import Start, Work, begin, finish
from softbio.sources import PRIVACYNET, against, modules_sha256


@dataclass(frozen=True)
class PrivacyNetInputs:
    """What a PrivacyNet is trained on.

    packed: folder of the faces; parts: parts.csv; matcher: as `load_matcher`; originals: a file of
    `write_originals`, without which the faces are embedded first.
    """

    packed: Path
    parts: Path
    matcher: Path | nn.Module
    originals: Path | None = None


def train_privacynet(
    recipe: PrivacyNetRecipe,
    inputs: PrivacyNetInputs,
    folder: Path,
    device: str = "auto",
    modes: Iterable[str] = (),
) -> None:
    """Train one on the part "san": network.safetensors, history.csv, run.json.

    recipe: without attributes, which are those that the faces of the part have; modes: those that
    are to be had of it. Can be killed and goes on, as `softbio.engine.train.train`. Raises
    UserError for data that do not fit the recipe or a mode, and for a discriminator that diverges.
    """
    start = begin(recipe.size, inputs.packed, inputs.parts, device)
    known = attributes_of(start.packed, start.parts == "san", recipe.least_faces)
    for mode in modes:
        check_hidden(mode, [attribute.name for attribute in known])
    recipe = replace(recipe, attributes=known)
    of = [*start.read, matcher_sha256(inputs.matcher, recipe.matcher_net)]
    read = [*of, *([sha256(inputs.originals)] if inputs.originals else [])]
    resume = ResumeFile(
        folder / "resume.pt",
        recipe,
        start.device,
        data_sha256=" ".join(read),
        line=PrivacyNetLine,
        code=modules_sha256(against(recipe.matcher_net, PRIVACYNET)),
    )

    def build() -> Work:
        return _work(recipe, inputs, start, of, resume.kept)

    finish(start, resume, build)


def _work(
    recipe: PrivacyNetRecipe,
    inputs: PrivacyNetInputs,
    start: Start,
    of: Sequence[str],
    kept: Callable[[], str],
) -> Work:
    """The task and its fresh networks. of: as `originals_of`; kept: what there is on disk."""
    place, data = start.device, start.packed
    judge = load_matcher(inputs.matcher, recipe.size, place)
    torch.manual_seed(recipe.seed)
    network = PrivacyNet(recipe).to(place)
    optimizer = optimizer_of(network, recipe)
    classes = np.stack([labels_of(data.index, each) for each in recipe.attributes], 1)
    faces, rows, shown = GreyFaces(data, place), start.rows("san"), None
    if recipe.matching:
        shown = originals_of(inputs.originals, of, judge, faces, rows)
    task = PrivacyNetTask(
        recipe,
        network,
        optimizer,
        judge,
        faces=faces,
        classes=torch.from_numpy(classes),
        rows=rows,
        kept=kept,
        originals=shown,
    )
    moving = TrainState(network, optimizer, torch.Generator().manual_seed(recipe.seed))
    return Work(task, moving, network)
