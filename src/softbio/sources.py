"""Which source files a trained model depends on: for the workflow, which retrains when one of them
changes, and for the resume file, which is not continued by another code."""

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
# beside the file of the method itself
TRAINING = (
    "train",
    "model",
    "device",
    "importance",
    "predict",
    "traits",
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
# what an auxiliary network or a SAN depends on
PRIVACY = (
    "device",
    "traits",
    "data/packed",
    "data/splits",
    "evaluators/crop",
    "evaluators/interface",
    "evaluators/registry",
    "privacy/auxiliaries",
    "privacy/faces",
    "privacy/groups",
    "privacy/loop",
    "privacy/loss_matcher",
    "privacy/losses",
    "privacy/originals",
    "privacy/parts",
    "privacy/prototypes",
    "privacy/recipe",
    "privacy/resampling",
    "privacy/san",
    "privacy/session",
    "privacy/train_auxiliaries",
    "privacy/train_san",
    "privacy/warp",
    "privacy/weights",
)
# what a PrivacyNet depends on
PRIVACYNET = (
    *PRIVACY,
    "privacy/attributes",
    "privacy/privacynet",
    "privacy/privacynet_losses",
    "privacy/privacynet_recipe",
    "privacy/train_privacynet",
)


@cache
def training_sha256(method: str) -> str:
    """Hash of the sources that training with a method depends on."""
    # a method may come from elsewhere: what counts is the file that is imported
    return modules_sha256(TRAINING, Path(import_module(f"softbio.methods.{method}").__file__))


@cache
def modules_sha256(modules: tuple[str, ...], *more: Path) -> str:
    """Hash of sources by their names, and of more files."""
    digest = hashlib.sha256()
    for path in (*(FOLDER / f"{module}.py" for module in modules), *more):
        digest.update(path.read_bytes())
    return digest.hexdigest()
