"""Which source files a trained model depends on: for the workflow, which retrains when one of them
changes, and for the resume file, which is not continued by another code."""

import hashlib
from functools import cache
from pathlib import Path

FOLDER = Path(__file__).parent
# beside the file of the method itself
TRAINING = (
    "train",
    "model",
    "device",
    "importance",
    "predict",
    "backbones/networks",
    "data/augment",
    "data/feed",
    "data/packed",
    "data/splits",
    "data/training",
    "methods/base",
    "methods/distributions",
    "methods/thresholds",
)


@cache
def training_sha256(method: str) -> str:
    """Hash of the sources that training with a method depends on."""
    digest = hashlib.sha256()
    for module in (*TRAINING, f"methods/{method}"):
        digest.update((FOLDER / f"{module}.py").read_bytes())
    return digest.hexdigest()
