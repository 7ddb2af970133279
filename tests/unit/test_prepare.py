"""Packing: pixels as Pillow gives them, nothing lost in silence, nothing half done."""

import errno
import io
import json
import shutil
import tarfile
from collections import namedtuple
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import simplejpeg
from PIL import Image

from softbio.data import faces, prepare
from softbio.data.packed import COLUMNS, load_packed
from softbio.data.packing import pictures
from softbio.data.packing.filling import ARRAY, JOURNAL, Packing
from softbio.data.packing.pictures import Decoded, decode
from softbio.data.registry import Citation, DatasetSpec, Preparation
from softbio.errors import UserError

AGES = (20, 24)
SIZE = 24


def photo(
    seed: int, mode: str = "RGB", kind: str = "JPEG", sides: tuple[int, int] = (41, 37)
) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (*sides, 3), np.uint8)
    smooth = Image.fromarray(pixels).resize((sides[0] * 2, sides[1] * 2))
    content = io.BytesIO()
    smooth.convert(mode).save(content, kind)
    return content.getvalue()


def pillow(content: bytes, size: int) -> np.ndarray:
    image = Image.open(io.BytesIO(content)).convert("RGB")
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def own_faces(folder: Path, contents: dict[str, bytes]) -> DatasetSpec:
    """A data set of the user's own; every third image is a test image; ages 20, 21, 22, 20, .."""
    folder.mkdir()
    rows = ["file,age,split,subject,gender"]
    for i, (name, content) in enumerate(contents.items()):
        (folder / name).write_bytes(content)
        rows.append(f"{name},{20 + i % 3},{'test' if i % 3 == 0 else 'train'},s{i % 4},female")
    (folder / "labels.csv").write_text("\n".join(rows))
    lists = {"all": "labels.csv"}
    return DatasetSpec("own", "Own", "table", AGES, source=folder, lists=lists)


@pytest.fixture
def contents() -> dict[str, bytes]:
    return {f"{9 - i}.jpg": photo(i) for i in range(9)}


def lenient(spec: DatasetSpec, share: float) -> DatasetSpec:
    """The same, but so many of its images may be left out."""
    return replace(spec, prepare=Preparation(max_rejected=share))


def pack(spec: DatasetSpec, folder: Path, **settings) -> Path:
    prepare.prepare(spec, SIZE, folder, folder / "raw", **settings)
    return folder


def test_pixels_and_rows_are_those_of_the_source(tmp_path, contents):
    spec = own_faces(tmp_path / "own", contents)
    packed = load_packed(pack(spec, tmp_path / "out"))
    index = packed.index
    assert list(index.columns) == COLUMNS
    assert list(index["split"]) == ["train"] * 6 + ["test"] * 3
    order = [name for part in (1, 0) for i, name in enumerate(contents) if bool(i % 3) == part]
    assert list(index["image"]) == order
    for pixels, name in zip(packed.images, order, strict=True):
        assert (pixels == pillow(contents[name], SIZE)).all()
    assert (index["age"] - index["label"] == 20).all()
    assert (index["label"].dtype, index["age"].dtype) == (np.int32, np.int32)
    assert index["race"].isna().all()
    assert index["landmarks"].isna().all()
    assert (tmp_path / "out/rejected.csv").read_text() == "image,split,reason\n"


def test_an_archive_in_any_order_gives_the_same_bytes(tmp_path, contents):
    spec = own_faces(tmp_path / "own", contents)
    one = pack(spec, tmp_path / "one", workers=1)
    with tarfile.open(tmp_path / "own/own.tar.gz", "w:gz") as archive:
        for name in sorted(contents, reverse=True):
            archive.add(tmp_path / "own" / name, f"deep/down/{name}")
    spec = DatasetSpec("own", "Own", "table", AGES, source=tmp_path / "own/own.tar.gz",
                       lists=spec.lists)  # fmt: skip
    two = pack(spec, tmp_path / "two", workers=3)
    for name in ("images.npy", "index.parquet", "rejected.csv"):
        assert (one / name).read_bytes() == (two / name).read_bytes()


def test_the_card_counts(tmp_path, contents):
    spec = own_faces(tmp_path / "own", contents)
    card = json.loads((pack(spec, tmp_path / "out") / "card.json").read_text())
    assert card["counts"] == {"train": 6, "test": 3}
    assert card["labels"] == {"train": [0, 3, 3, 0, 0], "test": [3, 0, 0, 0, 0]}
    assert card["missing_ranks"] == {"train": [0, 3, 4], "test": [1, 2, 3, 4]}
    assert card["gender"] == {"train": {"female": 6}, "test": {"female": 3}}
    assert card["race"] == {"train": {}, "test": {}}
    assert card["subjects"] == {"train": 4, "test": 3}
    assert (card["k"], card["size"], card["ages"], card["rejected"]) == (5, SIZE, [20, 24], 0)
    assert [file["name"] for file in card["files"]] == ["own/", "labels.csv"]
    assert card["reconciled"] == {
        "listed": 9, "produced": 9, "unlisted": 0, "unlisted_produced": None,
    }  # fmt: skip
    assert (card["preparation"], card["cut"]) == ([], "none")
    assert card["citation"] == {"text": Citation("not stated").text, "doi": None, "url": None}


