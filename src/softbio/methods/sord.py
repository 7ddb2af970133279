"""SORD: cross-entropy against labels that fall off with the distance in years."""

import torch
from torch import Tensor

from softbio.methods.base import Method
from softbio.methods.distributions import (
    class_head,
    decode_most_probable,
    distances,
    soft_cross_entropy,
)


def soft_labels(y: Tensor, k: int) -> Tensor:
    """Eq. 1 with phi = |r_t - r_i| in years: softmax of -phi over the ranks, int64 (N,) to
    float64 (N, k).

    The paper leaves phi open; dlordinal and the benchmark of Paplhám and Franc take this one.
    """
    return torch.softmax(-distances(y, k).abs().double(), dim=1)


def loss(output: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """Cross-entropy of the soft labels, mean over the batch; its least value is their entropy."""
    return soft_cross_entropy(output, soft_labels(y, output.shape[1]))


METHOD = Method(
    title="SORD",
    citation="Díaz, Marathe: Soft labels for ordinal regression. CVPR 2019",
    kind="class",
    head=class_head,
    loss=loss,
    decode=decode_most_probable,
    takes_importance=False,
)
