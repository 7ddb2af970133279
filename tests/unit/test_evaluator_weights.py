"""Weights in foreign formats: TensorFlow.js shards, its padding and graphs, Caffe's protobuf."""

import base64
import math
import struct
from contextlib import suppress

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.evaluators.caffe import read_caffemodel
from softbio.evaluators.faceres import Graph
from softbio.evaluators.tensorflow import conv_same, convolution, max_pool_same, read_shards

QUANTISED = {"dtype": "uint8", "scale": 0.5, "min": -1.0}


def test_shards_are_decoded_in_their_order():
    weights = [
        {"name": "a", "shape": [2, 2], "dtype": "float32", "quantization": QUANTISED},
        {"name": "b", "shape": [2], "dtype": "float32"},
        {"name": "c", "shape": [], "dtype": "float32", "quantization": {"dtype": "float16"}},
        {"name": "d", "shape": [1], "dtype": "int32"},
    ]
    content = bytes([0, 1, 2, 255]) + struct.pack("<2f", 1.5, -2) + struct.pack("<e", 0.25)
    found = read_shards(weights, content + struct.pack("<i", -7))
    assert found["a"].tolist() == [[-1, -0.5], [0, 126.5]]
    assert found["b"].tolist() == [1.5, -2]
    assert found["c"] == 0.25
    assert found["d"].tolist() == [-7]
    assert {v.dtype.name for v in found.values()} == {"float32", "int32"}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"shape": [3]}, "reaches beyond"),
        ({"shape": [1]}, "left over"),
        ({"shape": [-2]}, "impossible shape"),
        ({"shape": [2**40, 2**40]}, "impossible shape"),
        ({"dtype": "object"}, "unknown type"),
        ({"quantization": {"dtype": "O", "scale": 1, "min": 0}}, "unknown type"),
    ],
)
def test_shards_that_do_not_fit_are_refused(change, message):
    entry = {"name": "a", "shape": [2], "dtype": "float32"} | change
    with pytest.raises(ValueError, match=message):
        read_shards([entry], bytes(8))


def slow_same(x: np.ndarray, kernel: np.ndarray, stride: int) -> np.ndarray:
    """TensorFlow's definition, (H, W, I) by (k, k, I, O), one output at a time."""
    height, width, _ = x.shape
    k = len(kernel)
    out = np.zeros((math.ceil(height / stride), math.ceil(width / stride), kernel.shape[3]))
    before = [
        max((n - 1) * stride + k - side, 0) // 2
        for n, side in zip(out.shape, (height, width), strict=False)
    ]
    for row, column in np.ndindex(*out.shape[:2]):
        for i, j in np.ndindex(k, k):
            y, z = row * stride + i - before[0], column * stride + j - before[1]
            if 0 <= y < height and 0 <= z < width:
                out[row, column] += x[y, z] @ kernel[i, j]
    return out


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 9), st.integers(1, 9), st.integers(1, 5), st.integers(1, 3))
def test_same_padding_is_tensorflows(height, width, k, stride):
    rng = np.random.default_rng(height + 10 * width)
    x = rng.normal(size=(height, width, 2)).astype(np.float32)
    kernel = rng.normal(size=(k, k, 2, 3)).astype(np.float32)
    found = conv_same(torch.from_numpy(x).permute(2, 0, 1)[None], convolution(kernel), None, stride)
    np.testing.assert_allclose(
        found[0].permute(1, 2, 0), slow_same(x, kernel, stride), rtol=1e-4, atol=1e-5
    )
    # a depthwise one is one for each channel, and padding never wins a maximum
    depthwise = conv_same(
        torch.from_numpy(x).permute(2, 0, 1)[None],
        convolution(kernel[..., :1], depthwise=True),
        None,
        stride,
    )
    alone = slow_same(x[..., 1:], kernel[:, :, 1:, :1], stride)
    np.testing.assert_allclose(depthwise[0, 1], alone[..., 0], rtol=1e-4, atol=1e-5)
    assert max_pool_same(-torch.ones(1, 1, height, width), k, stride).max() == -1


def varint(value: int) -> bytes:
    out = b""
    while value > 127:
        out, value = out + bytes([value & 127 | 128]), value >> 7
    return out + bytes([value])


def field(number: int, content: bytes | int) -> bytes:
    if isinstance(content, int):
        return varint(number << 3) + varint(content)
    return varint(number << 3 | 2) + varint(len(content)) + content


