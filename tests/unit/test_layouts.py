"""Each data set in its authors' layout, as miniature: what is packed and aligned is theirs."""

import csv
import io
import unicodedata
import zipfile
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from softbio.data.align import align, load_aligned
from softbio.data.fetch import locate, own_files
from softbio.data.packed import load_packed
from softbio.data.prepare import prepare
from softbio.data.readers import COLUMNS, OPTIONAL, read
from softbio.data.readers.muct import read_landmarks
from softbio.errors import UserError
from tests import miniatures
from tests.conftest import SHARED

SIZE = 24


def packed_of(spec, folder: Path):
    prepare(spec, SIZE, folder, folder / "raw")
    return load_packed(folder)


def frame_of(spec, folder: Path) -> pd.DataFrame:
    frame = read(spec, locate(spec, folder / "raw")).frame
    assert list(frame.columns) == [*COLUMNS, *OPTIONAL]
    return frame


def check_pixels(packed, images: dict[str, bytes]) -> None:
    """Every image is there with the pixels that Pillow makes of it."""
    assert sorted(packed.index["image"]) == sorted(images)
    for pixels, name in zip(packed.images, packed.index["image"], strict=True):
        image = Image.open(io.BytesIO(images[name])).convert("RGB")
        wanted = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
        assert (pixels == wanted).all(), name


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def test_afad_in_parts(tmp_path):
    images = miniatures.afad(tmp_path / "tarball")
    packed = packed_of(miniatures.spec("afad", tmp_path / "tarball"), tmp_path / "out")
    check_pixels(packed, images)
    index = packed.index.set_index("image")
    assert sorted(index.index[index["split"] == "test"]) == sorted(list(images)[::3])
    assert set(index["split"]) == {"train", "test"}
    for name, row in index.iterrows():
        age, gender, file = name.split("/")
        assert (row["age"], row["label"]) == (int(age), int(age) - 15)
        assert row["gender"] == {"111": "male", "112": "female"}[gender]
        assert row["subject"] == file.split("-")[0]


@pytest.mark.parametrize("source", ["AFAD-Full.tar.xz", "AFAD-Full.tar.xzab", "whole", "unpacked"])
def test_afad_is_the_same_bytes_however_it_lies_there(tmp_path, source):
    images = miniatures.afad(tmp_path / "tarball")
    one = tmp_path / "one"
    packed_of(miniatures.spec("afad", tmp_path / "tarball"), one)
    place = tmp_path / "tarball" / source
    if source == "whole":
        parts = sorted((tmp_path / "tarball").glob("AFAD-Full.tar.xz*"))
        place = tmp_path / "tarball/joined.tar.xz"
        place.write_bytes(b"".join(part.read_bytes() for part in parts))
    if source == "unpacked":
        for name, content in images.items():
            (place / name).parent.mkdir(parents=True, exist_ok=True)
            (place / name).write_bytes(content)
        (tmp_path / "tarball/afad_test.csv").rename(place / "afad_test.csv")
    packed_of(miniatures.spec("afad", place), tmp_path / "two")
    for name in ("images.npy", "index.parquet"):
        assert (one / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_the_parts_of_an_archive_are_sources_and_stand_on_the_receipt_as_one_file(tmp_path):
    miniatures.afad(tmp_path / "tarball")
    parts = sorted((tmp_path / "tarball").glob("AFAD-Full.tar.xz*"))
    spec = miniatures.spec("afad", tmp_path / "tarball")
    assert set(parts) < set(own_files(spec))
    found = locate(spec, tmp_path / "raw").files[0]
    assert (found.name, found.bytes) == (
        "AFAD-Full.tar.xz",
        sum(part.stat().st_size for part in parts),
    )
    parts[1].unlink()
    with pytest.raises(UserError, match=r"AFAD-Full.tar.xzab: this part .* is missing, 2 are"):
        locate(spec, tmp_path / "raw")


@pytest.mark.parametrize(("protocol", "split"), [("talk", "train"), ("journal", "valid")])
def test_afads_validation_list_is_for_the_journal(tmp_path, protocol, split):
    folder = tmp_path / "tarball"
    miniatures.afad(folder)
    rows = [("515-1.jpg", "15/111/515-1.jpg", 0, "male")]
    miniatures.write_list(folder / "afad_valid.csv", "file,path,age,gender", rows)
    lists = {"valid": "afad_valid.csv", "test": "afad_test.csv"}
    spec = miniatures.spec("afad", folder, lists=lists, options={"protocol": protocol})
    frame = frame_of(spec, tmp_path).set_index("image")
    assert frame["split"]["15/111/515-1.jpg"] == split
    rows.append(("515-0.jpg", "15/111/515-0.jpg", 0, "male"))
    miniatures.write_list(folder / "afad_valid.csv", "file,path,age,gender", rows)
    if protocol == "journal":
        with pytest.raises(UserError, match=r"515-0.jpg' stands in valid too"):
            frame_of(spec, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0,male", "1,male", r"row 2: label 1 of '15/111/515-0.jpg' is not its age less 15"),
        ("0,male", "x,male", r"row 2: label 'x' is not a rank"),
        ("0,male", "0,female", r"row 2: '15/111/515-0.jpg' is not .* of gender 'female'"),
        ("15/111/515-0.jpg", "15/113/515-0.jpg", r"row 2: '15/113/515-0.jpg' is not age/111"),
        ("15/111/515-0.jpg", "15/111/7-0.jpg", r"1 of 8 listed images .* '15/111/7-0.jpg'"),
    ],
)
def test_afad_mistakes(tmp_path, old, new, message):
    miniatures.afad(tmp_path / "tarball")
    edited(tmp_path / "tarball/afad_test.csv", old, new)
    with pytest.raises(UserError, match=message):
        frame_of(miniatures.spec("afad", tmp_path / "tarball"), tmp_path)


