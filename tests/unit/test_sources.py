"""The list of sources that a trained model depends on is complete."""

import ast

import pytest

from softbio.sources import FOLDER, PRIVACY, TRAINING, training_sha256

# what writes, tells or carries, and does not change a trained model
ASIDE = {"errors", "files", "progress", "provenance", "resume", "snapshot", "sources", "stopping"}
ASIDE |= {"predictions", "recipe", "torchvision", "backbones/__init__", "methods/__init__"}


def imports_of(module: str) -> set[str]:
    """The softbio files that a file imports, wherever in it."""
    found = set()
    for node in ast.walk(ast.parse((FOLDER / f"{module}.py").read_text())):
        if not isinstance(node, ast.ImportFrom) or not node.module.startswith("softbio"):
            continue
        path = "/".join(node.module.split(".")[1:])
        found.add(f"{path}/__init__" if (FOLDER / path).is_dir() else path)
    return found


def reached_from(module: str, aside: set[str]) -> set[str]:
    """It, and all that it imports, directly or not, but what stands aside."""
    reached, todo = set(), [module]
    while todo:
        module = todo.pop()
        reached.add(module)
        todo += imports_of(module) - reached - aside
    return reached


def test_everything_that_training_imports_is_in_the_list():
    assert reached_from("train", ASIDE) <= set(TRAINING)


def test_everything_that_training_a_san_imports_is_in_the_list():
    # of the other loop's model it takes a copy of weights
    aside = ASIDE | {"model", "privacy/__init__"}
    assert reached_from("privacy/train_san", aside) == set(PRIVACY)


def test_everything_in_the_list_is_there():
    assert [module for module in TRAINING if not (FOLDER / f"{module}.py").is_file()] == []


@pytest.mark.parametrize("method", ["ce", "coral"])
def test_each_method_has_its_own_hash(method):
    assert len(training_sha256(method)) == 64
    assert training_sha256(method) != training_sha256("orcnn")
