"""Savchenko's HSE FaceRes (MobileNet-v1 of 224 px) as the human package stores it: a TensorFlow.js
graph, run node by node in torch."""

import base64
import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from softbio.evaluators.registry import EvaluatorSpec
from softbio.evaluators.tensorflow import conv_same, convolution, read_shards

OUTPUTS = {
    "gender": "gender_pred/Sigmoid",
    "matcher": "global_pooling/Mean",
    "age": "age_pred/Softmax",
}
CONVOLUTIONS = ("Conv2D", "DepthwiseConv2dNative")
BINARY = {"Add": torch.add, "AddV2": torch.add, "Mul": torch.mul}
BINARY |= {"Minimum": torch.minimum, "Maximum": torch.maximum}
UNARY = {"Relu": F.relu, "Relu6": F.relu6, "Sigmoid": torch.sigmoid, "Identity": lambda x: x}


@dataclass
class Step:
    """A node of the graph, perhaps with those behind it: a bias, the bounds of a Relu."""

    node: dict[str, Any]
    inputs: list[str]
    gives: str
    bias: str | None = None
    bounds: tuple[float, float] = (0.0, math.inf)

    @property
    def kind(self) -> str:
        return str(self.node["op"])

    def takes(self, other: "Step", constants: dict[str, Tensor]) -> bool:
        """Make the one step behind this one a part of it, where that is the same function in fewer
        passes over the pixels; False where it is not."""
        value = constants.get(other.inputs[1]) if len(other.inputs) == 2 else None
        if value is None:
            return False
        if self.kind in CONVOLUTIONS and self.bias is None and value.ndim == 1:
            if other.kind == "Mul":
                kernel = self.inputs[1]
                constants[kernel] = constants[kernel] * value[:, None, None, None]
                return True
            self.bias = other.inputs[1] if other.kind in ("Add", "AddV2") else None
            return self.bias is not None
        if self.kind == "Relu" and other.kind in ("Minimum", "Maximum") and value.numel() == 1:
            bound = min if other.kind == "Minimum" else max
            self.bounds = tuple(bound(each, value.item()) for each in self.bounds)
            return True
        return False


def _steps(order: list[dict[str, Any]], constants: dict[str, Tensor]) -> list[Step]:
    """The nodes that are no constants, in this order, joined where they can be."""
    users = Counter(name for node in order for name in node.get("input", ()))
    steps: list[Step] = []
    known: dict[str, Step] = {}
    for node in order:
        if node["op"] == "Const":
            continue
        step = Step(node, list(node.get("input", ())), str(node["name"]))
        first = known.get(step.inputs[0]) if step.inputs else None
        # nothing else may want what is joined, nor a kernel that is scaled
        alone = first and all(users[name] == 1 for name in (first.gives, *first.inputs[1:]))
        if alone and first.takes(step, constants):
            first.gives = step.gives
            step = first
        else:
            steps.append(step)
        known[step.gives] = step
    return steps


