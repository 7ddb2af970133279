"""MUCT as its authors hand it out: an archive a camera, and one with the landmarks."""

import numpy as np
import pytest

from softbio.data.fetching.locate import locate
from softbio.data.readers.muct import read_landmarks
from softbio.errors import UserError
from tests import miniatures
from tests.layouts import aligned_of, check_originals, frame_of


def test_muct_from_its_five_archives(tmp_path):
    images = miniatures.muct(tmp_path / "muct")
    spec = miniatures.spec("muct", tmp_path / "muct")
    sources = locate(spec, tmp_path / "raw")
    assert len(sources.archives) == 5
    index, shown = aligned_of(spec, tmp_path)
    check_originals(shown, images)
    told = index.set_index("image")
    assert told["gender"]["i000qa-fn.jpg"] == "female"
    assert told["gender"]["i001re-mg.jpg"] == "male"
    assert set(index["subject"]) == {"000", "001", "247"}
    assert set(index["split"]) == {"test"}


def test_an_archive_of_muct_that_is_missing_is_named(tmp_path):
    miniatures.muct(tmp_path / "muct")
    (tmp_path / "muct/muct-c-jpg-v1.tar.gz").unlink()
    with pytest.raises(UserError, match=r"'muct': muct-c-jpg-v1.tar.gz is not there; get muct-a"):
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
    with pytest.raises(UserError, match="cannot be read"):
        read_landmarks(path)