def blob(values: list[float], shape: list[int], legacy: bool) -> bytes:
    data = field(5, struct.pack(f"<{len(values)}f", *values))
    if legacy:
        sides = [1] * (4 - len(shape)) + shape
        return b"".join(field(n, side) for n, side in enumerate(sides, 1)) + data
    return data + field(7, field(1, b"".join(map(varint, shape))))


def caffemodel(legacy: bool) -> bytes:
    name, blobs, layers = (4, 6, 2) if legacy else (1, 7, 100)
    weights = blob([1, 2, 3, 4, 5, 6], [2, 3], legacy)
    conv = field(name, b"conv1") + field(blobs, weights) + field(blobs, blob([7, 8], [2], legacy))
    # a field of 4 bytes that is not known, and a layer without weights
    other = varint(9 << 3 | 5) + bytes(4)
    return field(1, b"net") + other + field(layers, conv) + field(layers, field(name, b"relu"))


@pytest.mark.parametrize("legacy", [True, False])
def test_a_caffemodel_is_read(legacy):
    found = read_caffemodel(caffemodel(legacy))
    assert found.keys() == {"conv1"}
    weight, bias = found["conv1"]
    assert weight.reshape(2, 3).tolist() == [[1, 2, 3], [4, 5, 6]]
    assert bias.reshape(-1).tolist() == [7, 8]
    assert weight.shape == ((1, 1, 2, 3) if legacy else (2, 3))


@pytest.mark.parametrize("legacy", [True, False])
def test_a_truncated_caffemodel_is_refused_or_holds_whole_layers(legacy):
    content = caffemodel(legacy)
    refused = 0
    for end in range(len(content)):
        try:
            assert read_caffemodel(content[:end]).keys() <= {"conv1"}
        except ValueError:
            refused += 1
    assert refused > len(content) / 2


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_no_bytes_bring_the_caffe_reader_down(content):
    with suppress(ValueError):  # UnicodeDecodeError is one
        read_caffemodel(content)


@pytest.mark.parametrize(
    "content",
    [
        field(100, field(1, b"x") + field(7, blob([1, 2], [2**62, 4], False))),
        field(100, field(1, b"x") + field(7, blob([1, 2], [3], True))),
        varint(100 << 3 | 2) + varint(2**60),
        b"\xff" * 30,
        field(100, field(1, b"a") + field(7, blob([1], [1], False))) * 2,
        varint(1 << 3 | 3),
    ],
)
def test_a_hostile_caffemodel_is_refused(content):
    with pytest.raises(ValueError, match=r"."):
        read_caffemodel(content)


def text(value: str) -> str:
    return base64.b64encode(value.encode()).decode()


def graph_nodes() -> list[dict]:
    def conv(name, op, x, kernel, stride):
        steps = {"list": {"i": ["1", str(stride), str(stride), "1"]}}
        ones = {"list": {"i": ["1"] * 4}}
        attr = {"strides": steps, "dilations": ones, "padding": {"s": text("SAME")}}
        return {"name": name, "op": op, "input": [x, kernel], "attr": attr}

    fused = {"fused_ops": {"list": {"s": [text("BiasAdd"), text("Relu")]}}}
    return [
        {"name": "out", "op": "Sigmoid", "input": ["dense"]},
        {"name": "dense", "op": "_FusedMatMul", "input": ["mean", "m", "b"], "attr": fused},
        {"name": "mean", "op": "Mean", "input": ["add", "axes"]},
        {"name": "add", "op": "Add", "input": ["dw", "shift"]},
        conv("dw", "DepthwiseConv2dNative", "conv", "d", 1),
        conv("conv", "Conv2D", "in", "k", 2),
        {"name": "in", "op": "Placeholder"},
        *({"name": name, "op": "Const"} for name in ("k", "d", "shift", "axes", "m", "b")),
    ]


def test_a_graph_is_run_in_the_order_it_needs():
    rng = np.random.default_rng(0)
    shapes = {"k": (3, 3, 3, 4), "d": (3, 3, 4, 1), "shift": (4,), "m": (4, 1), "b": (1,)}
    weights = {name: rng.normal(size=shape).astype(np.float32) for name, shape in shapes.items()}
    weights["axes"] = np.array([1, 2], np.int32)
    x = rng.normal(size=(7, 7, 3)).astype(np.float32)
    network = Graph(graph_nodes(), weights, "out")
    found = network(torch.from_numpy(x).permute(2, 0, 1)[None])
    y = slow_same(x, weights["k"], 2)
    y = np.dstack([slow_same(y[..., [c]], weights["d"][:, :, [c]], 1) for c in range(4)])
    dense = (y + weights["shift"]).mean((0, 1)) @ weights["m"] + weights["b"]
    assert found.item() == pytest.approx(1 / (1 + np.exp(-max(dense[0], 0))), rel=1e-4)


