"""CORN: K-1 conditional binary tasks, P(y > k | y > k-1), rank consistent by the chain rule."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softbio.methods.base import Method
from softbio.methods.thresholds import extended_labels


def head(features: int, k: int, bias: str) -> nn.Module:
    """One logit a threshold with a weight vector of its own; the layer's default bias."""
    return nn.Linear(features, k - 1)


def loss(output: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """Binary cross-entropy of task k over the images with y > k-1, its conditional training subset.

    The sum is divided by the sizes of all subsets together, as published and as coral-pytorch has
    it: by more than the number of images, so that the loss is an average binary cross-entropy.
    output (N, K-1) logits, y int64 (N,) -> scalar; the importance weights do not enter.
    """
    above = extended_labels(y, output.shape[1] + 1)
    # y > k-1 is the label of the task before; every image is in the subset of the first
    subset = torch.cat([torch.ones_like(above[:, :1]), above[:, :-1]], dim=1).to(output)
    tasks = F.binary_cross_entropy_with_logits(
        output, above.to(output), weight=subset, reduction="sum"
    )
    return tasks / subset.sum()


def decode(output: Tensor) -> tuple[Tensor, Tensor]:
    """Rank = number of thresholds with P(y > k) > 1/2, where P(y > k) is the product of the
    conditional probabilities up to k, which cannot rise with k.

    output (N, K-1) logits -> ranks int64 (N,), probabilities (N, K-1).
    """
    probabilities = torch.sigmoid(output).cumprod(dim=1)
    return (probabilities > 0.5).sum(dim=1), probabilities


METHOD = Method(
    title="CORN",
    citation="Shi, Cao, Raschka: Deep neural networks for rank-consistent ordinal regression based "
    "on conditional probabilities. Pattern Analysis and Applications 26, 2023 (arXiv:2111.08851)",
    kind="exceedance",
    head=head,
    loss=loss,
    decode=decode,
    takes_importance=False,
)
