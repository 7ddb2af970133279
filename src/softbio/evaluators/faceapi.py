"""What the networks of face-api.js share: how their weights are stored, and their layers.

Ported from https://github.com/justadudewhohacks/face-api.js (MIT).
"""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from softbio.evaluators.tensorflow import conv_same, convolution, read_shards


def read_weights(files: Mapping[str, Path]) -> dict[str, np.ndarray]:
    """The tensors of a `weights` file and its `manifest`; raises ValueError for what is neither."""
    groups = json.loads(files["manifest"].read_bytes())
    if len(groups) != 1:
        raise ValueError("more than one group of shards")
    return read_shards(groups[0]["weights"], files["weights"].read_bytes())


class Layers(nn.Module):
    """Tensors as buffers by their published names, and the layers that read them by prefix."""

    def __init__(self, weights: Mapping[str, np.ndarray]) -> None:
        super().__init__()
        for name, values in weights.items():
            if values.ndim == 4:
                tensor = convolution(values, depthwise=name.endswith("depthwise_filter"))
            else:
                tensor = torch.from_numpy(np.ascontiguousarray(values))
            self.register_buffer(name.replace("/", "_"), tensor)

    def weight(self, name: str) -> Tensor:
        """A tensor by its published name; KeyError where there is none."""
        try:
            return self.get_buffer(name.replace("/", "_"))
        except AttributeError:
            raise KeyError(name) from None

    def conv(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        """A convolution with bias and SAME padding."""
        return conv_same(x, self.weight(f"{name}/filters"), self.weight(f"{name}/bias"), stride)

    def separable(self, x: Tensor, name: str, stride: int = 1) -> Tensor:
        """Depthwise, then pointwise with bias."""
        x = conv_same(x, self.weight(f"{name}/depthwise_filter"), None, stride)
        return conv_same(x, self.weight(f"{name}/pointwise_filter"), self.weight(f"{name}/bias"))

    def linear(self, x: Tensor, name: str) -> Tensor:
        """A fully connected layer."""
        return x @ self.weight(f"{name}/weights") + self.weight(f"{name}/bias")
