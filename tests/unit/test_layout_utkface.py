"""UTKFace as its authors hand it out: age, gender and race in the name, coral-cnn's lists."""

import gzip

import pytest

from softbio.errors import UserError
from tests import miniatures
from tests.layouts import check_pixels, edited, frame_of, packed_of


@pytest.mark.parametrize("made", ["tar.gz", "tar", "folder", "capitals"])
def test_utkface(tmp_path, made):
    folder = tmp_path / "utk"
    images = miniatures.utkface(folder)
    whole = gzip.decompress((folder / "UTKFace.tar.gz").read_bytes())
    if made != "tar.gz":
        (folder / "UTKFace.tar.gz").unlink()
    if made == "tar":
        (folder / "UTKFace.tar").write_bytes(whole)
    if made in ("folder", "capitals"):
        (folder / "UTKFace").mkdir()
        for name, content in images.items():
            stem = name.removesuffix(".jpg")
            suffix = ".JPG" if made == "capitals" else ".jpg"
            (folder / "UTKFace" / f"{stem}{suffix}").write_bytes(content)
    packed = packed_of(miniatures.spec("utkface", folder), tmp_path / "out")
    check_pixels(packed, images)
    columns = ["image", "age", "label", "split", "gender", "race"]
    told = packed.index[columns].astype(object).fillna("?").to_numpy().tolist()
    assert told == [
        [miniatures.UTKFACE[0], 36, 15, "train", "male", "Black"],
        [miniatures.UTKFACE[1], 21, 0, "train", "female", "White"],
        [miniatures.UTKFACE[2], 60, 39, "train", "male", "Others"],
        [miniatures.UTKFACE[3], 39, 18, "test", "female", "?"],
        [miniatures.UTKFACE[4], 55, 34, "test", "female", "Others"],
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("jpg,15", "jpg,36", "label 36 of '36_0_1_.*' is not its age less 21"),
        ("36_0_1_2", "36_7_1_2", "'36_7_1_.*' is not named age_gender_race_time"),
        ("jpg,15", "jpg,old", "row 2: label 'old' is not a rank"),
        (",file,", ",name,", "no column 'file'"),
    ],
)
def test_utkface_mistakes(tmp_path, old, new, message):
    miniatures.utkface(tmp_path / "utk")
    edited(tmp_path / "utk/utk_train.csv", old, new)
    with pytest.raises(UserError, match=message):
        frame_of(miniatures.spec("utkface", tmp_path / "utk"), tmp_path)


def test_a_listed_image_that_the_archive_lacks_is_named(tmp_path):
    miniatures.utkface(tmp_path / "utk")
    edited(tmp_path / "utk/utk_test.csv", "55_1_4_2", "55_1_4_3")
    with pytest.raises(UserError, match=r"1 of 5 listed images are not in it, .*'55_1_4_3"):
        packed_of(miniatures.spec("utkface", tmp_path / "utk"), tmp_path / "out")
