"""The terms of PrivacyNet that SAN does not have."""

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F


def gradient_norms(critic: Callable[[Tensor], Tensor], faces: Tensor) -> Tensor:
    """|d D(x) / d x| of each face, float (B,), D(x) the sum over a face's patches, differentiable
    itself. critic: (B, ...) -> (B, ...), a face's answers of that face alone."""
    moving = faces.detach().requires_grad_(True)
    with torch.enable_grad():
        total = critic(moving).sum()
    (gradient,) = torch.autograd.grad(total, moving, create_graph=True)
    return gradient.flatten(1).norm(dim=1)


def between(real: Tensor, fake: Tensor, draws: Tensor) -> Tensor:
    """Faces drawn on the lines from fake, at 0, to real ones; draws: float (B,) in 0..1."""
    share = draws[:, None, None, None]
    return share * real + (1 - share) * fake


def penalty(norms: Tensor) -> Tensor:
    """(|gradient| - 1)^2, the mean over the batch: Gulrajani et al., Improved training of
    Wasserstein GANs, NeurIPS 2017 (arXiv:1704.00028), Eq. 3."""
    return (norms - 1).square().mean()


def attribute_loss(logits: Tensor, classes: Tensor, sizes: list[int]) -> Tensor:
    """Cross-entropy of each attribute, the mean over the faces whose class is known, summed over
    the attributes. logits (B, sum of sizes); classes int64 (B, A), -1 where not known."""
    terms = [
        F.cross_entropy(part, own, ignore_index=-1, reduction="sum") / (own >= 0).sum().clamp(min=1)
        for part, own in zip(logits.split(sizes, 1), classes.T, strict=True)
    ]
    return torch.stack(terms).sum()


def shares_right(
    logits: Tensor, classes: Tensor, sizes: list[int]
) -> tuple[list[Tensor], list[Tensor]]:
    """Of each attribute two shares of all faces: those whose class is known and has the highest
    logit, and those whose class is known. Both have a mean over batches where a batch has no known
    class; the ratio of these means is the share among the known."""
    known = [own >= 0 for own in classes.T]
    best = [part.argmax(1) for part in logits.split(sizes, 1)]
    right = [(b == own) & k for b, own, k in zip(best, classes.T, known, strict=True)]
    return [each.float().mean() for each in right], [each.float().mean() for each in known]
