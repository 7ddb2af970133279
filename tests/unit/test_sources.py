"""The list of sources that a trained model depends on is complete."""

from importlib import import_module
from typing import get_type_hints

import pytest
from torch import nn

from softbio.evaluators.registry import load_evaluators
from softbio.sources import FOLDER, MATCHERS, PRIVACY, PRIVACYNET, TRAINING, training_sha256
from tests.imports import reached_from

# what writes, tells or carries, and does not change a trained model
ASIDE = {"errors", "files", "progress", "sources", "results/predictions", "backbones/torchvision"}
ASIDE |= {
    f"engine/{name}" for name in ("provenance", "recipe", "resume", "snapshot", "state", "stopping")
}
ASIDE |= {"backbones/__init__", "methods/__init__"}


def test_everything_that_training_imports_is_in_the_list():
    reached = reached_from(FOLDER / "engine/train.py", ASIDE) | {"engine/train"}
    assert {"data/feed", "methods/base"} <= reached
    assert reached <= set(TRAINING)


def reached_by_training(*networks: str) -> set[str]:
    """The trainings of these networks, and what they import."""
    # of the other loop's model they take a copy of weights
    aside = ASIDE | {"engine/model", "privacy/__init__", "schema"}
    files = [f"privacy/training/train_{name}" for name in networks]
    return set(files).union(*(reached_from(FOLDER / f"{file}.py", aside) for file in files))


def test_everything_that_training_a_san_or_its_auxiliaries_imports_is_in_the_list():
    assert reached_by_training("auxiliaries", "san") == set(PRIVACY)


def test_everything_that_training_a_privacynet_imports_is_in_the_list():
    assert reached_by_training("auxiliaries", "san", "privacynet") == set(PRIVACYNET)


def torch_matchers() -> list[str]:
    """Architectures of the registry's matchers that gradients pass through."""
    specs = load_evaluators().values()
    names = sorted({spec.architecture for spec in specs if spec.kind == "matcher"})
    found = []
    for name in names:
        network = get_type_hints(import_module(f"softbio.evaluators.{name}").load)["return"]
        if isinstance(network, type) and issubclass(network, nn.Module):
            found.append(name)
    return found


def test_everything_that_a_matcher_of_the_registry_imports_is_in_the_list():
    names = [f"evaluators/{name}" for name in torch_matchers()]
    assert names == ["evaluators/dlib_resnet", "evaluators/faceres"]
    files = [FOLDER / f"{name}.py" for name in names]
    reached = set(names).union(*(reached_from(file, ASIDE | set(PRIVACY)) for file in files))
    assert reached == set(MATCHERS)


def test_everything_in_the_list_is_there():
    assert [module for module in TRAINING if not (FOLDER / f"{module}.py").is_file()] == []


@pytest.mark.parametrize("method", ["ce", "coral"])
def test_each_method_has_its_own_hash(method):
    assert len(training_sha256(method)) == 64
    assert training_sha256(method) != training_sha256("orcnn")
