"""What a run notes of its machine, as far as one without a GPU can show it."""

import warnings

import pytest
import torch

from softbio.engine.device import Determinism, hardware


def used(name: str) -> None:
    """Warn as torch does of a kernel, from one place."""
    text = f"{name} does not have a deterministic implementation, but you set"
    warnings.warn(
        f"{text} 'torch.use_deterministic_algorithms(True, warn_only=True)'", stacklevel=1
    )


@pytest.mark.parametrize("action", ["default", "once", "ignore", "error"])
def test_a_kernel_is_noted_in_every_training_whatever_is_filtered(action):
    """Python itself shows a warning of one place once, and none where it is told so."""
    with warnings.catch_warnings():
        warnings.simplefilter(action)
        for _ in range(2):
            with Determinism() as determinism:
                used("made_up_kernel")
                used("another")
                used("made_up_kernel")
            assert determinism.missing == ["another", "made_up_kernel"]


def test_other_warnings_are_left_to_their_filters():
    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("ignore", DeprecationWarning)
        before, show = list(warnings.filters), warnings.showwarning
        with Determinism() as determinism:
            warnings.warn("of something else", UserWarning, stacklevel=1)
            warnings.warn("of old age", DeprecationWarning, stacklevel=1)
        assert (list(warnings.filters), warnings.showwarning) == (before, show)
    assert [str(each.message) for each in shown] == ["of something else"]
    assert determinism.missing == []


def test_another_build_of_the_gpus_libraries_is_other_hardware(monkeypatch):
    """They choose the kernels, and thereby the order of sums: a run that goes on says so."""
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda device: "NVIDIA X")
    found = set()
    for cuda, cudnn in (("12.6", 90100), ("12.8", 90100), ("12.8", 91002)):
        monkeypatch.setattr(torch.version, "cuda", cuda)
        monkeypatch.setattr(torch.backends.cudnn, "version", lambda cudnn=cudnn: cudnn)
        found.add(hardware(torch.device("cuda")))
    assert found == {
        *("NVIDIA X, CUDA 12.6, cuDNN 90100", "NVIDIA X, CUDA 12.8, cuDNN 90100"),
        "NVIDIA X, CUDA 12.8, cuDNN 91002",
    }
