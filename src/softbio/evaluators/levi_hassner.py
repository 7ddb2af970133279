"""Levi and Hassner's gender net: three convolutions and three layers of 512, of 227 px.

The published prototxt, dropout left out; its poolings round up.
"""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softbio.evaluators.caffe import read_caffemodel
from softbio.evaluators.registry import EvaluatorSpec

SHAPES = {
    "conv1": (96, 3, 7, 7),
    "conv2": (256, 96, 5, 5),
    "conv3": (384, 256, 3, 3),
    "fc6": (512, 18816),
    "fc7": (512, 512),
    "fc8": (2, 512),
}


class LeviHassner(nn.Module):
    """(N, 3, 227, 227) -> P(male) (N,)."""

    def __init__(self, blobs: Mapping[str, list[np.ndarray]]) -> None:
        super().__init__()
        for name, shape in SHAPES.items():
            weight, bias = blobs[name]
            if weight.size != np.prod(shape) or bias.size != shape[0]:
                raise ValueError(f"{name} has {weight.size:,} weights, not {np.prod(shape):,}")
            self.register_buffer(f"{name}_weight", torch.from_numpy(weight.reshape(shape)))
            self.register_buffer(f"{name}_bias", torch.from_numpy(bias.reshape(-1)))

    def conv(self, x: Tensor, name: str, stride: int, padding: int) -> Tensor:
        weight, bias = self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias")
        x = F.relu(F.conv2d(x, weight, bias, stride, padding))
        return F.max_pool2d(x, 3, 2, ceil_mode=True)

    def linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self.get_buffer(f"{name}_weight"), self.get_buffer(f"{name}_bias"))

    def forward(self, x: Tensor) -> Tensor:
        x = F.local_response_norm(self.conv(x, "conv1", 4, 0), 5, 1e-4, 0.75)
        x = F.local_response_norm(self.conv(x, "conv2", 1, 2), 5, 1e-4, 0.75)
        x = self.conv(x, "conv3", 1, 1).flatten(1)
        x = F.relu(self.linear(x, "fc6"))
        x = F.relu(self.linear(x, "fc7"))
        # index 0 is male
        return torch.softmax(self.linear(x, "fc8"), dim=1)[:, 0]


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> LeviHassner:
    """The network in evaluation mode, its weights as buffers: nothing of it is trained."""
    return LeviHassner(read_caffemodel(files["weights"].read_bytes())).eval()
