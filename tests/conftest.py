"""Shared by all tests: where real data may lie, and small packed data sets."""

import json
import os
from collections import Counter
from pathlib import Path

# before torch is imported: tests run side by side, and sums must not depend on the core count
os.environ["OMP_NUM_THREADS"] = "1"

import numpy as np
import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
SHARED = ROOT.parent / "shared"

# folders of tests by when they begin, those of the same number in turns; all others come behind
ORDER = {"workflow": 0, "killed": 1, "privacy": 2, "report": 2}
DEAREST = "tests/workflow/test_privacy.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long files first, or a worker takes one up when the others have nothing left.

    Files of two folders in turns, so that one worker makes what those of the one share while
    another works on the other. `make test` has pytest-xdist keep to this order.
    """
    files: dict[Path, list[pytest.Item]] = {}
    for item in items:
        files.setdefault(item.path, []).append(item)
    behind, turns = len(ORDER), Counter()
    places = {}
    for path in files:
        folder = path.relative_to(ROOT / "tests").parts[0]
        first = path == ROOT / DEAREST
        places[path] = (ORDER.get(folder, behind), not first, turns[folder], folder)
        turns[folder] += 1
    items[:] = [item for path in sorted(files, key=places.get) for item in files[path]]


@pytest.fixture(scope="session")
def published() -> Path:
    """The authors' logs and split lists; skips where they are absent."""
    folder = SHARED / "published/coral-cnn"
    if not folder.is_dir():
        pytest.skip(f"the authors' published files are not in {folder}")
    return folder


@pytest.fixture(scope="session")
def real_utkface() -> Path:
    """The folder with the real UTKFace archive and split lists; skips where it is absent."""
    folder = SHARED / "datasets/utkface"
    if not folder.is_dir():
        pytest.skip(f"real UTKFace is not in {folder}")
    return folder


def write_packed(folder: Path, splits: list[str], labels: list[int], k: int, size: int) -> Path:
    """A packed data set of noise whose brightness grows with the label."""
    generator = np.random.default_rng(0)
    brightness = 30 + 190 * np.asarray(labels) // max(k - 1, 1)
    images = (
        generator.integers(0, 30, (len(labels), size, size, 3)) + brightness[:, None, None, None]
    )
    index = pd.DataFrame(
        {
            "image": [f"{number:04d}.png" for number in range(len(labels))],
            "label": np.asarray(labels, np.int32),
            "age": np.asarray(labels, np.int32) + 20,
            "split": splits,
            "gender": ["female", "male"] * (len(labels) // 2) + ["female"] * (len(labels) % 2),
            "race": pd.Series([None] * len(labels), dtype="string"),
            "subject": pd.Series([None] * len(labels), dtype="string"),
        }
    )
    folder.mkdir(parents=True, exist_ok=True)
    np.save(folder / "images.npy", images.astype(np.uint8))
    index.to_parquet(folder / "index.parquet")
    (folder / "card.json").write_text(json.dumps({"ages": [20, 20 + k - 1]}))
    return folder


@pytest.fixture(scope="session")
def packed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """60 training, 20 validation and 20 test images of 18 px with 6 ranks."""
    splits = ["train"] * 60 + ["valid"] * 20 + ["test"] * 20
    labels = [number % 6 for number in range(100)]
    return write_packed(tmp_path_factory.mktemp("packed"), splits, labels, k=6, size=18)
