"""The authors' UTKFace archive and split, where this machine has them."""

import csv
import hashlib
import io
import json
import tarfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from softbio.data.audit import Findings, audit, read_audit
from softbio.data.packed import Packed, load_packed
from softbio.data.packing.fingerprints import read_fingerprints
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


@pytest.fixture(scope="module")
def audited(packed, tmp_path_factory) -> tuple[dict[str, Findings], Packed]:
    """The findings on both splits, and the repaired data set."""
    folder = tmp_path_factory.mktemp("audited")
    audit(packed[1], folder / "repaired", folder / "audit.json")
    return read_audit(folder / "audit.json"), load_packed(folder / "repaired")


def test_the_audit_finds_the_84_twins(audited):
    published, repaired = audited[0]["published"], audited[0]["repaired"]
    (overlap,) = published.overlaps
    assert (overlap.identical, overlap.images) == (84, 3_287)
    # 104 more differ in no more than compression, size or a pixel or two of the crop
    assert overlap.similar == 104
    assert overlap.subject is None
    assert (published.disputed_groups, published.disputed_images) == (123, 250)
    assert (repaired.overlaps[0].identical, repaired.overlaps[0].similar) == (0, 0)
    assert repaired.disputed_groups == 0
    assert repaired.removed == {"disputed age": 250, "identical image": 150}
    assert repaired.images == {"train": 12_827, "test": 3_207}


def test_at_this_size_no_other_images_coincide(packed):
    """What the packed array says of identity is what the originals say: here, not by rule."""
    data, folder = packed
    identical, _ = read_fingerprints(folder / "fingerprints.parquet", data.index["image"])
    small = [hashlib.sha256(image).digest() for image in data.images]
    assert len(set(small)) == identical.max() + 1 == 16_157


def test_the_repaired_split_is_stratified_and_nearly_the_published_one(audited):
    index = audited[1].index
    kept = index[index["split"] != "removed"]
    test = (kept["split"] == "test").groupby(kept["label"])
    assert ((test.sum() - test.size() * 3_287 / 16_434).abs() < 2).all()
    assert audited[0]["repaired"].moved < 0.03 * len(index)
