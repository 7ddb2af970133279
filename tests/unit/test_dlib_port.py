"""The port of dlib's face recognition net, on random weights of the published shapes."""

import json

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from softbio.evaluators import dlib_resnet
from softbio.evaluators.dlib_resnet import BLOCKS, DlibResNet
from softbio.evaluators.registry import load_evaluators
from softbio.evaluators.tensorflow import read_shards


def dlib_weights() -> tuple[list[dict], bytes]:
    """A manifest and random weights of the published shapes."""
    sizes = {"conv32_down/conv": (7, 3, 32)}
    width = 32
    for name in BLOCKS:
        wide = int(name.split("_")[0])
        sizes |= {
            f"conv{name}/conv1/conv": (3, width, wide),
            f"conv{name}/conv2/conv": (3, wide, wide),
        }
        width = wide
    entries, content = [], b""
    rng = np.random.default_rng(0)
    tensors = {}
    for name, (k, i, o) in sizes.items():
        scale = name.removesuffix("/conv") + "/scale"
        tensors[f"{name}/filters"] = rng.normal(0, (k * k * i) ** -0.5, (k, k, i, o))
        tensors |= {f"{name}/bias": rng.normal(0, 0.1, o), f"{scale}/biases": rng.normal(0, 0.1, o)}
        tensors[f"{scale}/weights"] = rng.uniform(0.5, 1.5, o)
    tensors["fc"] = rng.normal(size=(256, 128))
    for name, values in tensors.items():
        entries.append({"name": name, "shape": list(values.shape), "dtype": "float32"})
        content += values.astype("<f4").tobytes()
    return entries, content


def test_the_dlib_port_is_read_from_files_and_differentiable(tmp_path):
    entries, content = dlib_weights()
    (tmp_path / "w.bin").write_bytes(content)
    (tmp_path / "w.json").write_text(json.dumps([{"paths": ["w.bin"], "weights": entries}]))
    files = {"weights": tmp_path / "w.bin", "manifest": tmp_path / "w.json"}
    network = dlib_resnet.load(files, load_evaluators()["dlib_resnet"])
    assert isinstance(network, DlibResNet)
    x = torch.rand(2, 3, 150, 150, requires_grad=True)
    y = network(x)
    assert y.shape == (2, 128)
    y.square().sum().backward()
    assert x.grad.abs().sum() > 0
    assert not list(network.parameters()), "a frozen net has nothing to train"


def test_the_dlib_port_scales_and_shifts_what_it_convolved():
    entries, content = dlib_weights()
    weights = read_shards(entries, content)
    x = torch.rand(1, 3, 40, 40)
    filters = torch.from_numpy(weights["conv32_down/conv/filters"]).permute(3, 2, 0, 1)
    convolved = F.conv2d(x, filters, stride=2)[0].permute(1, 2, 0).numpy()
    scale, shift = (weights[f"conv32_down/scale/{kind}"] for kind in ("weights", "biases"))
    expected = (convolved + weights["conv32_down/conv/bias"]) * scale + shift
    found = DlibResNet(weights).convolved(x, "conv32_down", 2, 0)[0].permute(1, 2, 0)
    np.testing.assert_allclose(found, expected, atol=1e-5)
    del weights["conv32_down/scale/biases"]
    with pytest.raises(KeyError, match="conv32_down/scale/biases"):
        DlibResNet(weights)
