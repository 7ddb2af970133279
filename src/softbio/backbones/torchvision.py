"""torchvision, also with a CPU build of torch.

PyPI's torchvision is a CUDA build: its compiled operators do not load with a CPU torch, and its
import fails on two operator schemas that nothing here uses. Declaring them first, and only where
the real ones are absent, lets `torchvision.models` work (checked with torch 2.13, torchvision
0.28). `torchvision.io` stays unusable there; images are decoded elsewhere.
"""

import sys

import torch

_keep_alive: list[torch.library.Library] = []


def _load():
    try:
        import torchvision as module
    except RuntimeError as error:
        if "does not exist" not in str(error):
            raise
        for name in [name for name in sys.modules if name.split(".")[0] == "torchvision"]:
            del sys.modules[name]
        library = torch.library.Library("torchvision", "FRAGMENT")
        for operator in ("nms", "qnms"):
            library.define(f"{operator}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        _keep_alive.append(library)
        import torchvision as module
    return module


torchvision = _load()
