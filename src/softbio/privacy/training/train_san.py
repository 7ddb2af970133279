"""Training a semi-adversarial network from its files."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import nn

from softbio.engine.resume import ResumeFile
from softbio.engine.state import TrainState
from softbio.errors import UserError
from softbio.files import sha256
from softbio.privacy.faces import GreyFaces
from softbio.privacy.models.san import San
from softbio.privacy.models.weights import build_network, load_network
from softbio.privacy.prototype_source import prototype_source
from softbio.privacy.prototypes import read_prototypes
from softbio.privacy.recipe import AuxiliaryRecipe, SanRecipe
from softbio.privacy.training.loss_matcher import load_matcher, matcher_sha256
from softbio.privacy.training.originals import originals_of
from softbio.privacy.training.san_task import Judges, SanLine, SanTask, optimizer_of
from softbio.privacy.training.session import Work, begin, finish
from softbio.sources import PRIVACY, against, modules_sha256


@dataclass(frozen=True)
class SanInputs:
    """What a SAN is trained on.

    packed: folder of the faces; parts: parts.csv; prototypes: prototypes.npz; classifier, matcher:
    as `load_judges`; pairs: warped.npy of `write_pairs`, for a recipe of warped prototypes; before:
    networks of the stages before the recipe's; originals: a file of `write_originals`, without
    which the faces are embedded first.
    """

    packed: Path
    parts: Path
    prototypes: Path
    classifier: Path
    matcher: Path | nn.Module
    pairs: Path | None = None
    before: tuple[Path, ...] = ()
    originals: Path | None = None


def load_judges(classifier: Path, matcher: Path | nn.Module, size: int, device) -> Judges:
    """Frozen on the device. matcher: as `load_matcher`."""
    recipe, gender_network = load_network(classifier, AuxiliaryRecipe)
    if recipe.kind != "gender":
        raise UserError(f"{classifier}: a {recipe.kind} network; give the gender classifier")
    return Judges(gender_network.to(device), load_matcher(matcher, size, device))


def load_series(paths: Sequence[Path], recipe: SanRecipe, device) -> tuple[San, ...]:
    """The stages before a recipe's, frozen on the device, in order.

    Raises UserError for another number of them, and for one that works on other faces.
    """
    if len(paths) != recipe.stage - 1:
        raise UserError(
            f"recipe: stage is {recipe.stage}; give the {recipe.stage - 1} networks before it"
        )
    found = []
    for path in paths:
        before, network = load_network(path, SanRecipe)
        for name in ("size", "prototype", "neutral", "groups"):
            theirs, ours = getattr(before, name), getattr(recipe, name)
            if theirs != ours:
                raise UserError(f"{path}: its {name} is {theirs}, that of the series {ours}")
        found.append(network.to(device))
    return tuple(found)


def train_san(recipe: SanRecipe, inputs: SanInputs, folder: Path, device: str = "auto") -> None:
    """Train one network on the part "san": network.safetensors, history.csv, run.json.

    Can be killed and goes on, as `softbio.engine.train.train`. Raises UserError for data that do
    not fit the recipe and for a loss that is not finite.
    """
    start = begin(recipe.size, inputs.packed, inputs.parts, device)
    place = start.device
    if (recipe.prototype == "warped") != (inputs.pairs is not None):
        raise UserError(f"recipe: prototype is '{recipe.prototype}'; warped.npy goes with 'warped'")
    of = [*start.read, matcher_sha256(inputs.matcher, recipe.matcher_net)]
    files = [inputs.prototypes, inputs.classifier, *inputs.before]
    files += [inputs.originals] if inputs.originals else []
    resume = ResumeFile(
        folder / "resume.pt",
        recipe,
        place,
        data_sha256=" ".join([*of, *map(sha256, files)]),
        line=SanLine,
        code=modules_sha256(against(recipe.matcher_net, PRIVACY)),
    )

    def build() -> Work:
        shown = read_prototypes(inputs.prototypes, recipe.groups)
        source = prototype_source(shown, inputs.pairs, recipe.neutral, place)
        series = load_series(inputs.before, recipe, place)
        judges = load_judges(inputs.classifier, inputs.matcher, recipe.size, place)
        torch.manual_seed(recipe.seed)
        network = build_network(recipe).to(place)
        optimizer = optimizer_of(network, recipe)
        faces, rows, known = GreyFaces(start.packed, place), start.rows("san"), None
        if recipe.matching_weight:
            known = originals_of(inputs.originals, of, judges.matcher, faces, rows)
        task = SanTask(
            recipe,
            network,
            optimizer,
            judges,
            faces=faces,
            source=source,
            rows=rows,
            originals=known,
            before=series,
        )
        moving = TrainState(network, optimizer, torch.Generator().manual_seed(recipe.seed))
        return Work(task, moving, network)

    finish(start, resume, build)
