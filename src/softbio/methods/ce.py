"""CE-CNN: ages as unordered classes under cross-entropy, the talk's baseline."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softbio.methods.base import Method


def head(features: int, k: int, bias: str) -> nn.Module:
    """One logit a class; `bias` has no meaning without thresholds."""
    return nn.Linear(features, k)


def loss(output: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """Cross-entropy, mean over the batch; the importance weights do not enter."""
    return F.cross_entropy(output, y)


def decode(output: Tensor) -> tuple[Tensor, Tensor]:
    """The most probable class, as published, and P(y = k), (N, K).

    The expected value, a stronger rule, is read from the probabilities by the metrics.
    """
    return output.argmax(dim=1), torch.softmax(output, dim=1)


METHOD = Method(
    title="CE-CNN",
    citation="Cao, Mirjalili, Raschka: Rank-consistent ordinal regression for neural networks. "
    "arXiv:1901.07884v3, 2019 (baseline)",
    kind="class",
    head=head,
    loss=loss,
    decode=decode,
    takes_importance=False,
    in_talk=True,
)
