"""Pixelation: each block of pixels becomes its mean."""

from torch import Tensor
from torch.nn import functional as F

from softbio.privacy.protectors.base import Batch, Means, Protect, Protector, strength


def pixelated(images: Tensor, block: int) -> Tensor:
    """Images (B, 1, S, S); the blocks at the right and lower edge may be smaller."""
    size = images.shape[-1]
    means = F.avg_pool2d(images, block, ceil_mode=True, count_include_pad=False)
    wide = means.repeat_interleave(block, 2).repeat_interleave(block, 3)
    return wide[:, :, :size, :size]


def prepare(mode: str, means: Means) -> Protect:
    """mode: "block" and its side in whole pixels."""
    block = int(strength(mode, "block", 1, means.faces.size))

    def protect(batch: Batch) -> Tensor:
        return pixelated(batch.images, block)

    return protect


PROTECTOR = Protector(
    title="Pixelation",
    citation="",
    modes=("block2", "block4", "block8"),
    prepare=prepare,
    knows_gender=False,
)