class Graph(nn.Module):
    """A frozen graph in NHWC, run in NCHW: what `output` needs, in the order it is needed."""

    def __init__(
        self, nodes: list[dict[str, Any]], weights: Mapping[str, np.ndarray], output: str
    ) -> None:
        super().__init__()
        by_name = {str(node["name"]): node for node in nodes}
        order = _ordered(by_name, output)
        kernels = {
            node["input"][1]: node["op"].startswith("Depthwise")
            for node in order
            if node["op"] in CONVOLUTIONS
        }
        constants = {}
        for name in (node["name"] for node in order if node["op"] == "Const"):
            values = weights[name]
            if name in kernels:
                constants[name] = convolution(values, kernels[name])
            else:
                constants[name] = torch.from_numpy(np.array(values))
        self.output, self.steps = output, _steps(order, constants)
        self.places = {name: f"w{number}" for number, name in enumerate(constants)}
        for name, tensor in constants.items():
            self.register_buffer(self.places[name], tensor)

    def forward(self, x: Tensor) -> Tensor:
        found = {name: self.get_buffer(place) for name, place in self.places.items()}
        for step in self.steps:
            inputs = [found[name] for name in step.inputs]
            bias = found[step.bias] if step.bias else None
            found[step.gives] = self._run(step, inputs, bias, x)
        return found[self.output]

    def _run(self, step: Step, inputs: list[Tensor], bias: Tensor | None, x: Tensor) -> Tensor:
        kind, node = step.kind, step.node
        if kind == "Placeholder":
            return x
        if kind == "Relu":
            low, high = step.bounds
            return F.relu(inputs[0]) if high == math.inf else inputs[0].clamp(low, high)
        if kind in UNARY:
            return UNARY[kind](inputs[0])
        if kind in BINARY:
            return BINARY[kind](inputs[0], _per_channel(inputs[1], inputs[0]))
        if kind in CONVOLUTIONS:
            return conv_same(inputs[0], inputs[1], bias, _stride(node))
        if kind == "Mean":
            return inputs[0].mean((2, 3))
        if kind == "_FusedMatMul":
            y = inputs[0] @ inputs[1] + inputs[2]
            return F.relu(y) if b"Relu" in _strings(node, "fused_ops") else y
        if kind == "Softmax":
            return torch.softmax(inputs[0], dim=-1)
        raise ValueError(f"the graph's {node['name']} is a {kind}, which is not known here")


class Years(nn.Module):
    """P(age = k) of the years 0.. (N, K) -> the expected age, (N,)."""

    def forward(self, x: Tensor) -> Tensor:
        return x @ torch.arange(x.shape[1], dtype=x.dtype, device=x.device)


def _ordered(by_name: Mapping[str, dict[str, Any]], output: str) -> list[dict[str, Any]]:
    """The nodes that the output needs, each after its inputs; raises ValueError for a circle."""
    order: list[dict[str, Any]] = []
    state: dict[str, str] = {}
    waiting = [output]
    while waiting:
        name = waiting[-1]
        inputs = by_name[name].get("input", [])
        fresh = [one for one in inputs if one not in state]
        if name not in state and fresh:
            if len(waiting) > len(by_name):
                raise ValueError("the graph runs in a circle")
            waiting += fresh[:1]
            continue
        if waiting.pop() not in state:
            state[name] = "done"
            order.append(by_name[name])
    return order


def _per_channel(value: Tensor, beside: Tensor) -> Tensor:
    return value[:, None, None] if value.ndim == 1 and beside.ndim == 4 else value


def _strings(node: dict[str, Any], key: str) -> list[bytes]:
    return [base64.b64decode(text) for text in node["attr"][key]["list"].get("s", ())]


def _stride(node: dict[str, Any]) -> int:
    """The stride; raises ValueError for a convolution of a kind that the executor does not do."""
    attributes = node["attr"]
    strides = [int(step) for step in attributes["strides"]["list"]["i"]]
    dilations = [int(step) for step in attributes["dilations"]["list"]["i"]]
    plain = base64.b64decode(attributes["padding"]["s"]) == b"SAME" and set(dilations) == {1}
    if not plain or strides[1] != strides[2]:
        raise ValueError(f"the graph's {node['name']} is not a plain convolution")
    return strides[1]


def load(files: Mapping[str, Path], spec: EvaluatorSpec) -> nn.Module:
    """P(male) (N,) for a gender classifier, the pooled features (N, 1024) for a matcher, years (N,)
    for an age estimator."""
    graph = json.loads(files["topology"].read_bytes())
    weights = read_shards(graph["weightsManifest"][0]["weights"], files["weights"].read_bytes())
    network = Graph(graph["modelTopology"]["node"], weights, OUTPUTS[spec.kind]).eval()
    behind = {"gender": [nn.Flatten(0)], "age": [Years()]}
    return nn.Sequential(network, *behind.get(spec.kind, []))
