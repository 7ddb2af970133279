"""CACD as its authors hand it out: names in any encoding, coral-cnn's lists."""

import unicodedata
import zipfile

import pytest

from softbio.errors import UserError
from tests import miniatures
from tests.layouts import check_pixels, edited, frame_of, packed_of


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
