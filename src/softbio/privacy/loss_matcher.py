"""A matcher of the registry in SAN's loss, where the paper has VGG-Face."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from softbio.errors import UserError, nearest
from softbio.evaluators.interface import Matcher, open_evaluator
from softbio.evaluators.registry import FRAME, load_evaluators


class LossMatcher(nn.Module):
    """Embeddings (B, D) of length 1 of grey faces float (B, 1, S, S) in 0..1 that show FRAME."""

    def __init__(self, matcher: Matcher) -> None:
        super().__init__()
        self.matcher = matcher
        # as a part of this module it moves to the device, and its weights are hashed; a quarter
        # faster on a CPU in this order of memory
        self.network = matcher.network.to(memory_format=torch.channels_last)

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
            f"privacy.san.matcher_net: '{name}' is no network of torch, so it can not be in the "
            "loss; choose dlib_resnet or faceres_descriptor"
        )
    return LossMatcher(matcher)
