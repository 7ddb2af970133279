"""What TensorFlow.js does otherwise than torch: its shards of weights, its layouts, its padding."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

KINDS = {"float32": "<f4", "float16": "<f2", "uint8": "|u1", "uint16": "<u2", "int32": "<i4"}
MAX_VALUES = 100_000_000


def read_shards(weights: Sequence[dict[str, Any]], content: bytes) -> dict[str, np.ndarray]:
    """Tensors, float32 or int32, out of concatenated shards.

    weights: as in a weights manifest: name, shape, dtype and perhaps quantization (value =
    q * scale + min of uint8 or uint16 q, or float16). Raises ValueError for what does not fit.
    """
    found: dict[str, np.ndarray] = {}
    at = 0
    for entry in weights:
        name, shape = str(entry["name"]), [int(side) for side in entry["shape"]]
        quantization = entry.get("quantization", {})
        stored = quantization.get("dtype", entry["dtype"])
        if stored not in KINDS or entry["dtype"] not in ("float32", "int32"):
            raise ValueError(f"{name} is of the unknown type {stored}")
        count = math.prod(shape)
        if any(side < 0 for side in shape) or count > MAX_VALUES or name in found:
            raise ValueError(f"{name} has the impossible shape {shape}, or is there twice")
        kind = np.dtype(KINDS[stored])
        end = at + count * kind.itemsize
        if end > len(content):
            raise ValueError(f"{name} reaches beyond the {len(content):,} bytes that there are")
        values = np.frombuffer(content, kind, count, at).reshape(shape)
        values = values.astype(np.int32 if entry["dtype"] == "int32" else np.float32)
        if "scale" in quantization:
            values = values * np.float32(quantization["scale"]) + np.float32(quantization["min"])
        found[name], at = values, end
    if at != len(content):
        raise ValueError(f"{len(content) - at:,} bytes are left over")
    return found


def convolution(kernel: np.ndarray, depthwise: bool = False) -> Tensor:
    """HWIO, or HWCM of a depthwise one, to torch's OIHW."""
    axes = (2, 3, 0, 1) if depthwise else (3, 2, 0, 1)
    moved = np.ascontiguousarray(kernel.transpose(axes))
    return torch.from_numpy(moved.reshape(-1, 1, *moved.shape[2:]) if depthwise else moved)


def pad_same(x: Tensor, kernel: int, stride: int, value: float = 0.0) -> Tensor:
    """TensorFlow's SAME padding: ceil(side / stride) outputs; the odd row and column come last."""
    pads = []
    for side in (x.shape[-1], x.shape[-2]):
        need = max((math.ceil(side / stride) - 1) * stride + kernel - side, 0)
        pads += [need // 2, need - need // 2]
    return F.pad(x, pads, value=value) if any(pads) else x


def conv_same(x: Tensor, weight: Tensor, bias: Tensor | None, stride: int = 1) -> Tensor:
    """A convolution with SAME padding; depthwise where the weight has one input channel."""
    groups = x.shape[1] // weight.shape[1]
    return F.conv2d(pad_same(x, weight.shape[-1], stride), weight, bias, stride, groups=groups)


def max_pool_same(x: Tensor, kernel: int, stride: int) -> Tensor:
    """Max pooling with SAME padding, which never wins."""
    return F.max_pool2d(pad_same(x, kernel, stride, -math.inf), kernel, stride)
