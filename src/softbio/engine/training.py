"""What one run sees of a packed data set: its parts, labels and weights."""

import logging
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from softbio.data.feed import Feed, make_feed
from softbio.data.packed import Packed
from softbio.data.splits import assign, hold_out
from softbio.engine.importance import importance_weights
from softbio.engine.recipe import Recipe
from softbio.errors import UserError
from softbio.methods import get_method

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainingData:
    """What a run sees.

    feed: its images; labels int64 (all,) on the device, those of training permuted in the shuffled
    control; train, valid: row numbers int64, on the CPU; importance float32 (K-1,) on the device.
    """

    feed: Feed
    labels: Tensor
    train: Tensor
    valid: Tensor
    importance: Tensor


def training_data(packed: Packed, recipe: Recipe, device: torch.device) -> TrainingData:
    """Choose the training and validation rows, labels and weights that a recipe asks for.

    Raises UserError for an empty training part, for weights that the method cannot use and, where
    gender is learnt, for a method without probabilities.
    """
    check_method(recipe.method, packed.trait)
    labels = packed.labels
    train, valid = packed.rows("train"), packed.rows("valid")
    if not len(train):
        raise UserError(f"data set '{recipe.dataset}': the training part is empty; check its split")
    if not len(valid) and recipe.validation:
        held = _held_out(packed, train, recipe.validation)
        train, valid = train[~held], train[held]
        if not len(train):
            raise UserError(
                f"validation {recipe.validation:g} holds out all {len(valid)} training images of "
                f"'{recipe.dataset}'; lower it"
            )
    missing = sorted(set(range(packed.k)) - set(labels[train]))
    if missing:
        names = ", ".join(map(packed.rank_name, missing))
        logger.warning("no training image of %s: those ranks cannot be learnt", names)
    importance = np.ones(packed.k - 1)
    if recipe.variant == "-weighted":
        if not get_method(recipe.method).takes_importance:
            raise UserError(
                f"method '{recipe.method}' has no binary tasks to weight; "
                "drop the variant 'weighted' for it"
            )
        importance = importance_weights(labels[train], packed.k)
    if recipe.variant == "-shuffled":
        labels = labels.copy()
        labels[train] = np.random.default_rng(recipe.seed).permutation(labels[train])
    return TrainingData(
        make_feed(packed.images, device),
        torch.from_numpy(labels).to(device),
        torch.from_numpy(train),
        torch.from_numpy(valid),
        torch.from_numpy(importance).float().to(device),
    )


def check_method(name: str, trait: str) -> None:
    """Raise UserError for a method that gives no probabilities on a data set whose trait is gender:
    nothing could judge its predictions."""
    if trait == "gender" and get_method(name).kind == "point":
        raise UserError(
            f"method '{name}' gives no probability of a gender; choose another for a data set "
            "without ages"
        )


def _held_out(packed: Packed, train: np.ndarray, share: float) -> np.ndarray:
    """Which of the training rows to hold out for validation, bool (len(train),)."""
    labels = packed.labels[train]
    if packed.groups is not None:
        return assign(labels, packed.groups[train], np.array([1 - share, share])) == 1
    subjects = None if packed.subjects is None else packed.subjects[train]
    return hold_out(labels, subjects, share)
