"""Gaussian blur: a baseline that knows nothing of faces."""

import torch
from torch import Tensor
from torch.nn import functional as F

from softbio.privacy.protectors.base import Batch, Protect, Protector, Resources, strength


def gaussian(sigma: float) -> Tensor:
    """Weights out to 3 sigma, which sum to 1, float32 (2 r + 1,)."""
    radius = max(1, round(3 * sigma))
    at = torch.arange(-radius, radius + 1, dtype=torch.float64)
    weights = torch.exp(-at.square() / (2 * sigma**2))
    return (weights / weights.sum()).float()


def blurred(images: Tensor, sigma: float) -> Tensor:
    """Images (B, 1, S, S), borders repeated."""
    line = gaussian(sigma).to(images.device)
    radius = len(line) // 2
    padded = F.pad(images, [radius] * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, line.view(1, 1, -1, 1)), line.view(1, 1, 1, -1))


def sigma_of(mode: str) -> float:
    """In pixels."""
    return strength(mode, "sigma", 0.1)


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "sigma" and the standard deviation in pixels."""
    sigma = sigma_of(mode)

    def protect(batch: Batch) -> Tensor:
        return blurred(batch.images, sigma)

    return protect


PROTECTOR = Protector(
    title="Gaussian blur",
    citation="",
    modes=("sigma1", "sigma2", "sigma4"),
    prepare=prepare,
    check=sigma_of,
    knows_gender=False,
)
