"""The code for a GPU where there is none, on the simulated one: nothing mixes devices, no step of
a training is waited for, and what is computed is what a CPU computes."""

import json
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from torch.utils import backend_registration

from tests.conftest import ROOT
from tests.project import environment

pytestmark = pytest.mark.skipif(
    not hasattr(backend_registration, "_setup_privateuseone_for_python_backend"),
    reason="this torch takes no devices written in Python",
)


def run(*arguments: str) -> str:
    """What Python prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=ROOT, env=environment(), capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()[-1]


def computed(work, trained, prey, folder) -> dict:
    return json.loads(
        run("-m", "tests.privacy.on_gpu", work, *map(str, (trained.folder, prey, folder)))
    )


@pytest.mark.parametrize("work", ["ranks", "auxiliaries", "san", "privacynet"])
def test_a_training_waits_for_no_step(work, trained, prey, tmp_path):
    """It may at an epoch's begin; an epoch here has four steps or more."""
    found = computed(work, trained, prey, tmp_path)
    assert found["epochs"] > 0
    often = {place: n for place, n in found["waits"].items() if n > 2 * found["epochs"]}
    assert not often
    if work != "privacynet":
        assert found["same"]
        assert not found["other"]


def test_privacynet_learns_the_same_but_for_rounding(trained, prey, tmp_path):
    """Its second derivatives are summed in another order there."""
    computed("privacynet", trained, prey, tmp_path)
    first = [pd.read_csv(tmp_path / name / "history.csv").iloc[0] for name in ("cpu", "gpu")]
    lines = [line.drop(["images_per_second", "seconds"]).astype(float) for line in first]
    np.testing.assert_allclose(lines[1], lines[0], rtol=0.01)


@pytest.mark.parametrize("work", ["interrupted", "protectors", "judges", "attacks"])
def test_what_else_computes_there_gives_the_same(work, trained, prey, tmp_path):
    found = computed(work, trained, prey, tmp_path)
    assert found["same"]
    assert not found["other"]


FAULTS = """
import torch
from tests.simulated_gpu import simulated_gpu
with simulated_gpu() as gpu:
    gpu.watched = True
    here = torch.arange(6.0)
    there = here.to("gpu")
    assert there.device.type == "gpu" and here.device.type == "cpu"
    places, mask = torch.tensor([0, 2]), here > 3
    gpu.waits.clear()
    {code}
    print(sum(gpu.waits.values()))
"""


@pytest.mark.parametrize(
    ("code", "waits"),
    [
        ("(there * 2 + 1).sum()", 0),
        ("there[1:].add_(1); there + torch.zeros((), device='gpu')", 0),
        ("here.pin_memory().to('gpu', non_blocking=True)", 0),
        ("there[places.pin_memory().to('gpu', non_blocking=True)]", 0),
        ("there * torch.tensor(2.0)", 0),
        ("here.to('gpu')", 1),
        ("here.to('gpu', non_blocking=True)", 1),
        ("torch.tensor([1.0, 2.0], device='gpu')", 1),
        ("there.sum().item()", 1),
        ("bool((there > 3).any())", 1),
        ("there.tolist()", 1),
        ("there.cpu()", 1),
        ("there.nonzero()", 1),
        ("there[there > 3]", 1),
        ("there[places]", 1),
        ("there[places] = 0.0", 1),
    ],
)
def test_the_device_notes_what_waits(code, waits):
    assert run("-c", FAULTS.format(code=code)) == str(waits)


@pytest.mark.parametrize("code", ["there + here", "torch.where(mask, there, there)"])
def test_the_device_refuses_operands_on_two(code):
    with pytest.raises(AssertionError, match="one operand is on the GPU, another on the CPU"):
        run("-c", FAULTS.format(code=code))


def test_the_device_differentiates_as_a_cpu_does():
    code = """
net, x = torch.nn.Sequential(torch.nn.Conv2d(1, 3, 3), torch.nn.BatchNorm2d(3)), None
copy = __import__("copy").deepcopy(net).to("gpu")
x = torch.rand(4, 1, 6, 6)
for each, faces in ((net, x), (copy, x.to("gpu"))):
    each(faces).square().sum().backward()
    torch.optim.Adam(each.parameters(), fused=True).step()
pairs = zip(net.parameters(), copy.parameters())
assert all(p.device.type == "gpu" and torch.equal(o, p.detach().cpu()) for o, p in pairs)
"""
    lines = code.strip().replace("\n", "\n    ")
    assert int(run("-c", FAULTS.format(code=lines))) > 0
