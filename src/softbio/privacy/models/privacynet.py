"""PrivacyNet: a generator that gets the attributes a face should show, and its discriminator.

Mirjalili, Raschka, Ross: PrivacyNet: semi-adversarial networks for multi-attribute face privacy.
IEEE TIP 29, 2020 (arXiv:2001.00561). It builds on StarGAN (Choi et al., CVPR 2018,
arXiv:1711.09020), whose layers these are. Faces are in -1..1 here, as there: `signed`, `unsigned`.
"""

import math
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from softbio.errors import UserError
from softbio.privacy import Attribute
from softbio.privacy.models.weights import load_network
from softbio.privacy.privacynet_recipe import SHAPES, GanShape, PrivacyNetRecipe, read_recipe

# a face's own grey 0 or 1 is at infinity before the tanh
EDGE = 0.98


def signed(faces: Tensor) -> Tensor:
    """0..1 -> -1..1."""
    return 2 * faces - 1


def unsigned(faces: Tensor) -> Tensor:
    """-1..1 -> 0..1."""
    return (faces + 1) / 2


def _norm(channels: int) -> nn.Module:
    # no running statistics: a face in use is treated as one in training, and by itself
    return nn.InstanceNorm2d(channels, affine=True)


def _step(convolution: nn.Module, channels: int) -> list[nn.Module]:
    return [convolution, _norm(channels), nn.ReLU(inplace=True)]


class Block(nn.Module):
    """Two 3x3 convolutions whose result is added: (B, C, H, W) -> the same."""

    def __init__(self, channels: int):
        super().__init__()
        first, second = (nn.Conv2d(channels, channels, 3, 1, 1, bias=False) for _ in range(2))
        self.change = nn.Sequential(*_step(first, channels), second, _norm(channels))

    def forward(self, x: Tensor) -> Tensor:
        return x + self.change(x)


class Generator(nn.Module):
    """Faces (B, C, S, S) in -1..1 and labels (B, L), each 0 or 1, which become constant maps beside
    the face -> faces (B, C, S, S) in -1..1. S is a multiple of 4."""

    def __init__(self, shape: GanShape, labels: int, channels: int = 1):
        super().__init__()
        w, self.residual = shape.width, shape.residual
        layers = _step(nn.Conv2d(channels + labels, w, 7, 1, 3, bias=False), w)
        for c in (w, 2 * w):
            layers += _step(nn.Conv2d(c, 2 * c, 4, 2, 1, bias=False), 2 * c)
        layers += [Block(4 * w) for _ in range(shape.blocks)]
        for c in (4 * w, 2 * w):
            layers += _step(nn.ConvTranspose2d(c, c // 2, 4, 2, 1, bias=False), c // 2)
        self.layers = nn.Sequential(*layers, nn.Conv2d(w, channels, 7, 1, 3, bias=False))

    def forward(self, faces: Tensor, labels: Tensor) -> Tensor:
        maps = labels[:, :, None, None].expand(-1, -1, *faces.shape[2:])
        found = self.layers(torch.cat([faces, maps], dim=1))
        if self.residual:
            found = found + torch.atanh(faces.clamp(-EDGE, EDGE))
        return torch.tanh(found)


class Discriminator(nn.Module):
    """Faces (B, C, S, S) in -1..1 -> how real each patch looks, float (B, H, W), unbounded, and
    logits (B, L) of the attributes' values. No norm: the penalty is of each face's own gradient."""

    def __init__(self, shape: GanShape, size: int, labels: int, channels: int = 1):
        super().__init__()
        layers: list[nn.Module] = []
        inputs, outputs, side = channels, shape.critic_width, size
        # 2 x 2 patches at the least, as StarGAN has it at 128 px
        for _ in range(min(shape.critic_layers, int(math.log2(size)) - 1)):
            layers += [nn.Conv2d(inputs, outputs, 4, 2, 1), nn.LeakyReLU(0.01)]
            inputs, outputs, side = outputs, 2 * outputs, side // 2
        self.layers = nn.Sequential(*layers)
        self.source = nn.Conv2d(inputs, 1, 3, 1, 1, bias=False)
        self.attributes = nn.Conv2d(inputs, labels, side, bias=False)

    def forward(self, faces: Tensor) -> tuple[Tensor, Tensor]:
        features = self.layers(faces)
        return self.source(features)[:, 0], self.attributes(features).flatten(1)


class PrivacyNet(nn.Module):
    """Both networks and what their labels mean; classes are int64 (B, A), one of each attribute."""

    def __init__(self, recipe: PrivacyNetRecipe):
        super().__init__()
        if not recipe.attributes:
            raise UserError("privacynet: its recipe names no attributes; train it on faces first")
        self.known: tuple[Attribute, ...] = recipe.attributes
        self.sizes = [len(attribute.values) for attribute in self.known]
        # the same, to compute with on the network's device
        self.register_buffer("counts", torch.tensor(self.sizes), persistent=False)
        shape, labels = SHAPES[recipe.shape], sum(self.sizes)
        self.generator = Generator(shape, labels)
        self.discriminator = Discriminator(shape, recipe.size, labels)

    def changed(self, faces: Tensor, classes: Tensor) -> Tensor:
        """Faces (B, 1, S, S) in -1..1 as of these classes."""
        return self.generator(faces, one_hot(classes, self.sizes))

    def filled(self, classes: Tensor, logits: Tensor) -> Tensor:
        """Classes with the discriminator's estimate where one is missing, -1."""
        told = [part.argmax(1) for part in logits.split(self.sizes, 1)]
        return torch.where(classes < 0, torch.stack(told, 1), classes)

    def targets(self, own: Tensor, hidden: Tensor, draws: Tensor) -> Tensor:
        """Classes that faces should show: own ones, and of a hidden attribute one of the others,
        each as likely. hidden: bool (B, A); draws: float (B, A) in 0..1."""
        sizes: Tensor = self.counts
        steps = 1 + (draws * (sizes - 1)).long().clamp(max=sizes - 2)
        return torch.where(hidden, (own + steps) % sizes, own)


def one_hot(classes: Tensor, sizes: list[int]) -> Tensor:
    """int64 (B, A) -> float32 (B, sum of sizes)."""
    parts = [F.one_hot(classes[:, place], size) for place, size in enumerate(sizes)]
    return torch.cat(parts, 1).float()


def load_privacynet(path: Path) -> tuple[PrivacyNetRecipe, PrivacyNet]:
    """A trained one, frozen, on the CPU; raises UserError where the file is none."""
    return load_network(path, PrivacyNetRecipe, PrivacyNet, read_recipe)
