"""face-api.js' 68 landmarks: four densely connected blocks, 360 KB of 8-bit weights.

Chosen over dlib's shape predictor, whose training data (iBUG 300-W) forbid commercial use, and
which would need dlib: this one is MIT and comes with the face-api package that is fetched anyway.
"""

from collections.abc import Mapping
from pathlib import Path

import torch.nn.functional as F
from torch import Tensor

from softbio.evaluators.faceapi import Layers, read_weights
from softbio.evaluators.registry import EvaluatorSpec


class Landmarks68(Layers):
    """(N, 3, 112, 112) -> (N, 68, 2): x, y in fractions of the side, in the order of iBUG."""

    def dense(self, x: Tensor, name: str, first: bool = False) -> Tensor:
        layer = self.conv if first else self.separable
        total = F.relu(layer(x, f"{name}/conv0", 2))
        given = total
        for number in (1, 2, 3):
            total = total + self.separable(given, f"{name}/conv{number}")
            given = F.relu(total)
        return given

    def forward(self, x: Tensor) -> Tensor:
        for number in range(4):
            x = self.dense(x, f"dense{number}", first=number == 0)
        x = F.avg_pool2d(x, 7, 2).flatten(1)
        return self.linear(x, "fc").view(-1, 68, 2)


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> Landmarks68:
    """The network in evaluation mode."""
    return Landmarks68(read_weights(files)).eval()
