"""Savchenko's HSE FaceRes (MobileNet-v1 of 224 px) as the human package stores it: a TensorFlow.js
graph, run node by node in torch."""

import base64
import json
from collections.abc import Mapping
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
BINARY = {"Add": torch.add, "AddV2": torch.add, "Mul": torch.mul}
BINARY |= {"Minimum": torch.minimum, "Maximum": torch.maximum}
UNARY = {"Relu": F.relu, "Relu6": F.relu6, "Sigmoid": torch.sigmoid, "Identity": lambda x: x}


class Graph(nn.Module):
    """A frozen graph in NHWC, run in NCHW: what `output` needs, in the order it is needed."""

    def __init__(
        self, nodes: list[dict[str, Any]], weights: Mapping[str, np.ndarray], output: str
    ) -> None:
        super().__init__()
        by_name = {str(node["name"]): node for node in nodes}
        self.output, self.order = output, _ordered(by_name, output)
        self.places = {}
        kernels = {
            node["input"][1]: node["op"].startswith("Depthwise")
            for node in self.order
            if "Conv2" in node["op"] or "Conv2d" in node["op"]
        }
        for node in self.order:
            if node["op"] != "Const":
                continue
            values = weights[node["name"]]
            if node["name"] in kernels:
                tensor = convolution(values, kernels[node["name"]])
            else:
                tensor = torch.from_numpy(np.array(values))
            self.places[node["name"]] = f"w{len(self.places)}"
            self.register_buffer(self.places[node["name"]], tensor)

    def forward(self, x: Tensor) -> Tensor:
        found: dict[str, Tensor] = {}
        for node in self.order:
            inputs = [found[name] for name in node.get("input", ())]
            found[node["name"]] = self._run(node, inputs, x)
        return found[self.output]

    def _run(self, node: dict[str, Any], inputs: list[Tensor], x: Tensor) -> Tensor:
        kind = node["op"]
        if kind == "Const":
            return self.get_buffer(self.places[node["name"]])
        if kind == "Placeholder":
            return x
        if kind in UNARY:
            return UNARY[kind](inputs[0])
        if kind in BINARY:
            return BINARY[kind](inputs[0], _per_channel(inputs[1], inputs[0]))
        if kind in ("Conv2D", "DepthwiseConv2dNative"):
            return conv_same(inputs[0], inputs[1], None, _stride(node))
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
