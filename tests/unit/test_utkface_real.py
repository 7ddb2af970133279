"""The authors' UTKFace archive and split, where this machine has them."""

import csv
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from softbio.data.packed import Packed, load_packed
from softbio.data.prepare import prepare
from softbio.data.registry import load_registry

ROOT = Path(__file__).parents[2]
UTKFACE = ROOT.parent / "shared/datasets/utkface"
SIZE = 52
pytestmark = pytest.mark.skipif(
    not (UTKFACE / "UTKFace.tar").is_file(), reason="UTKFace is not on this machine"
)


def lists() -> dict[str, list[tuple[str, int]]]:
    """The split, read without softbio."""
    parts = {}
    for part in ("train", "test"):
        with open(UTKFACE / f"utk_{part}.csv", newline="") as file:
            parts[part] = [(row["file"], int(row["age"])) for row in csv.DictReader(file)]
    return parts


def pack(source: Path, folder: Path) -> Packed:
    spec = load_registry(ROOT / "config/datasets.yaml", {"utkface": {"source": str(source)}})
    prepare(spec["utkface"], SIZE, folder, folder / "raw")
    return load_packed(folder)


@pytest.fixture(scope="module")
def packed(tmp_path_factory) -> tuple[Packed, Path]:
    folder = tmp_path_factory.mktemp("utkface")
    return pack(UTKFACE / "UTKFace.tar", folder), folder


def test_none_is_lost_and_the_split_is_the_authors(packed):
    index = packed[0].index
    assert len(index) == 13_147 + 3_287
    for part, rows in lists().items():
        stored = index[index["split"] == part]
        assert list(zip(stored["image"], stored["label"], strict=True)) == rows
    assert (index["age"] == index["image"].str.split("_").str[0].astype(int)).all()


def test_the_card_tells_what_is_known(packed):
    card = json.loads((packed[1] / "card.json").read_text())
    assert card["counts"] == {"train": 13_147, "test": 3_287}
    assert card["rejected"] == 0
    assert sum(card["labels"]["train"]) == 13_147
    assert card["missing_ranks"] == {"train": [], "test": []}
    unknown = [card["race"][part].get("unknown", 0) for part in ("train", "test")]
    assert sum(unknown) == 1
    assert [file["name"] for file in card["files"]] == [
        "UTKFace.tar",
        "utk_train.csv",
        "utk_test.csv",
    ]


def test_pixels_are_pillows(packed):
    data = packed[0]
    names = set(data.index["image"].iloc[::97])
    rows = {image: row for row, image in enumerate(data.index["image"]) if image in names}
    with tarfile.open(UTKFACE / "UTKFace.tar") as archive:
        for image, row in rows.items():
            content = archive.extractfile(f"UTKFace/{image}").read()
            pixels = Image.open(io.BytesIO(content)).resize((SIZE, SIZE), Image.BILINEAR)
            assert (data.images[row] == np.asarray(pixels)).all()


def test_an_extracted_folder_gives_the_same(packed, tmp_path):
    wanted = {part: rows[:150] for part, rows in lists().items()}
    images = {name for rows in wanted.values() for name, _ in rows}
    with tarfile.open(UTKFACE / "UTKFace.tar") as archive:
        members = [m for m in archive if m.name.removeprefix("UTKFace/") in images]
        archive.extractall(tmp_path / "own", members, filter="data")
    for part, rows in wanted.items():
        lines = [f"{i},{name},{label}" for i, (name, label) in enumerate(rows)]
        (tmp_path / f"own/{part}.csv").write_text("\n".join([",file,age", *lines]))
    spec = load_registry(
        ROOT / "config/datasets.yaml",
        {
            "utkface": {
                "source": str(tmp_path / "own"),
                "lists": {"train": "train.csv", "test": "test.csv"},
                "files": [],
            }
        },
    )["utkface"]
    prepare(spec, SIZE, tmp_path / "out", tmp_path / "raw")
    sample, whole = load_packed(tmp_path / "out"), packed[0]
    rows = whole.index.reset_index().set_index("image")["index"].loc[sample.index["image"]]
    assert (sample.images == whole.images[rows.to_numpy()]).all()
    assert (sample.labels == whole.labels[rows.to_numpy()]).all()
