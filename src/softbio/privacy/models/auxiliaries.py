"""The detachable parts of a semi-adversarial network: a gender classifier and a face matcher.

A matcher is any module from grey faces (B, 1, S, S) in 0..1 to embeddings (B, D) of length 1, and a
gender classifier any module from the same to logits (B, 2), female and male. A ported network fits
by wrapping what it needs, grey to RGB, crop and scale, in `forward`; `check_matcher` tells whether
it does.
"""

from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from softbio.errors import UserError

PUBLISHED_PARAMETERS = 2_159_618
EMBEDDING = 128


class GenderClassifier(nn.Module):
    """Six convolutions as in the released code; width 32 is the published one.

    The average at the end covers what is left of the image, 7 x 7 at 224 px as published, so that
    other sizes fit.
    """

    def __init__(self, width: int = 32):
        super().__init__()
        pooled = [width, 2 * width, 4 * width, 8 * width, 8 * width]
        layers, inputs = [], 1
        for number, outputs in enumerate(pooled):
            side = 3 if number else 5
            convolution = nn.Conv2d(inputs, outputs, side, padding=side // 2)
            layers += [convolution, nn.LeakyReLU(inplace=True), nn.MaxPool2d(2)]
            inputs = outputs
        last = nn.Conv2d(inputs, 16 * width, 3, padding=1)
        self.features = nn.Sequential(*layers, last, nn.LeakyReLU(inplace=True), nn.Dropout2d(0.25))
        self.head = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.25), nn.Linear(16 * width, 2)
        )

    def forward(self, faces: Tensor) -> Tensor:
        return self.head(self.features(faces))


class SmallMatcher(nn.Module):
    """Five convolutions with batch norm to an embedding of length 1; for drawn faces."""

    def __init__(self, width: int = 32):
        super().__init__()
        channels = [1, width, 2 * width, 4 * width, 4 * width, 4 * width]
        layers: list[nn.Module] = []
        for number, (inputs, outputs) in enumerate(pairwise(channels)):
            layers += [nn.Conv2d(inputs, outputs, 3, padding=1, bias=False)]
            layers += [nn.BatchNorm2d(outputs), nn.LeakyReLU(0.1, inplace=True)]
            layers += [nn.MaxPool2d(2)] if number < 4 else []
        # where something is counts as much as what it is: 4 x 4 places, not their mean
        self.features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(4), nn.Flatten())
        self.embed = nn.Linear(64 * width, EMBEDDING, bias=False)

    def forward(self, faces: Tensor) -> Tensor:
        return F.normalize(self.embed(self.features(faces)), dim=1)


class CosineHead(nn.Module):
    """One direction a subject, for training alone: Wang et al., CosFace, CVPR 2018, Eq. 4."""

    def __init__(self, subjects: int, scale: float, margin: float):
        super().__init__()
        self.directions = nn.Parameter(torch.randn(subjects, EMBEDDING))
        self.scale, self.margin = scale, margin

    def forward(self, embedded: Tensor) -> Tensor:
        """Logits (B, subjects): scaled cosines."""
        return self.scale * (embedded @ F.normalize(self.directions, dim=1).T)

    def loss(self, logits: Tensor, subject: Tensor) -> Tensor:
        """Cross-entropy with the subject's own logit lowered by the margin; subject int64 (B,)."""
        own = F.one_hot(subject, len(self.directions)).to(logits.dtype)
        return F.cross_entropy(logits - self.scale * self.margin * own, subject)


def frozen(module: nn.Module) -> nn.Module:
    """The module as a judge: in evaluation mode, its weights out of reach of gradients."""
    return module.eval().requires_grad_(False)


def check_matcher(matcher: nn.Module, size: int, device: torch.device) -> None:
    """Raise UserError unless a matcher embeds faces of `size` px to length 1, differentiably."""
    with torch.enable_grad():
        faces = torch.linspace(0, 1, 2 * size * size, device=device).reshape(2, 1, size, size)
        faces.requires_grad_(True)
        embedded = matcher(faces)
        if embedded.ndim != 2 or len(embedded) != 2:
            shape = tuple(embedded.shape)
            raise UserError(f"matcher: gives {shape} for two faces; it must give one row a face")
        if not torch.allclose(embedded.norm(dim=1), embedded.new_ones(2), atol=1e-3):
            raise UserError("matcher: its embeddings are not of length 1; normalise them")
        if not embedded.requires_grad:
            raise UserError("matcher: no gradient passes through it; it cannot be in the loss")
