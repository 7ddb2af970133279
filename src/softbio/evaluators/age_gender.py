"""face-api.js' age and gender: a tiny Xception of 112 px, 430 KB of 8-bit weights."""

from collections.abc import Mapping
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from softbio.evaluators.faceapi import Layers, read_weights
from softbio.evaluators.registry import EvaluatorSpec
from softbio.evaluators.tensorflow import max_pool_same


class AgeGender(Layers):
    """(N, 3, 112, 112) -> P(male) (N,)."""

    def reduction(self, x: Tensor, name: str, activate: bool = True) -> Tensor:
        out = self.separable(F.relu(x) if activate else x, f"{name}/separable_conv0")
        out = self.separable(F.relu(out), f"{name}/separable_conv1")
        return max_pool_same(out, 3, 2) + self.conv(x, f"{name}/expansion_conv", 2)

    def main(self, x: Tensor, name: str) -> Tensor:
        out = x
        for number in range(3):
            out = self.separable(F.relu(out), f"{name}/separable_conv{number}")
        return out + x

    def features(self, x: Tensor) -> Tensor:
        """(N, 512)."""
        x = F.relu(self.conv(x, "entry_flow/conv_in", 2))
        x = self.reduction(x, "entry_flow/reduction_block_0", activate=False)
        x = self.reduction(x, "entry_flow/reduction_block_1")
        for number in range(2):
            x = self.main(x, f"middle_flow/main_block_{number}")
        x = self.reduction(x, "exit_flow/reduction_block")
        x = F.relu(self.separable(x, "exit_flow/separable_conv"))
        return F.avg_pool2d(x, 7, 2).flatten(1)

    def forward(self, x: Tensor) -> Tensor:
        # index 0 is male
        return torch.softmax(self.linear(self.features(x), "fc/gender"), dim=1)[:, 0]

    def ages(self, x: Tensor) -> Tensor:
        """Years, (N,)."""
        return self.linear(self.features(x), "fc/age")[:, 0]


class Ages(AgeGender):
    """(N, 3, 112, 112) -> years, (N,)."""

    def forward(self, x: Tensor) -> Tensor:
        return self.ages(x)


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> AgeGender:
    """The network in evaluation mode, its weights as buffers: nothing of it is trained."""
    return (Ages if spec.kind == "age" else AgeGender)(read_weights(files)).eval()
