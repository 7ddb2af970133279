"""Pair lists: complete, the same each time, evenly capped; LFW's own read as meant."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from softbio.data.pairs import COLUMNS, all_pairs, check_images, gallery_pairs, read_view2
from softbio.errors import UserError
from tests.conftest import ROOT

VIEW2 = ROOT.parent / "shared/datasets/lfw/pairs.txt"


def images(each: list[int]) -> tuple[np.ndarray, np.ndarray]:
    subjects = [f"s{s}" for s, count in enumerate(each) for _ in range(count)]
    names = [f"{s}-{n}" for n, s in enumerate(subjects)]
    return np.array(names, object), np.array(subjects, object)


@given(st.lists(st.integers(1, 4), min_size=2, max_size=7).filter(lambda each: max(each) > 1))
def test_all_pairs_are_all_pairs_once(each):
    names, subjects = images(each)
    found = all_pairs(names, subjects)
    pairs = {frozenset(pair) for pair in zip(found["reference"], found["probe"], strict=True)}
    assert pairs == {frozenset(pair) for pair in combinations(names, 2)}
    assert len(found) == len(pairs)
    of = dict(zip(names, subjects, strict=True))
    assert (found["reference"].map(of) == found["reference_subject"]).all()
    assert (found["probe"].map(of) == found["probe_subject"]).all()
    assert (found["mated"] == (found["reference_subject"] == found["probe_subject"])).all()


@given(st.integers(1, 40), st.permutations(range(12)))
def test_a_capped_list_depends_on_the_names_alone(cap, order):
    names, subjects = images([2, 3, 1, 4, 2])
    order = np.array(order)
    found = all_pairs(names[order], subjects[order], cap)
    pd.testing.assert_frame_equal(found, all_pairs(names, subjects, cap))
    assert not found.duplicated(["reference", "probe"]).any()
    assert found["mated"].value_counts().to_dict() == {
        True: min(cap, 1 + 3 + 6 + 1),
        False: min(cap, 66 - 11),
    }


def test_a_cap_takes_from_every_subject():
    found = all_pairs(*images([3] * 100), cap=100)
    assert found[found["mated"]]["probe_subject"].nunique() == 100
    non_mated = found[~found["mated"]]
    assert non_mated["reference_subject"].nunique() > 50


def test_a_large_set_needs_no_room_for_all_pairs():
    names, subjects = images([2] * 20_000)
    found = all_pairs(names, subjects, cap=500)
    assert found["mated"].value_counts().to_dict() == {True: 500, False: 500}
    # no pair twice, whichever side comes first, and none of an image with itself
    compared = zip(found["reference"], found["probe"], strict=True)
    assert len({frozenset(pair) for pair in compared}) == 1000
    assert (found["reference"] != found["probe"]).all()
    of = dict(zip(names, subjects, strict=True))
    assert (found["reference"].map(of) == found["reference_subject"]).all()
    assert (found["probe"].map(of) == found["probe_subject"]).all()
    assert (found["mated"] == (found["reference_subject"] == found["probe_subject"])).all()
    # pairs are spread over the subjects: a mated pair is the only one of its subject
    assert found.loc[found["mated"], "probe_subject"].nunique() == 500
    assert found.loc[~found["mated"], "reference_subject"].nunique() > 450


@pytest.mark.parametrize(
    ("each", "message"), [([1, 1, 1], "no mated pair"), ([3], "no non-mated pair")]
)
def test_a_kind_without_pairs_is_named(each, message):
    with pytest.raises(UserError, match=message):
        all_pairs(*images(each))


def test_unknown_subjects_and_repeated_images_are_refused():
    names, subjects = images([2, 2])
    with pytest.raises(UserError, match="no subject"):
        all_pairs(names, np.array([None, *subjects[1:]], object))
    with pytest.raises(UserError, match="s0-0 occurs twice"):
        all_pairs(np.array(["s0-0", *names[:3]], object), subjects)


def test_a_gallery_holds_one_image_of_each_subject_with_more():
    found = gallery_pairs(*images([1, 2, 3]))
    assert sorted(set(found["reference"])) == ["s1-1", "s2-3"]
    assert sorted(set(found["probe"])) == ["s1-2", "s2-4", "s2-5"]
    assert len(found) == 6
    assert found.groupby("probe")["mated"].sum().eq(1).all()
    with pytest.raises(UserError, match="no subject has two images"):
        gallery_pairs(*images([1, 1]))


def test_a_missing_image_is_named():
    names, subjects = images([2, 2])
    pairs = all_pairs(names, subjects)
    check_images(pairs, names, "all")
    with pytest.raises(
        UserError, match="all: 2 of 4 images are not in the data set, the first is s0-0"
    ):
        check_images(pairs, names[2:], "all")


SMALL = "2\t1\nA_B\t1\t4\nA_B\t2\tC\t13\nD\t2\t3\nD\t1\tE\t1\n"


def test_view2_is_read(tmp_path):
    path = tmp_path / "pairs.txt"
    path.write_text(SMALL)
    found = read_view2(path)
    assert found.columns.tolist() == COLUMNS
    assert found.to_numpy().tolist() == [
        ["A_B/A_B_0001.jpg", "A_B/A_B_0004.jpg", "A_B", "A_B", True, 0],
        ["A_B/A_B_0002.jpg", "C/C_0013.jpg", "A_B", "C", False, 0],
        ["D/D_0002.jpg", "D/D_0003.jpg", "D", "D", True, 1],
        ["D/D_0001.jpg", "E/E_0001.jpg", "D", "E", False, 1],
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("2\t1\n", "two\n", "line 1 is not the number of folds"),
        ("2\t1\n", "10\t300\n", "4 pairs, not 2 x 10 x 300"),
        ("A_B\t1\t4", "A_B\t1", "line 2 is not 'name n m'"),
        ("D\t1\tE\t1", "D\t1\tE", "line 5 is not 'name n name m'"),
        ("D\t2\t3", "D\t2\tthree", "line 4 is not"),
    ],
)
def test_a_broken_view2_names_the_line(tmp_path, old, new, message):
    path = tmp_path / "pairs.txt"
    path.write_text(SMALL.replace(old, new))
    with pytest.raises(UserError, match=message):
        read_view2(path)
    with pytest.raises(UserError, match="not readable"):
        read_view2(tmp_path)


@pytest.mark.skipif(not VIEW2.is_file(), reason="LFW is not there")
def test_the_authors_view2():
    found = read_view2(VIEW2)
    assert len(found) == 6000
    assert (
        found.groupby("fold")["mated"].agg(["size", "sum"]).to_numpy().tolist() == [[600, 300]] * 10
    )
    assert not found.duplicated(["reference", "probe"]).any()
    # the folds share no subject, as the data set's page promises
    sides = [
        found[["fold", f"{s}_subject"]].set_axis(["fold", "subject"], axis=1)
        for s in ("reference", "probe")
    ]
    assert pd.concat(sides).groupby("subject")["fold"].nunique().max() == 1
