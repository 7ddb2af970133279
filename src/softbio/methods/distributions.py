"""What the methods that train a distribution over the K ranks share."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


def class_head(features: int, k: int, bias: str) -> nn.Module:
    """One logit a rank; `bias` has no meaning without thresholds."""
    return nn.Linear(features, k)


def distances(centre: Tensor, k: int) -> Tensor:
    """Each rank minus `centre`, in ranks (years): (N,) to (N, k), whole numbers where it is."""
    return torch.arange(k, device=centre.device) - centre[:, None]


def expected_rank(output: Tensor) -> Tensor:
    """Expected value of the softmax distribution, in ranks: logits (N, K) to (N,)."""
    ranks = torch.arange(output.shape[1], dtype=output.dtype, device=output.device)
    # no matrix product: a GPU may compute that in fewer digits
    return (torch.softmax(output, dim=1) * ranks).sum(dim=1)


def soft_cross_entropy(output: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy of label distributions (N, K) and logits (N, K), mean over the batch."""
    return F.cross_entropy(output, labels.to(output))


def decode_most_probable(output: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K) to the most probable rank, int64 (N,), and P(y = k), (N, K)."""
    return output.argmax(dim=1), torch.softmax(output, dim=1)


def decode_expected(output: Tensor) -> tuple[Tensor, Tensor]:
    """Logits (N, K) to the rank nearest to the expected value, int64 (N,), and P(y = k), (N, K).

    Halves go to the even rank.
    """
    return expected_rank(output).round().long(), torch.softmax(output, dim=1)
