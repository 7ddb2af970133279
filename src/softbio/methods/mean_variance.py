"""Mean-variance loss: cross-entropy, the squared error of the expected age and the variance."""

import torch
import torch.nn.functional as F
from torch import Tensor

from softbio.methods.base import Method
from softbio.methods.distributions import class_head, decode_expected, distances, expected_rank

# lambda_1 and lambda_2, as published.
MEAN, VARIANCE = 0.2, 0.05


def loss(output: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """Cross-entropy + MEAN (m - y)^2 / 2 + VARIANCE sum_k p_k (k - m)^2, mean over the batch.

    output (N, K) logits of p; m: the expected rank; in ranks (years).
    """
    mean = expected_rank(output)
    # around the mean, as E[k^2] - m^2 would cancel
    spread = distances(mean, output.shape[1]) ** 2
    variance = (torch.softmax(output, dim=1) * spread).sum(dim=1)
    error = (mean - y) ** 2 / 2
    return F.cross_entropy(output, y) + (MEAN * error + VARIANCE * variance).mean()


METHOD = Method(
    title="Mean-variance",
    citation="Pan, Han, Shan, Chen: Mean-variance loss for deep age estimation from a face. CVPR "
    "2018",
    kind="class",
    head=class_head,
    loss=loss,
    decode=decode_expected,
    takes_importance=False,
)