def test_what_does_not_decode_is_listed_and_left_out(tmp_path, contents):
    damaged = {**contents, "8.jpg": b"no image", "5.jpg": contents["5.jpg"][:300], "1.jpg": b""}
    spec = own_faces(tmp_path / "own", damaged)
    packed = load_packed(pack(lenient(spec, 0.4), tmp_path / "out"))
    rejected = pd.read_csv(tmp_path / "out/rejected.csv")
    assert sorted(rejected["image"]) == ["1.jpg", "5.jpg", "8.jpg"]
    assert rejected["reason"].str.len().min() > 5
    assert not rejected["reason"].str.contains("0x").any(), "an address in memory, never the same"
    assert len(packed.images) == 6
    for pixels, name in zip(packed.images, packed.index["image"], strict=True):
        assert (pixels == pillow(contents[name], SIZE)).all()
    assert json.loads((tmp_path / "out/card.json").read_text())["rejected"] == 3
    with pytest.raises(UserError, match=r"3 of 9 images do not decode, .* more than 30.0%"):
        pack(lenient(spec, 0.3), tmp_path / "strict")
    assert finished(tmp_path / "strict") == []


def test_a_part_that_is_lost_in_decoding_is_an_error(tmp_path, contents):
    damaged = {name: b"" if i % 3 == 0 else content for i, (name, content) in
               enumerate(contents.items())}  # fmt: skip
    with pytest.raises(UserError, match="as decoded: the test part is empty"):
        pack(lenient(own_faces(tmp_path / "own", damaged), 1), tmp_path / "out")


