"""How the published scripts feed a network; `throughput.py` sets it beside the engine."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from softbio.backbones.torchvision import torchvision
from softbio.engine.recipe import Recipe

SOURCE_SIDE = 200  # of UTKFace's own images


class JpegFolder(torch.utils.data.Dataset):
    """The published scripts' data set: one file an image, decoded when it is asked for."""

    def __init__(self, folder: Path, images: int, recipe: Recipe, ranks: int):
        self.ranks = ranks
        rng = np.random.default_rng(0)
        folder.mkdir()
        self.paths = [folder / f"{number}.jpg" for number in range(images)]
        for path in self.paths:
            # smooth as photographs are: white noise would take far longer to decode
            small = rng.integers(0, 256, (25, 25, 3), np.uint8)
            Image.fromarray(small).resize((SOURCE_SIDE, SOURCE_SIDE)).save(path, quality=90)
        transforms = torchvision.transforms
        self.change = transforms.Compose(
            [
                transforms.Resize((recipe.size, recipe.size)),
                transforms.RandomCrop((recipe.crop, recipe.crop)),
                transforms.ToTensor(),
            ]
        )

    def __len__(self) -> int:
        return len(self.paths)

    def __getitem__(self, number: int) -> tuple[torch.Tensor, int]:
        return self.change(Image.open(self.paths[number])), number % self.ranks


def jpeg_batches(folder: Path, recipe: Recipe, ranks: int, workers: int) -> Iterator:
    """Epochs of eight batches, without end, of the published data path."""
    data = JpegFolder(folder, 8 * recipe.batch, recipe, ranks)
    loader = torch.utils.data.DataLoader(
        data, recipe.batch, shuffle=True, drop_last=True, num_workers=workers
    )
    while True:
        yield from loader
