"""What the methods with K-1 binary tasks "is the rank above k?" share."""

import torch
import torch.nn.functional as F
from torch import Tensor


def extended_labels(y: Tensor, k: int) -> Tensor:
    """Binary task labels y^(k) = 1{y > r_k} (Niu et al. 2016, sec. 3.2): int64 (N,) to
    bool (N, k-1)."""
    return y[:, None] > torch.arange(k - 1, device=y.device)


def threshold_loss(logits: Tensor, y: Tensor, importance: Tensor) -> Tensor:
    """Weighted binary cross-entropy summed over the K-1 tasks, mean over the batch.

    Eq. 4 of arXiv:1901.07884v3: -sum_k lambda_k [y^(k) log s(z_k) + (1 - y^(k)) log(1 - s(z_k))].
    The authors write log(1 - s(z)) as logsigmoid(z) - z, which cancels for large z; this form
    does not.

    logits (N, K-1), y int64 (N,), importance (K-1,) -> scalar.
    """
    levels = extended_labels(y, logits.shape[1] + 1).to(logits)
    tasks = F.binary_cross_entropy_with_logits(logits, levels, weight=importance, reduction="none")
    return tasks.sum(dim=1).mean()


def decode_thresholds(logits: Tensor) -> tuple[Tensor, Tensor]:
    """Rank = number of tasks with P(y > k) > 1/2; a task at exactly 1/2 says no (as published).

    logits (N, K-1) -> ranks int64 (N,), probabilities (N, K-1).
    """
    probabilities = torch.sigmoid(logits)
    return (probabilities > 0.5).sum(dim=1), probabilities
