"""Crops of a batch, on the device of the images."""

from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Crops:
    """Which images, and where each is cropped: rows int64 (count,) and offsets int64 (2, count),
    top and left, all on the CPU."""

    rows: Tensor
    offsets: Tensor

    def after(self, count: int) -> "Crops":
        """Without the first `count`."""
        return Crops(self.rows[count:], self.offsets[:, count:])


def crop_batch(images: Tensor, rows: Tensor, top: Tensor, left: Tensor, crop: int) -> Tensor:
    """Each image's own crop: uint8 (N, S, S, 3) and int64 (B,) -> uint8 (B, 3, crop, crop)."""
    windows = images.unfold(1, crop, 1).unfold(2, crop, 1)
    return windows[rows, top, left]


def scaled(batch: Tensor) -> Tensor:
    """Floats in 0..1 (the published pipeline does not normalise), in channels_last order: what
    torchvision's ToTensor gives. uint8 (B, 3, H, W) -> float32 of the same shape."""
    return batch.to(torch.float32, memory_format=torch.channels_last).div_(255)


def random_offsets(count: int, size: int, crop: int, generator: torch.Generator) -> Tensor:
    """Uniform crop offsets (2, count), int64 in 0..size-crop: top and left of each image."""
    return torch.randint(size - crop + 1, (2, count), generator=generator)


def centre_offsets(count: int, size: int, crop: int) -> Tensor:
    """The offsets of a centre crop, (2, count), rounded as torchvision rounds."""
    return torch.full((2, count), round((size - crop) / 2))
