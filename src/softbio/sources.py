"""Which source files a trained model depends on: for the workflow, which retrains when one of them
changes, and for the resume file, which is not continued by another code."""

import hashlib
from functools import cache
from importlib import import_module
from pathlib import Path

FOLDER = Path(__file__).parent
# beside the file of the method itself
TRAINING = (
    "backbones/networks",
    "data/augment",
    "data/feed",
    "data/packed",
    "data/splits",
    "data/traits",
    "engine/device",
    "engine/importance",
    "engine/loop",
    "engine/model",
    "engine/predict",
    "engine/rank_task",
    "engine/train",
    "engine/training",
    "methods/base",
    "methods/distributions",
    "methods/thresholds",
)
# what an auxiliary network or a SAN depends on
PRIVACY = (
    "data/packed",
    "data/splits",
    "data/traits",
    "engine/device",
    "engine/loop",
    "evaluators/crop",
    "evaluators/interface",
    "evaluators/registry",
    "privacy/faces",
    "privacy/groups",
    "privacy/models/auxiliaries",
    "privacy/models/san",
    "privacy/models/weights",
    "privacy/parts",
    "privacy/prototype_source",
    "privacy/prototypes",
    "privacy/recipe",
    "privacy/training/face_task",
    "privacy/training/loss_matcher",
    "privacy/training/losses",
    "privacy/training/originals",
    "privacy/training/resampling",
    "privacy/training/san_task",
    "privacy/training/session",
    "privacy/training/train_auxiliaries",
    "privacy/training/train_san",
    "privacy/warp",
)
# what all these depend on beside, where the matcher in the loss is one of the registry: it is
# imported by the name of its architecture
MATCHERS = (
    "evaluators/dlib_resnet",
    "evaluators/faceapi",
    "evaluators/faceres",
    "evaluators/tensorflow",
)
# what a PrivacyNet depends on
PRIVACYNET = (
    *PRIVACY,
    "privacy/attributes",
    "privacy/models/privacynet",
    "privacy/privacynet_recipe",
    "privacy/training/privacynet_losses",
    "privacy/training/privacynet_task",
    "privacy/training/train_privacynet",
)
# what the project's own readers of gender, age and race depend on, beside TRAINING
READERS = (
    "evaluators/crop",
    "evaluators/hog_linear",
    "evaluators/interface",
    "evaluators/logistic",
    "evaluators/own",
    "evaluators/registry",
    "privacy/faces",
    "privacy/judging/own_evaluators",
    "privacy/judging/readers",
    "privacy/parts",
    "privacy/recipe",
    "results/predictions",
)
# what judging a condition depends on, beside TRAINING and the package of evaluators
SCORING = (
    "data/pairs",
    "methods/ce",
    "methods/coral",
    "metrics/quality",
    "metrics/rates",
    "metrics/verification",
    "privacy/attributes",
    "privacy/faces",
    "privacy/groups",
    "privacy/judging/comparisons",
    "privacy/judging/own_attributes",
    "privacy/judging/own_evaluators",
    "privacy/judging/panel",
    "privacy/judging/readers",
    "privacy/judging/score",
    "privacy/judging/score_attributes",
    "privacy/models/auxiliaries",
    "privacy/models/san",
    "privacy/models/weights",
    "privacy/parts",
    "privacy/protected",
    "privacy/protectors/base",
    "privacy/prototype_source",
    "privacy/prototypes",
    "privacy/recipe",
    "privacy/warp",
    "results/attribute_scores",
    "results/predictions",
    "results/scores",
    "results/subjects",
)


@cache
def training_sha256(method: str) -> str:
    """Hash of the sources that training with a method depends on."""
    # a method may come from elsewhere: what counts is the file that is imported
    return modules_sha256(TRAINING, Path(import_module(f"softbio.methods.{method}").__file__))


def against(matcher_net: str, modules: tuple[str, ...]) -> tuple[str, ...]:
    """Sources of a training against the matcher that recipes name so: modules, and those of one of
    the registry."""
    return modules if matcher_net == "own" else (*modules, *MATCHERS)


@cache
def modules_sha256(modules: tuple[str, ...], *more: Path) -> str:
    """Hash of sources by their names, and of more files."""
    digest = hashlib.sha256()
    for path in (*(FOLDER / f"{module}.py" for module in modules), *more):
        digest.update(path.read_bytes())
    return digest.hexdigest()
