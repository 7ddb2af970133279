"""The authors' own lists through the readers."""

import csv

import pytest

from tests import miniatures
from tests.conftest import SHARED
from tests.layouts import frame_of


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
