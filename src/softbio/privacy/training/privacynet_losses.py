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
    share = draws.to(real.device)[:, None, None, None]
    return share * real + (1 - share) * fake


def penalty(norms: Tensor) -> Tensor:
    """(|gradient| - 1)^2, the mean over the batch: Gulrajani et al., Improved training of
    Wasserstein GANs, NeurIPS 2017 (arXiv:1704.00028), Eq. 3."""
    return (norms - 1).square().mean()


def attribute_loss(logits: Tensor, classes: Tensor, sizes: list[int]) -> Tensor:
    """Cross-entropy of each attribute, the mean over the faces of which it is told, summed over the
    attributes. logits (B, sum of sizes); classes int64 (B, A), -1 where not told."""
    terms = [
        F.cross_entropy(part, own, ignore_index=-1, reduction="sum") / (own >= 0).sum().clamp(min=1)
        for part, own in zip(logits.split(sizes, 1), classes.T, strict=True)
    ]
    return torch.stack(terms).sum()


def shares_told(logits: Tensor, classes: Tensor, sizes: list[int]) -> list[Tensor]:
    """Of each attribute the share of the faces whose class has the highest logit, among those of
    which it is told; NaN without any."""
    return [
        (part.argmax(1) == own)[own >= 0].float().mean()
        for part, own in zip(logits.split(sizes, 1), classes.T, strict=True)
    ]
