"""CORAL-CNN: one weight vector for all thresholds, a bias for each."""

import torch
from torch import Tensor, nn

from softbio.methods.base import Method
from softbio.methods.thresholds import decode_thresholds, threshold_loss


class CoralHead(nn.Module):
    """logit_k = w . x + b_k: (N, features) to (N, K-1).

    bias "zeros": as published; "descending": (K-1, K-2, ..., 1)/(K-1), as coral-pytorch has it
    since 1.1, which starts faster.
    """

    def __init__(self, features: int, k: int, bias: str):
        super().__init__()
        start = {"zeros": torch.zeros(k - 1), "descending": torch.arange(k - 1, 0, -1) / (k - 1)}
        self.weight = nn.Linear(features, 1, bias=False)
        self.bias = nn.Parameter(start[bias])

    def forward(self, features: Tensor) -> Tensor:
        return self.weight(features) + self.bias


def diagnostics(head: CoralHead) -> dict[str, float]:
    """The number of neighbouring biases in the wrong order (Theorem 1: none at the optimum)."""
    bias = head.bias.detach()
    return {"bias_inversions": int((bias[1:] > bias[:-1]).sum())}


METHOD = Method(
    title="CORAL-CNN",
    citation="Cao, Mirjalili, Raschka: Rank consistent ordinal regression for neural networks with "
    "application to age estimation. Pattern Recognition Letters 140, 2020 (arXiv:1901.07884)",
    kind="exceedance",
    head=CoralHead,
    loss=threshold_loss,
    decode=decode_thresholds,
    diagnostics=diagnostics,
    in_talk=True,
)