def test_an_archive_without_afads_folders(tmp_path):
    miniatures.afad(tmp_path / "tarball")
    path = tmp_path / "tarball/other.tar"
    path.write_bytes(miniatures.tarball({"AFAD-Full/face.jpg": b"x"}))
    with pytest.raises(UserError, match=r"no image age/111 or 112/subject-number.jpg"):
        frame_of(miniatures.spec("afad", path), tmp_path)


class Unmarked(zipfile.ZipInfo):
    """A member whose name is UTF-8 without the flag that says so, as many programs write it."""

    def _encodeFilenameFlags(self):
        return self.filename.encode(), self.flag_bits


@pytest.mark.parametrize("made", ["utf-8", "latin-1", "macos", "capitals", "zip"])
def test_cacd_in_any_encoding(tmp_path, made):
    folder = tmp_path / "cacd"
    images = miniatures.cacd(folder)
    files = {f"CACD2000/{name}": content for name, content in images.items()}
    if made == "macos":
        files = {unicodedata.normalize("NFD", name): content for name, content in files.items()}
    if made == "capitals":
        files = {name.replace(".jpg", ".JPG"): content for name, content in files.items()}
    encoding = "latin-1" if made == "latin-1" else "utf-8"
    if made == "zip":
        with zipfile.ZipFile(folder / "CACD2000.zip", "w") as archive:
            for name, content in files.items():
                archive.writestr(Unmarked(name), content)
    else:
        (folder / "CACD2000.tar.gz").write_bytes(miniatures.tarball(files, encoding))
    packed = packed_of(miniatures.spec("cacd", folder), tmp_path / "out")
    check_pixels(packed, images)
    index = packed.index.set_index("image")
    assert index["age"]["31_50_Cent_0001.jpg"] == 31
    assert index["subject"]["31_50_Cent_0001.jpg"] == "50_Cent"
    assert index["subject"]["54_Bill_Pullman_0006.jpg"] == "Bill_Pullman"
    assert index["label"].min() == 0
    assert index["label"].max() == 62 - 14


@pytest.mark.parametrize(
    ("options", "counts"),
    [
        ({}, {"train": 5, "test": 2}),
        ({"protocol": "talk"}, {"train": 5, "test": 2}),
        ({"protocol": "journal"}, {"train": 3, "valid": 2, "test": 2}),
    ],
)
def test_cacds_protocols(tmp_path, options, counts):
    miniatures.cacd(tmp_path / "cacd")
    frame = frame_of(miniatures.spec("cacd", tmp_path / "cacd", options=options), tmp_path)
    assert frame["split"].value_counts().to_dict() == counts
    if "valid" not in counts:
        # the talk's list began with what the journal held out later
        assert frame["image"].tolist()[:2] == miniatures.CACD[:2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("_Cent_0001.jpg", "_Cent.jpg", "row 2: '31_50_Cent.jpg' is not named age_name_number"),
        ("jpg,17", "jpg,31", "row 2: label 31 of '31_50_Cent_0001.jpg' is not its age less 14"),
    ],
)
def test_cacd_mistakes(tmp_path, old, new, message):
    miniatures.cacd(tmp_path / "cacd")
    edited(tmp_path / "cacd/cacd_train.csv", old, new)
    with pytest.raises(UserError, match=message):
        frame_of(miniatures.spec("cacd", tmp_path / "cacd"), tmp_path)


