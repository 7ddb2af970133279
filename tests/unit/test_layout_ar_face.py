"""AR Face as its authors hand it out: planes of 768 x 576 without a header."""

import numpy as np
import pandas as pd
import pytest

from softbio.data.alignment.align import align, load_aligned
from softbio.errors import UserError
from tests import miniatures
from tests.layouts import Shown, frame_of

FIVE = np.array([(320, 250), (440, 250), (380, 320), (330, 400), (430, 400)], float)


def test_ar_face(tmp_path):
    faces = miniatures.ar_face(tmp_path / "discs")
    spec = miniatures.spec("ar_face", tmp_path / "discs")
    find = Shown(FIVE)
    align(spec, tmp_path / "out", tmp_path / "raw", find, side=56)
    index = load_aligned(tmp_path / "out").index
    told = index[["image", "gender", "subject", "split"]].to_numpy().tolist()
    assert sorted(told) == [
        ["F-02-14.raw", "female", "F-02", "test"],
        ["M-00-1.raw", "male", "M-00", "test"],
        ["M-02-26.raw", "male", "M-02", "test"],
    ]
    shown = find.of(index)
    for name, pixels in faces.items():
        assert (shown[name] == pixels).all(), name
    options = {"conditions": [1, 14], "split": {"test": 0.5, "valid": 0.0, "seed": 0}}
    frame = frame_of(miniatures.spec("ar_face", tmp_path / "discs", options=options), tmp_path)
    assert sorted(frame["image"]) == ["F-02-14.raw", "M-00-1.raw"]
    assert set(frame["split"]) == {"train", "test"}


def test_ar_face_of_another_length_is_listed_as_rejected(tmp_path):
    miniatures.ar_face(tmp_path / "discs")
    (tmp_path / "discs/dbf1/M-00-1.raw").write_bytes(bytes(1000))
    spec = miniatures.spec("ar_face", tmp_path / "discs")
    align(spec, tmp_path / "out", tmp_path / "raw", lambda image: FIVE, side=56)
    rejected = pd.read_csv(tmp_path / "out/rejected.csv")
    assert rejected["image"].tolist() == ["M-00-1.raw"]
    (tmp_path / "discs/again").mkdir()
    (tmp_path / "discs/again/M-00-1.raw").touch()
    with pytest.raises(UserError, match=r"'M-00-1.raw' is there twice"):
        frame_of(spec, tmp_path)
    (tmp_path / "none").mkdir()
    with pytest.raises(UserError, match=r"no image such as M-01-1.raw in it; request the AR"):
        frame_of(miniatures.spec("ar_face", tmp_path / "none"), tmp_path)
