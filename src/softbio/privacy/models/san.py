"""The semi-adversarial network: an autoencoder that gets two gender prototypes.

Mirjalili, Raschka, Namboodiri, Ross: Semi-adversarial networks: convolutional autoencoders for
imparting privacy to face images. ICB 2018 (arXiv:1712.00321). Layers as in its released code.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from softbio.errors import UserError
from softbio.privacy.recipe import SHAPES, Shape

MODES = ("sm", "nt", "op")
PUBLISHED_PARAMETERS = 324_248


class Modes(NamedTuple):
    """One value of each mode: same gender, neutral, opposite gender."""

    sm: Tensor
    nt: Tensor
    op: Tensor


class San(nn.Module):
    """Grey faces float32 (B, 1, S, S) and prototypes (B, 3, S, S) RGB, all in 0..1.

    The same-gender prototype enters the autoencoder with the face; the prototype of the mode enters
    behind it, in a 1x1 convolution. Only that one knows the mode, so per pixel
    logit(OP) - logit(SM) = w . (P_OP - P_SM), whatever the face. Names of the weights are those of
    the released checkpoint.
    """

    def __init__(self, shape: Shape):
        super().__init__()
        first, second, third, fourth = shape.widths
        deep = shape.pools == 2
        # an Identity keeps the places, and so the names, of the published layers
        self.autoencoder = nn.Sequential(
            *_block(4, first, nn.AvgPool2d(2)),
            *_block(first, second, nn.AvgPool2d(2) if deep else nn.Identity()),
            *_block(second, third, nn.Upsample(scale_factor=2)),
            *_block(third, fourth, nn.Upsample(scale_factor=2) if deep else nn.Identity()),
        )
        self.protocombiner = nn.Sequential(nn.Conv2d(fourth + 3, 1, 1), nn.Sigmoid())

    def features(self, faces: Tensor, same: Tensor) -> Tensor:
        """What the modes share: (B, widths[3], S, S)."""
        return self.autoencoder(torch.cat([faces, same], dim=1))

    def logits(self, features: Tensor, prototype: Tensor) -> Tensor:
        """Before the sigmoid: (B, 1, S, S)."""
        return self.protocombiner[0](torch.cat([features, prototype], dim=1))

    def combined(self, features: Tensor, prototype: Tensor) -> Tensor:
        """The face in the mode of a prototype: (B, 1, S, S) in 0..1."""
        return self.protocombiner(torch.cat([features, prototype], dim=1))

    def forward(self, faces: Tensor, prototypes: Modes) -> Modes:
        """The faces in all modes, from one pass of the autoencoder."""
        features = self.features(faces, prototypes.sm)
        return Modes(*(self.combined(features, prototype) for prototype in prototypes))


def _block(inputs: int, outputs: int, scale: nn.Module) -> list[nn.Module]:
    return [nn.Conv2d(inputs, outputs, 3, padding=1), nn.LeakyReLU(inplace=True), scale]


def passed(series: Sequence[San], faces: Tensor, prototypes: Modes) -> Tensor:
    """Faces (B, 1, S, S) in the mode OP of one network after another; as they are without one."""
    for network in series:
        features = network.features(faces, prototypes.sm)
        faces = network.combined(features, prototypes.op)
    return faces


def build_san(shape: str) -> San:
    """A network of a shape of `SHAPES`, fresh weights from torch's global random state."""
    return San(SHAPES[shape])


def load_released(path: Path | str) -> San:
    """The authors' released autoencoder, a state_dict that torch 0.3.1 saved.

    For parity only: tests compare the network here with the published one. Nothing in the file is
    executed. Raises UserError where it is not that file.
    """
    try:
        # saved on a GPU
        weights = torch.load(path, map_location="cpu", weights_only=True)
        network = build_san("published")
        network.load_state_dict(weights)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    except Exception as error:  # a damaged pickle can fail in any way
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: not the released SAN autoencoder ({reason})") from None
    return network.eval()
