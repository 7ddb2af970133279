"""What attackers have, read from the files of a run."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from softbio.engine.device import choose_device
from softbio.errors import UserError
from softbio.evaluators.hog_linear import open_hog
from softbio.evaluators.interface import GenderClassifier, Matcher, open_evaluator
from softbio.evaluators.own import open_cnn
from softbio.evaluators.registry import find_evaluator
from softbio.privacy import GENDERS
from softbio.privacy.attacks.base import Evidence, Own, SanKnowledge
from softbio.privacy.judging.panel import OWN, Registered, open_auxiliary
from softbio.privacy.models.san import MODES
from softbio.privacy.models.weights import load_network
from softbio.privacy.protected import Protected, open_protected
from softbio.privacy.prototype_source import source_of
from softbio.privacy.recipe import SanRecipe

logger = logging.getLogger(__name__)
PARTS = ("attacker", "test")
# By the gender in their embeddings, not by matching: AUC on 400 faces of LFW, clean and blurred,
# of logistic regression on 500 of CelebA is .999 and .974, .992 and .948, .808 and .915.
BEST = ("dlib_resnet", "faceres_descriptor", "sface")


@dataclass(frozen=True)
class Condition:
    """The two parts of a folder of `protect.protect_parts` that an attack works on."""

    folder: Path
    attacker: Protected
    test: Protected

    @property
    def images(self) -> list[str]:
        """Names, those of the attacker's faces first."""
        return [name for part in (self.attacker, self.test) for name in part.index["image"]]


@dataclass(frozen=True)
class SanFiles:
    """Of a SAN: its network, the index of the packed faces that it was made for, the prototypes
    and, where it takes warped ones, those, in the order of the index."""

    san: Path
    index: Path
    prototypes: Path
    pairs: Path | None = None


def san_files(files: Mapping[str, Path]) -> SanFiles | None:
    """Those among named files; None where no SAN is among them."""
    if "san" not in files:
        return None
    return SanFiles(
        **{each.name: files[each.name] for each in fields(SanFiles) if each.name in files}
    )


def open_condition(folder: Path, dataset: str = "") -> Condition:
    """dataset: as `open_protected`. Raises UserError where the folder is none, or lacks a part."""
    return Condition(folder, *(open_protected(folder, part, dataset) for part in PARTS))


def grey(part: Protected) -> np.ndarray:
    """uint8 (N, S, S), one of the three equal channels: of a part that was opened no copy."""
    return np.ascontiguousarray(part.images[..., 0])


def male(part: Protected) -> np.ndarray:
    """Bool (N,); raises UserError where a gender is missing."""
    told = part.index["gender"].isin(GENDERS)
    if not told.all():
        raise UserError(f"gender of '{part.index.loc[~told, 'image'].iloc[0]}' is missing; add it")
    return (part.index["gender"] == GENDERS[1]).to_numpy()


def check_same(first: Condition, second: Condition) -> None:
    """Raise UserError unless two conditions hold the same faces in the same order."""
    if first.images != second.images or first.test.images.shape != second.test.images.shape:
        raise UserError(f"{second.folder}: not the faces of {first.folder}; protect them again")


def knowledge_of_san(condition: Condition, files: SanFiles, device: str = "auto") -> SanKnowledge:
    """Raises UserError where files do not belong together."""
    recipe, network = load_network(files.san, SanRecipe)
    place = choose_device(device)
    source = source_of(files.san, recipe, files.prototypes, files.pairs, place)
    names = pd.Index(pd.read_parquet(files.index, columns=["image"])["image"])
    rows = torch.from_numpy(names.get_indexer(condition.images))
    if (rows < 0).any():
        raise UserError(f"{files.index}: lacks faces of {condition.folder}; protect them again")
    own, test = rows.split([len(condition.attacker.index), len(condition.test.index)])
    # the features come first
    weights = network.protocombiner[0].weight[0, -3:, 0, 0].detach().clone()
    # the members of an ensemble have no modes of their own
    mode = condition.test.mode if condition.test.mode in MODES else "op"
    return SanKnowledge(mode, weights, source, own, test)


def open_own(folder: Path) -> tuple[GenderClassifier, GenderClassifier, Matcher | None]:
    """The own evaluators in a folder: CNN, HOG and matcher, None where none was trained."""
    files = {name: folder / name / file for name, (*_, file) in OWN.items()}
    name = "own_matcher"
    about = (name, *OWN[name][:2])
    matcher = open_auxiliary(files[name], *about) if files[name].exists() else None
    return open_cnn(files["own_cnn"]), open_hog(files["hog_linear"]), matcher


def best_matcher(third: Registered) -> Matcher | None:
    """The first matcher in the order of `BEST`, then of the registered ones that are wanted, that
    has been fetched; None where none has."""
    wanted = [find_evaluator(third.specs, name) for name in third.names]
    for spec in sorted(wanted, key=lambda spec: [*BEST, spec.name].index(spec.name)):
        try:
            if spec.kind == "matcher":
                return open_evaluator(spec, third.folder)
        except (UserError, ImportError) as error:
            logger.info("%s does not attack: %s", spec.title, error)
    return None


def gather(
    condition: Condition,
    original: Condition,
    evaluators: Path,
    modes: Sequence[Path] = (),
    san: SanFiles | None = None,
    device: str = "auto",
    third: Registered | None = None,
) -> Evidence:
    """What there is to attack a condition with.

    original: the same faces unprotected; evaluators: folder of the own ones; modes: folders of a
    SAN's faces in its modes; third: as `open_panel`, for a matcher. Raises UserError where files do
    not belong together.
    """
    cnn, hog, matcher = open_own(evaluators)
    check_same(condition, original)
    attacker, test = condition.attacker, condition.test
    return Evidence(
        protector=test.protector,
        mode=test.mode,
        own=Own(grey(original.attacker), grey(attacker), male(attacker)),
        test=grey(test),
        test_clean=grey(original.test),
        cnn=cnn,
        hog=hog,
        matcher=best_matcher(third or Registered()) or matcher,
        seed=test.seed,
        device=device,
        san=san and knowledge_of_san(condition, san, device),
        modes=dict(in_mode(condition, folder) for folder in modes),
    )


def in_mode(condition: Condition, folder: Path) -> tuple[str, np.ndarray]:
    """The mode of a folder and the attacker's faces in it, uint8 (N, S, S); its test faces are not
    kept. Raises UserError where it does not hold the faces of the condition."""
    other = condition if folder == condition.folder else open_condition(folder)
    check_same(condition, other)
    return other.attacker.mode, grey(other.attacker)
