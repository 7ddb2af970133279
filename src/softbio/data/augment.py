"""Crops of a batch, on whatever device the images lie."""

import torch
from torch import Tensor


def crop_batch(images: Tensor, rows: Tensor, top: Tensor, left: Tensor, crop: int) -> Tensor:
    """Each image's own crop, as floats in 0..1 (the published pipeline does not normalise).

    images uint8 (N, S, S, 3); rows, top, left int64 (B,) -> float32 (B, 3, crop, crop) in
    channels_last order, equal to torchvision's crop followed by ToTensor.
    """
    windows = images.unfold(1, crop, 1).unfold(2, crop, 1)
    batch = windows[rows, top, left]
    return batch.to(torch.float32, memory_format=torch.channels_last).div_(255)


def random_offsets(count: int, size: int, crop: int, generator: torch.Generator) -> Tensor:
    """Uniform crop offsets (2, count), int64 in 0..size-crop: top and left of each image."""
    return torch.randint(size - crop + 1, (2, count), generator=generator)


def centre_offsets(count: int, size: int, crop: int) -> Tensor:
    """The same for a centre crop, rounded as torchvision rounds."""
    return torch.full((2, count), round((size - crop) / 2))
