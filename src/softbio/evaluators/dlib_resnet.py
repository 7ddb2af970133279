"""dlib's face recognition ResNet-29 as face-api.js stores it (8-bit weights, 6.4 MB).

The port is chosen over dlib itself, whose net it is (mean cosine of the embeddings .9996): it is
differentiable, so that it can be part of a loss, runs on a GPU, needs no package beside
torch, and takes a tenth of the time of the native one here. dlib's own file ships in a source
archive alone, which pip cannot fetch without running its setup.py.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch.nn.functional as F
from torch import Tensor

from softbio.evaluators.faceapi import Layers, read_weights
from softbio.evaluators.registry import EvaluatorSpec

BLOCKS = ["32_1", "32_2", "32_3", "64_down", "64_1", "64_2", "64_3", "128_down", "128_1", "128_2"]
BLOCKS += ["256_down", "256_1", "256_2", "256_down_out"]


def folded(weights: Mapping[str, np.ndarray]) -> dict[str, np.ndarray]:
    """The same net with each scale and shift in the convolution before it: four fifths of the time.

    weights: by their published names; filters (H, W, I, O). KeyError where one is missing.
    """
    found = dict(weights)
    for name in (name for name in weights if name.endswith("/conv/filters")):
        place = name.removesuffix("/conv/filters")
        scale, shift = (found.pop(f"{place}/scale/{kind}") for kind in ("weights", "biases"))
        found[name] = found[name] * scale
        found[f"{place}/conv/bias"] = found[f"{place}/conv/bias"] * scale + shift
    return found


class DlibResNet(Layers):
    """(N, 3, 150, 150) -> (N, 128); people differ by more than about .6 in L2 distance."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__(folded(weights))

    def convolved(self, x: Tensor, name: str, stride: int, padding: int) -> Tensor:
        filters, bias = (self.weight(f"{name}/conv/{kind}") for kind in ("filters", "bias"))
        return F.conv2d(x, filters, bias, stride, padding)

    def block(self, x: Tensor, name: str, down: bool) -> Tensor:
        """A residual block; one that halves the side convolves without padding, and adds zeros at
        the lower and right edge and as channels where the shortcut has fewer."""
        stride, padding = (2, 0) if down else (1, 1)
        out = F.relu(self.convolved(x, f"{name}/conv1", stride, padding))
        out = self.convolved(out, f"{name}/conv2", 1, 1)
        if down:
            x = F.avg_pool2d(x, 2, 2)
            lower, right = x.shape[-2] - out.shape[-2], x.shape[-1] - out.shape[-1]
            out = F.pad(out, (0, right, 0, lower))
            x = F.pad(x, (0, 0, 0, 0, 0, out.shape[1] - x.shape[1]))
        return F.relu(out + x)

    def forward(self, x: Tensor) -> Tensor:
        x = F.relu(self.convolved(x, "conv32_down", 2, 0))
        x = F.max_pool2d(x, 3, 2)
        for name in BLOCKS:
            x = self.block(x, f"conv{name}", down="down" in name)
        return x.mean((2, 3)) @ self.weight("fc")


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> DlibResNet:
    """The network in evaluation mode, its weights as buffers: nothing of it is trained."""
    return DlibResNet(read_weights(files)).eval()
