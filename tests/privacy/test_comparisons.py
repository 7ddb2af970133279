"""Which test images are compared, and what is left out."""

import numpy as np
import pandas as pd
import pytest

from softbio.errors import UserError
from softbio.privacy.judging.comparisons import (
    Limits,
    compared,
    gallery_rows,
    listed_pairs,
    pair_lists,
)
from tests.privacy.judged import panel_of

PAIRS = "2\t1\nada\t1\t2\nada\t1\tbob\t1\nbob\t1\t2\nada\t2\tbob\t2\n"


def test_a_gallery_that_loses_an_image_loses_its_probes_too(home):
    panel = panel_of(home, "none")
    member = next(m for m in panel.members if m.name == "own_matcher")
    images = np.array(["a1", "a2", "b1", "b2"], object)
    index = pd.DataFrame({"image": images, "subject": ["a", "a", "b", "b"]})
    listed = pair_lists(index, Limits())["gallery"].frame
    embedded = np.ones((4, 2), np.float32)
    embedded[0] = np.nan
    frame, lost = compared(member.evaluator, listed, images, embedded, embedded, closed=True)
    assert list(zip(frame["reference"], frame["probe"], strict=True)) == [("b1", "b2")]
    assert lost == 3


def test_limits_keep_lists_small_and_even():
    subjects = np.repeat([f"s{n:03d}" for n in range(100)], 8).astype(object)
    images = np.array([f"{s}/{n}" for n, s in enumerate(subjects)], object)
    rows = gallery_rows(images, subjects, Limits(subjects=10, probes=2))
    counts = pd.Series(subjects[rows]).value_counts()
    assert sorted(counts.index) == [f"s{n:03d}" for n in range(0, 100, 10)]
    assert set(counts) == {3}
    index = pd.DataFrame({"image": images, "subject": subjects})
    lists = pair_lists(index, Limits(comparisons=50, subjects=10, probes=2))
    assert lists["all"].frame["mated"].value_counts().to_dict() == {True: 50, False: 50}
    assert len(lists["gallery"].frame) == 10 * 20
    assert lists["gallery"].missing == 0


@pytest.fixture
def lfw(tmp_path):
    """A pair list of two folds and its index; bob's second image has no face."""
    (tmp_path / "pairs.txt").write_text(PAIRS)
    images = ["ada/ada_0001.jpg", "ada/ada_0002.jpg", "bob/bob_0001.jpg"]
    pd.DataFrame({"image": images}).to_parquet(tmp_path / "index.parquet")
    lost = pd.DataFrame({"dataset": ["lfw"], "image": ["bob/bob_0002.jpg"], "reason": ["no face"]})
    lost.to_csv(tmp_path / "left_out.csv", index=False)
    return [tmp_path / name for name in ("pairs.txt", "index.parquet", "left_out.csv")]


def test_a_pair_list_keeps_folds_and_counts_what_is_not_there(lfw):
    index = pd.DataFrame({"image": pd.read_parquet(lfw[1])["image"], "subject": [*"aab"]})
    found = pair_lists(index, Limits(), listed_pairs(*lfw))["view2"]
    assert found.missing == 2
    assert list(found.frame["fold"]) == [0, 0]
    assert list(found.frame["mated"]) == [True, False]
    assert pair_lists(index, Limits(), listed_pairs(*lfw, folds=1))["view2"].missing == 0


def test_a_pair_list_that_names_an_unknown_image_is_refused(lfw):
    with pytest.raises(UserError, match=r"pairs.txt: 1 of 4 images .* bob/bob_0002.jpg"):
        listed_pairs(*lfw[:2])
    # of the folds that are taken
    assert len(listed_pairs(*lfw[:2], folds=1)) == 2
