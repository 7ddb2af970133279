"""The list of sources that a trained model depends on is complete."""

import ast

import pytest

from softbio.sources import FOLDER, TRAINING, training_sha256

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


def test_everything_that_training_imports_is_in_the_list():
    reached, todo = set(), ["train"]
    while todo:
        module = todo.pop()
        reached.add(module)
        todo += imports_of(module) - reached - ASIDE
    assert reached <= set(TRAINING)


def test_everything_in_the_list_is_there():
    assert [module for module in TRAINING if not (FOLDER / f"{module}.py").is_file()] == []


@pytest.mark.parametrize("method", ["ce", "coral"])
def test_each_method_has_its_own_hash(method):
    assert len(training_sha256(method)) == 64
    assert training_sha256(method) != training_sha256("orcnn")
