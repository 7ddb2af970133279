"""The matcher in the loss of a SAN or PrivacyNet: an own one, or one of the registry, where the
papers have VGG-Face."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from softbio.errors import UserError, nearest
from softbio.evaluators.interface import Matcher, open_evaluator
from softbio.evaluators.registry import FRAME, load_evaluators
from softbio.files import sha256
from softbio.privacy.models.auxiliaries import check_matcher, frozen
from softbio.privacy.models.weights import load_network, weights_sha256
from softbio.privacy.recipe import AuxiliaryRecipe


class LossMatcher(nn.Module):
    """Embeddings (B, D) of length 1 of grey faces float (B, 1, S, S) in 0..1 that show FRAME."""

    def __init__(self, matcher: Matcher) -> None:
        super().__init__()
        self.matcher = matcher
        # as a part of this module it moves to the device, and its weights are hashed
        self.network = matcher.network

    def forward(self, faces: Tensor) -> Tensor:
        return F.normalize(self.matcher(faces * 255, FRAME), dim=1)


def open_loss_matcher(name: str, registry: Path | str, folder: Path | str) -> LossMatcher:
    """The matcher of that name, its files below `folder`.

    Raises UserError for a name that is not in the registry or no matcher, for files that are
    missing, and for a network that is none of torch: no gradient passes through it.
    """
    specs = load_evaluators(registry)
    matchers = [each for each in specs if specs[each].kind == "matcher"]
    if name not in matchers:
        raise UserError(f"privacy.san.matcher_net: no matcher '{name}': {nearest(name, matchers)}")
    matcher = open_evaluator(specs[name], folder)
    if not isinstance(matcher.network, nn.Module):
        raise UserError(
            f"privacy.san.matcher_net: '{name}' is no network of torch, so it cannot be in the "
            "loss; choose dlib_resnet or faceres_descriptor"
        )
    return LossMatcher(matcher)


def chosen_matcher(
    name: str,
    own: Path | str | None = None,
    registry: Path | str | None = None,
    receipt: Path | str | None = None,
) -> Path | LossMatcher:
    """What a recipe's `matcher_net` names, as `load_matcher` takes it: the file of the own matcher,
    or the one of the registry whose files lie beside the receipt of `fetch_evaluators`.

    Raises UserError as `open_loss_matcher`, and where a name has not the files that it needs.
    """
    if name == "own" and own is not None:
        return Path(own)
    if name == "own" or registry is None or receipt is None:
        needed = "the own matcher's file" if name == "own" else "registry and receipt"
        raise UserError(f"recipe: matcher_net is '{name}'; give {needed}")
    return open_loss_matcher(name, registry, Path(receipt).parent)


def matcher_sha256(matcher: Path | nn.Module, name: str) -> str:
    """Hash of a matcher's file, or of the weights of one that is none.

    name: `matcher_net` of a recipe. Raises UserError where that asks for another kind.
    """
    if (name == "own") == isinstance(matcher, LossMatcher):
        raise UserError(f"recipe: matcher_net is '{name}'; give that matcher")
    return weights_sha256(matcher) if isinstance(matcher, nn.Module) else sha256(matcher)


def load_matcher(matcher: Path | nn.Module, size: int, device: torch.device) -> nn.Module:
    """Frozen on the device. matcher: a file of `train_auxiliary`, or any module that fits faces of
    `size` px. Raises UserError for one that does not."""
    if not isinstance(matcher, nn.Module):
        matcher = load_network(matcher, AuxiliaryRecipe)[1]
    matcher = frozen(matcher.to(device))
    check_matcher(matcher, size, device)
    return matcher