def test_morph2(tmp_path):
    images = miniatures.morph2(tmp_path / "morph")
    packed = packed_of(miniatures.spec("morph2", tmp_path / "morph"), tmp_path / "out")
    check_pixels(packed, images)
    columns = ["image", "age", "label", "split", "gender", "race", "subject"]
    assert packed.index[columns].to_numpy(object).tolist() == [
        ["009055_1M54.jpg", 54, 38, "train", "male", "Black", "009055"],
        ["074598_0M35.jpg", 35, 19, "train", "male", "White", "074598"],
        ["107066_10F16.jpg", 16, 0, "train", "female", "Hispanic", "107066"],
        ["290135_03M22.jpg", 22, 6, "train", "male", "Asian", "290135"],
        ["306329_00F70.jpg", 70, 54, "test", "female", "I", "306329"],
        ["009055_2M55.jpg", 55, 39, "test", "male", "Black", "009055"],
    ]


def test_morphs_first_rows_are_for_validation_where_asked(tmp_path):
    miniatures.morph2(tmp_path / "morph")
    spec = miniatures.spec("morph2", tmp_path / "morph", options={"valid_rows": 1})
    assert frame_of(spec, tmp_path)["split"].tolist() == ["valid", *["train"] * 3, *["test"] * 2]
    spec = miniatures.spec("morph2", tmp_path / "morph", options={"valid_rows": 4})
    with pytest.raises(UserError, match="valid_rows: 4 rows for validation leave none of the 4"):
        frame_of(spec, tmp_path)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("009055_1M54.jpg", "009055-1M54.jpg", "row 2: '009055-1M54.jpg' is not named"),
        ("jpg,9055", "jpg,9056", "row 2: id_num '9056' is not what '009055_1M54.jpg' says"),
        (",B,1,", ",B,-1,", "row 2: Male '-1' is not what"),
        (",38,", ",37,", "row 2: label 37 of '009055_1M54.jpg' is not its age less 16"),
        (",race,", ",Race,", "no column 'race'"),
    ],
)
def test_morph2_mistakes(tmp_path, old, new, message):
    miniatures.morph2(tmp_path / "morph")
    edited(tmp_path / "morph/morph2_train.csv", old, new)
    with pytest.raises(UserError, match=message):
        frame_of(miniatures.spec("morph2", tmp_path / "morph"), tmp_path)


def test_two_images_that_differ_in_capitals_alone_are_told_apart(tmp_path):
    miniatures.morph2(tmp_path / "morph")
    twice = tmp_path / "morph/Album2/009055_1M54.jpg"
    twice.write_bytes(twice.with_suffix(".JPG").read_bytes())
    with pytest.raises(UserError, match=r"009055_1M54.JPG' and .*009055_1M54.jpg' could both be"):
        packed_of(miniatures.spec("morph2", tmp_path / "morph"), tmp_path / "out")


def test_muct_from_its_five_archives(tmp_path):
    images = miniatures.muct(tmp_path / "muct")
    spec = miniatures.spec("muct", tmp_path / "muct")
    sources = locate(spec, tmp_path / "raw")
    assert len(sources.archives) == 5
    seen = []

    def find(image: np.ndarray) -> np.ndarray:
        seen.append(image)
        return np.array([(22, 26), (42, 26), (32, 36), (25, 45), (39, 45)], float)

    align(spec, tmp_path / "out", tmp_path / "raw", find, side=56)
    index = load_aligned(tmp_path / "out").index
    assert sorted(index["image"]) == sorted(images)
    for image, name in zip(seen, index["image"], strict=True):
        assert (image == np.asarray(Image.open(io.BytesIO(images[name])).convert("RGB"))).all()
    told = index.set_index("image")
    assert told["gender"]["i000qa-fn.jpg"] == "female"
    assert told["gender"]["i001re-mg.jpg"] == "male"
    assert set(index["subject"]) == {"000", "001", "247"}
    assert set(index["split"]) == {"test"}


def test_an_archive_of_muct_that_is_missing_is_named(tmp_path):
    miniatures.muct(tmp_path / "muct")
    (tmp_path / "muct/muct-c-jpg-v1.tar.gz").unlink()
    with pytest.raises(UserError, match=r"'muct': muct-c-jpg-v1.tar.gz is not there; take muct-a"):
        locate(miniatures.spec("muct", tmp_path / "muct"), tmp_path / "raw")


def test_mucts_cameras_and_a_split_by_subject(tmp_path):
    miniatures.muct(tmp_path / "muct")
    options = {"cameras": "ad", "split": {"test": 0.3, "valid": 0.0, "seed": 1}}
    frame = frame_of(miniatures.spec("muct", tmp_path / "muct", options=options), tmp_path)
    assert {name[5] for name in frame["image"]} == {"a", "d"}
    assert set(frame["split"]) == {"train", "test"}
    assert frame.groupby("subject")["split"].nunique().max() == 1


