"""Pixelation: each block of pixels becomes its mean."""

import math

from torch import Tensor
from torch.nn import functional as F

from softbio.errors import UserError
from softbio.privacy.protectors.base import Batch, Protect, Protector, Resources, strength


def pixelated(images: Tensor, block: int) -> Tensor:
    """Images (B, 1, S, S); the blocks at the right and lower edge may be smaller."""
    size = images.shape[-1]
    means = F.avg_pool2d(images, block, ceil_mode=True, count_include_pad=False)
    wide = means.repeat_interleave(block, 2).repeat_interleave(block, 3)
    return wide[:, :, :size, :size]


def side_of(mode: str, most: float = math.inf) -> int:
    """Of a block, in pixels; raises UserError unless it is whole and at most `most`."""
    side = strength(mode, "block", 1, most)
    if side != int(side):
        raise UserError(f"mode '{mode}': a block has whole pixels; round it")
    return int(side)


def prepare(mode: str, resources: Resources) -> Protect:
    """mode: "block" and its side in whole pixels."""
    block = side_of(mode, resources.faces.size)

    def protect(batch: Batch) -> Tensor:
        return pixelated(batch.images, block)

    return protect


PROTECTOR = Protector(
    title="Pixelation",
    citation="",
    modes=("block2", "block4", "block8"),
    prepare=prepare,
    check=side_of,
    knows_gender=False,
)
