"""DLDL-v2: a Gaussian label distribution and the absolute error of the expected age, jointly."""

import torch
import torch.nn.functional as F
from torch import Tensor

from softbio.methods.base import Method
from softbio.methods.distributions import class_head, decode_expected, distances, expected_rank

# Standard deviation of the labels in years and weight of the expectation's error, as published.
SIGMA, WEIGHT = 2.0, 1.0


def gaussian_labels(y: Tensor, k: int) -> Tensor:
    """Normal density of SIGMA years around the true rank at each rank, normalised over the ranks:
    int64 (N,) to float64 (N, k)."""
    return torch.softmax(-(distances(y, k).double() ** 2) / (2 * SIGMA**2), dim=1)


def loss(output: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """KL divergence from the label distribution to the predicted one, plus WEIGHT times the
    absolute error of the expected rank; both mean over the batch."""
    labels = gaussian_labels(y, output.shape[1]).to(output)
    divergence = F.kl_div(torch.log_softmax(output, dim=1), labels, reduction="batchmean")
    return divergence + WEIGHT * (expected_rank(output) - y).abs().mean()


METHOD = Method(
    title="DLDL-v2",
    citation="Gao, Zhou, Wu, Geng: Age estimation using expectation of label distribution "
    "learning. IJCAI 2018",
    kind="class",
    head=class_head,
    loss=loss,
    decode=decode_expected,
    takes_importance=False,
)