def test_mucts_landmarks(tmp_path):
    miniatures.muct(tmp_path / "muct")
    names, landmarks = read_landmarks(tmp_path / "muct/muct-landmarks-v1.tar.gz")
    assert names == miniatures.MUCT
    assert landmarks.shape == (len(names), 76, 2)
    assert landmarks[3, 5].tolist() == [21.25, 33.0]
    hidden = np.isnan(landmarks).any(axis=2)
    assert hidden[:, 4].tolist() == [name[5] in "bc" for name in names]
    assert hidden.sum() == hidden[:, 4].sum()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no muct76-opencv.csv with the columns"),
        ("name,tag,x,y\n", "no muct76-opencv.csv with the columns"),
        ("{head}\ni000qa-fn,0000,1,2\n", "line 2: not an image such as"),
        ("{head}\ni000qz-fn,0000,{row}\n", "line 2: not an image such as"),
        ("{head}\ni000qa-fn,0000,{row}x\n", "line 2: not an image such as"),
        ("{head}\ni000qa-fn,0000,{row}\n\ni000qa-fn,0000,{row}\n", "no image in it, or one twice"),
        ("{head}\n", "no image in it"),
    ],
)
def test_muct_mistakes(tmp_path, text, message):
    filled = text.format(head=",".join(miniatures.HEADER), row=",".join(["1"] * 152))
    path = tmp_path / "muct76-opencv.csv"
    path.write_text(filled)
    with pytest.raises(UserError, match=message):
        read_landmarks(path)
    path.write_bytes(b"\xff")
    with pytest.raises(UserError, match="can not be read"):
        read_landmarks(path)


def test_ar_face(tmp_path):
    faces = miniatures.ar_face(tmp_path / "discs")
    spec = miniatures.spec("ar_face", tmp_path / "discs")
    seen = []

    def find(image: np.ndarray) -> np.ndarray:
        seen.append(image)
        return np.array([(320, 250), (440, 250), (380, 320), (330, 400), (430, 400)], float)

    align(spec, tmp_path / "out", tmp_path / "raw", find, side=56)
    index = load_aligned(tmp_path / "out").index
    told = index[["image", "gender", "subject", "split"]].to_numpy().tolist()
    assert sorted(told) == [
        ["F-02-14.raw", "female", "F-02", "test"],
        ["M-00-1.raw", "male", "M-00", "test"],
        ["M-02-26.raw", "male", "M-02", "test"],
    ]
    seen = dict(zip(index["image"], seen, strict=True))
    for name, pixels in faces.items():
        assert (seen[name] == pixels).all(), name
    options = {"conditions": [1, 14], "split": {"test": 0.5, "valid": 0.0, "seed": 0}}
    frame = frame_of(miniatures.spec("ar_face", tmp_path / "discs", options=options), tmp_path)
    assert sorted(frame["image"]) == ["F-02-14.raw", "M-00-1.raw"]
    assert set(frame["split"]) == {"train", "test"}


def test_ar_face_of_another_length_is_listed_as_rejected(tmp_path):
    miniatures.ar_face(tmp_path / "discs")
    (tmp_path / "discs/dbf1/M-00-1.raw").write_bytes(bytes(1000))
    spec = miniatures.spec("ar_face", tmp_path / "discs")
    five = np.array([(320, 250), (440, 250), (380, 320), (330, 400), (430, 400)], float)
    align(spec, tmp_path / "out", tmp_path / "raw", lambda image: five, side=56)
    rejected = pd.read_csv(tmp_path / "out/rejected.csv")
    assert rejected["image"].tolist() == ["M-00-1.raw"]
    (tmp_path / "discs/again").mkdir()
    (tmp_path / "discs/again/M-00-1.raw").touch()
    with pytest.raises(UserError, match=r"'M-00-1.raw' is there twice"):
        frame_of(spec, tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match=r"no image such as M-01-1.raw in it; ask for the AR"):
        frame_of(miniatures.spec("ar_face", tmp_path / "none"), tmp_path)


@pytest.mark.parametrize(
    ("name", "listed", "rows"),
    [("morph2", {"train": "morph2_train.csv", "test": "morph2_test.csv"}, 55_224),
     ("cacd", {"test": "cacd_test.csv"}, 31_890)],
)  # fmt: skip
def test_the_authors_own_lists(tmp_path, name, listed, rows):
    folder = SHARED / "published/coral-cnn/v3-splits"
    if not folder.is_dir():
        pytest.skip(f"the authors' lists are not in {folder}")
    spec = miniatures.spec(name, folder, lists=listed)
    frame = frame_of(spec, tmp_path)
    assert len(frame) == rows
    assert frame["age"].between(*spec.ages).all()
    assert frame["image"].is_unique
    with open(folder / listed["test"], newline="", encoding="utf-8") as file:
        labels = [int(row["age"]) for row in csv.DictReader(file)]
    assert (frame[frame["split"] == "test"]["age"] - spec.ages[0]).tolist() == labels
    if name == "morph2":
        train = set(frame[frame["split"] == "train"]["subject"])
        seen = frame[frame["split"] == "test"]["subject"].isin(train).sum()
        assert seen == 10_641
