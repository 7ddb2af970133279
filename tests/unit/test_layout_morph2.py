"""MORPH-2 as its authors hand it out: subject, gender and age in the name, coral-cnn's lists."""

import pytest

from softbio.errors import UserError
from tests import miniatures
from tests.layouts import check_pixels, edited, frame_of, packed_of


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
