"""The three terms of a semi-adversarial network, as the talk writes them, and their variants.

Each is a sum over one face's pixels or dimensions and the mean over the batch, so that no weight
depends on the batch size. L1 is the mean over the pixels, as in the released code.
"""

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F


def squared(faces: Tensor, rebuilt: Tensor) -> Tensor:
    """J_D of the talk: squared errors summed over the S x S pixels."""
    return (rebuilt - faces).square().flatten(1).sum(1).mean()


def l1(faces: Tensor, rebuilt: Tensor) -> Tensor:
    """J_D of the released code: mean absolute error."""
    return (rebuilt - faces).abs().mean()


def cross_entropy(faces: Tensor, rebuilt: Tensor) -> Tensor:
    """J_D of the paper, as its re-implementation reports it: binary cross-entropy of each pixel,
    summed over the pixels."""
    each = F.binary_cross_entropy(rebuilt, faces, reduction="none")
    return each.flatten(1).sum(1).mean()


# by the names that a recipe knows
PIXEL: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "squared": squared,
    "l1": l1,
    "cross_entropy": cross_entropy,
}


def gender_loss(logits_sm: Tensor, logits_op: Tensor, gender: Tensor) -> Tensor:
    """J_G = S(y, f(X'_SM)) + S(1 - y, f(X'_OP)), S the cross-entropy.

    logits (B, 2) of the auxiliary classifier; gender int64 (B,), y = 1 male.
    """
    return F.cross_entropy(logits_sm, gender) + F.cross_entropy(logits_op, 1 - gender)


def matching_loss(embedded: Tensor, original: Tensor) -> Tensor:
    """J_M = ||F(X') - F(X)||^2 of embeddings (B, D); X' is X'_SM in the talk."""
    return (embedded - original).square().sum(1).mean()
