"""Crops against torchvision's own transforms."""

import numpy as np
import pytest
import torch
from PIL import Image

from softbio.backbones.torchvision import torchvision
from softbio.data.augment import centre_offsets, crop_batch, random_offsets, scaled


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(0, 256, (9, 21, 21, 3), generator=generator, dtype=torch.uint8)


@pytest.mark.parametrize("crop", [21, 20, 18, 13])
def test_centre_crop_equals_torchvision(images, crop):
    transforms = torchvision.transforms
    chain = transforms.Compose([transforms.CenterCrop(crop), transforms.ToTensor()])
    theirs = torch.stack([chain(Image.fromarray(image.numpy())) for image in images])
    top, left = centre_offsets(9, 21, crop)
    ours = scaled(crop_batch(images, torch.arange(9), top, left, crop))
    assert torch.equal(ours, theirs)
    assert ours.is_contiguous(memory_format=torch.channels_last)


def test_each_image_has_its_own_crop(images):
    rows = torch.tensor([3, 3, 0])
    top, left = torch.tensor([0, 5, 2]), torch.tensor([5, 0, 3])
    batch = crop_batch(images, rows, top, left, 16)
    for image, row, y, x in zip(batch, rows, top, left, strict=True):
        window = images[row, y : y + 16, x : x + 16].permute(2, 0, 1)
        assert torch.equal(image, window)


def test_random_offsets_are_seeded_and_uniform():
    first = random_offsets(20_000, 24, 20, torch.Generator().manual_seed(1))
    again = random_offsets(20_000, 24, 20, torch.Generator().manual_seed(1))
    assert torch.equal(first, again)
    counts = np.bincount(first.flatten(), minlength=5)
    assert len(counts) == 5  # 0..size-crop, both ends reached
    # each of the 5 offsets has probability 1/5 in 40,000 draws: sd 80
    assert np.abs(counts - 8000).max() < 400
    assert abs(np.corrcoef(first)[0, 1]) < 0.03