def finished(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*"))


def test_a_missing_image_is_named(tmp_path, contents):
    spec = own_faces(tmp_path / "own", contents)
    (tmp_path / "own/8.jpg").unlink()
    with pytest.raises(UserError, match=r"1 of 9 listed images .* '8.jpg'; get the whole archive"):
        pack(spec, tmp_path / "out")
    assert finished(tmp_path / "out") == []


def test_a_hostile_archive_stops_it(tmp_path, contents):
    spec = own_faces(tmp_path / "own", contents)
    (tmp_path / "own/extra.jpg").symlink_to("/etc/passwd")
    with pytest.raises(UserError, match="leaves the folder"):
        pack(spec, tmp_path / "out")


@pytest.mark.parametrize("at", ["images", "index", "card"])
def test_an_interrupted_run_does_not_look_finished(tmp_path, contents, monkeypatch, at):
    spec = own_faces(tmp_path / "own", contents)
    out = pack(spec, tmp_path / "out")  # an earlier run, to be replaced
    before = (out / "images.npy").read_bytes()

    def interrupt(*_, **__):
        raise KeyboardInterrupt

    target = {"images": (Packing, "add"), "index": (prepare.pq, "write_table"),
              "card": (prepare, "make_card")}[at]  # fmt: skip
    monkeypatch.setattr(*target, interrupt)
    with pytest.raises(KeyboardInterrupt):
        pack(spec, out)
    left = {path.name for path in out.glob(".*")}
    if at == "images":
        assert left == {ARRAY, JOURNAL}, "what a later run goes on with"
        assert (out / "images.npy").read_bytes() == before
        load_packed(out)
    else:
        assert not left
        with pytest.raises(UserError, match="prepare it again"):
            load_packed(out)


def test_too_small_a_disk_is_said_before_the_work(tmp_path, contents, monkeypatch):
    usage = namedtuple("usage", "total used free")(10**9, 10**9, 1000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(UserError, match=r"out: disk full, [\d,]+ bytes are needed"):
        pack(own_faces(tmp_path / "own", contents), tmp_path / "out")


def test_a_disk_that_fills_up_leaves_nothing(tmp_path, contents, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Packing, "add", full)
    with pytest.raises(UserError, match=r"out: disk full"):
        pack(own_faces(tmp_path / "own", contents), tmp_path / "out")
    assert finished(tmp_path / "out") == []


@pytest.mark.parametrize(
    ("mode", "kind"),
    [("RGB", "JPEG"), ("L", "JPEG"), ("CMYK", "JPEG"), ("RGB", "PNG"), ("RGBA", "PNG"),
     ("P", "PNG"), ("1", "BMP"), ("RGB", "WEBP")],
)  # fmt: skip
def test_every_kind_of_image_is_decoded_as_pillow_does(mode, kind):
    content = photo(3, mode, kind)
    for size in (24, 82, 128):
        assert (Decoded()(content, size).pixels == pillow(content, size)).all()


def test_orientation_in_exif_is_not_applied():
    exif = Image.Exif()
    exif[0x0112] = 6
    content = io.BytesIO()
    Image.open(io.BytesIO(photo(1))).save(content, "JPEG", exif=exif)
    assert decode(content.getvalue()).shape == (74, 82, 3)


@pytest.mark.parametrize("kind", ["JPEG", "PNG"])
def test_an_image_of_too_many_pixels_is_not_decoded(monkeypatch, kind):
    content = photo(1, kind=kind)
    monkeypatch.setattr(pictures, "MAX_PIXELS", 82 * 74 - 1)

    def never(*_, **__):
        raise AssertionError("decoded")

    monkeypatch.setattr(simplejpeg, "decode_jpeg", never)
    monkeypatch.setattr(Image.Image, "convert", never)
    with pytest.raises(ValueError, match="has 82 x 74 pixels, too many"):
        decode(content)


def test_drawn_faces_carry_their_landmarks(tmp_path):
    options = {"subjects": 12, "images_per_subject": 2, "seed": 3}
    spec = DatasetSpec("faces", "Faces", "drawn", (18, 70), access="generated", options=options)
    one = load_packed(pack(spec, tmp_path / "one", workers=1))
    pack(spec, tmp_path / "two", workers=2)
    for name in ("images.npy", "index.parquet"):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    assert set(one.index["split"]) == {"train", "valid", "test"}
    frame, drawn = faces.draw_population(12, 2, (18, 70), 3)
    for number in (0, len(frame) - 1):
        row = list(one.index["image"]).index(frame["image"].iloc[number])
        # a drawn face is an image of 128 px, packed like any other
        pixels, landmarks = faces.render(drawn[number], 128)
        smaller = Image.fromarray(pixels).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        assert np.array_equal(one.images[row], np.asarray(smaller))
        stored = np.asarray(one.index["landmarks"].iloc[row]).reshape(68, 2)
        assert np.allclose(stored * 128, landmarks, atol=1e-4)


@pytest.mark.parametrize("sides", [(218, 178), (109, 89), (30, 41), (24, 24)])
def test_the_centre_is_that_of_torchvision(sides):
    """178 of 178 x 218 as the notebook crops CelebA, and the same part of smaller copies."""
    from softbio.backbones.torchvision import torchvision

    pixels = np.random.default_rng(0).integers(0, 256, (*sides, 3), np.uint8)
    image = Image.fromarray(pixels)
    cut = torchvision.transforms.CenterCrop(min(sides))(image)
    np.testing.assert_array_equal(np.asarray(pictures.centre(image)), np.asarray(cut))
    content = io.BytesIO()
    image.save(content, "PNG")
    expected = cut.resize((SIZE, SIZE), Image.Resampling.BILINEAR)
    found = Decoded("centre")(content.getvalue(), SIZE)
    np.testing.assert_array_equal(found.pixels, np.asarray(expected))
    # what tells equal images apart is the whole image
    assert found.prints == Decoded()(content.getvalue(), SIZE).prints


def of_gender(folder: Path, genders: dict[str, str]) -> DatasetSpec:
    """A data set without ages, as CelebA is: images a.png, .. in a folder with both lists."""
    folder.mkdir()
    for number, name in enumerate(genders):
        (folder / name).write_bytes(photo(number, kind="PNG"))
    rows = [f"{name} {'1' if gender == 'male' else '-1'}" for name, gender in genders.items()]
    (folder / "attributes.txt").write_text("\n".join([str(len(rows)), "Male", *rows]))
    people = [f"{name} {number}" for number, name in enumerate(genders)]
    (folder / "identity.txt").write_text("\n".join(people))
    lists = {"attributes": "attributes.txt", "identity": "identity.txt"}
    return DatasetSpec("own", "Own", "celeba", None, source=folder, lists=lists)


def test_without_ages_the_ranks_are_female_and_male(tmp_path):
    genders = {f"{i}.png": "male" if i % 3 else "female" for i in range(12)}
    packed = load_packed(pack(of_gender(tmp_path / "own", genders), tmp_path / "packed"))
    assert (packed.ages, packed.k, packed.trait) == (None, 2, "gender")
    assert [packed.rank_name(rank) for rank in range(2)] == ["gender female", "gender male"]
    told = packed.index["image"].map(genders)
    assert packed.labels.tolist() == (told == "male").astype(int).tolist()
    card = json.loads((tmp_path / "packed/card.json").read_text())
    assert (card["ages"], card["k"]) == (None, 2)
    for part, counts in card["labels"].items():
        groups = card["gender"][part]
        assert counts == [groups.get("female", 0), groups.get("male", 0)]


def test_an_image_without_a_gender_is_named(tmp_path, monkeypatch):
    spec = of_gender(tmp_path / "own", {f"{i}.png": "male" for i in range(12)})
    whole = prepare.read

    def lacking(spec, sources):
        records = whole(spec, sources)
        records.frame.loc[3, "gender"] = None
        return records

    monkeypatch.setattr(prepare, "read", lacking)
    with pytest.raises(UserError, match=r"1 images without a gender, the first is '3\.png'"):
        pack(spec, tmp_path / "packed")