# what stands between the depthwise convolution and the mean, and how many steps are left of the
# graph: six of its other nodes, and what is not joined
SHIFT, SCALE = ("Add", "shift"), ("Mul", "scale")
SIX = ("Minimum", "six")
BEHIND = {
    "clipped as Relu6": ([SCALE, SHIFT, ("Relu",), SIX, ("Maximum", "zero")], 7),
    "a lower bound alone": ([("Relu",), ("Maximum", "six")], 7),
    "bounds that cross": ([("Relu",), SIX, ("Maximum", "nine")], 7),
    "shifted, then scaled": ([SHIFT, SCALE], 7),
    "shifted twice": ([SHIFT, SHIFT], 7),
    "the least of it": ([SIX, ("Relu",)], 8),
}


@pytest.mark.parametrize("name", sorted(BEHIND))
def test_joined_steps_give_what_the_nodes_do_one_by_one(name):
    nodes, weights = graph_nodes(), {"axes": np.array([1, 2], np.int32)}
    rng = np.random.default_rng(1)
    shapes = {"k": (3, 3, 3, 4), "d": (3, 3, 4, 1), "shift": (4,), "scale": (4,)}
    shapes |= {"m": (4, 1), "b": (1,)}
    weights |= {key: rng.normal(size=shape).astype(np.float32) for key, shape in shapes.items()}
    weights |= {"six": np.float32(6), "zero": np.float32(0), "nine": np.float32(9)}
    weights["d"] *= 5
    chain, count = BEHIND[name]
    last = "dw"
    for place, (op, *value) in enumerate(chain):
        nodes.append({"name": f"n{place}", "op": op, "input": [last, *value]})
        last = f"n{place}"
    nodes += [{"name": key, "op": "Const"} for key in ("scale", "six", "zero", "nine")]
    next(node for node in nodes if node["name"] == "mean")["input"][0] = last
    x = rng.normal(size=(7, 7, 3)).astype(np.float32)
    y = slow_same(x, weights["k"], 2)
    y = np.dstack([slow_same(y[..., [c]], weights["d"][:, :, [c]], 1) for c in range(4)])
    plain = {"Add": np.add, "Mul": np.multiply, "Minimum": np.minimum, "Maximum": np.maximum}
    for op, *value in chain:
        y = np.maximum(y, 0) if op == "Relu" else plain[op](y, weights[value[0]])
    dense = y.mean((0, 1)) @ weights["m"] + weights["b"]
    network = Graph(nodes, weights, "out")
    found = network(torch.from_numpy(x).permute(2, 0, 1)[None])
    assert found.item() == pytest.approx(1 / (1 + np.exp(-max(dense[0], 0))), rel=1e-4)
    assert len(network.steps) == count


def test_what_two_nodes_want_is_not_joined():
    nodes = [
        {"name": "out", "op": "Add", "input": ["bounded", "relu"]},
        {"name": "bounded", "op": "Minimum", "input": ["relu", "one"]},
        {"name": "relu", "op": "Relu", "input": ["in"]},
        {"name": "in", "op": "Placeholder"},
        {"name": "one", "op": "Const"},
    ]
    network = Graph(nodes, {"one": np.float32(1)}, "out")
    assert network(torch.tensor([[-1.0, 0.5, 3.0]])).tolist() == [[0.0, 1.0, 4.0]]


def test_a_graph_in_a_circle_or_of_unknown_kinds_is_refused():
    circle = [{"name": n, "op": "Relu", "input": [m]} for n, m in (("a", "b"), ("b", "a"))]
    with pytest.raises(ValueError, match="circle"):
        Graph(circle, {}, "a")
    unknown = [{"name": "a", "op": "Exec", "input": ["x"]}, {"name": "x", "op": "Placeholder"}]
    with pytest.raises(ValueError, match="Exec"):
        Graph(unknown, {}, "a")(torch.zeros(1))
    with pytest.raises(KeyError):
        Graph([], {}, "a")
