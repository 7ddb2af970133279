"""Laws of the repaired split."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from softbio.data.packed import load_packed
from softbio.data.repair import Alike, groups_of, repair, write_repaired
from softbio.data.splitlists import PARTS
from softbio.data.splits import assign
from softbio.engine.device import choose_device
from softbio.engine.training import training_data
from softbio.errors import UserError
from tests.conftest import write_packed
from tests.unit.test_train import RECIPE


@st.composite
def data_sets(draw) -> tuple[pd.DataFrame, Alike]:
    """Up to 60 images with copies, near-duplicates and, perhaps, people; labels may be disputed."""
    n = draw(st.integers(2, 60))

    def column(values):
        return draw(st.lists(values, min_size=n, max_size=n))

    people = st.none() if draw(st.booleans()) else st.sampled_from([None, *"abcdefgh"])
    labels = np.array(column(st.integers(0, 5)))
    index = pd.DataFrame(
        {
            "image": [f"{number}.png" for number in range(n)],
            "label": labels,
            "age": labels + 20,
            "split": column(st.sampled_from(PARTS)),
            "subject": pd.Series(column(people), dtype=object),
        }
    )
    rows = st.integers(0, n - 1)
    near = draw(st.lists(st.tuples(rows, rows), max_size=n // 2))
    alike = Alike(np.array(column(st.integers(0, 3 * n))), np.array(near, int).reshape(-1, 2))
    return index, alike


def repaired_or_skip(index: pd.DataFrame, alike: Alike):
    try:
        return repair(index, alike)
    except UserError:
        # too few groups for two parts; a test of its own is below
        assume(False)


@given(data_sets())
def test_nothing_stands_in_two_parts(given_):
    index, alike = given_
    repaired = repaired_or_skip(index, alike)
    kept = repaired.part != "removed"
    frame = index.assign(part=repaired.part, group=repaired.group, twin=alike.identical)[kept]
    for column in ("group", "subject", "twin"):
        assert (frame.dropna(subset=column).groupby(column)["part"].nunique() <= 1).all()
    for one, two in alike.near:
        if kept[one] and kept[two]:
            assert repaired.part[one] == repaired.part[two]


@given(data_sets())
def test_nothing_is_lost_but_what_is_listed_with_its_reason(given_):
    index, alike = given_
    repaired = repaired_or_skip(index, alike)
    assert set(repaired.part) <= {*PARTS, "removed"}
    assert ((repaired.part == "removed") == (repaired.reason != "")).all()
    for _, rows in pd.Series(range(len(index))).groupby(alike.identical):
        reasons = repaired.reason[rows.to_numpy()]
        if index["age"].iloc[rows].nunique() > 1:
            assert all(reason.startswith("disputed age: ") for reason in reasons)
        else:
            first = index["image"].iloc[rows.iloc[0]]
            assert reasons[0] == ""
            assert set(reasons[1:]) <= {f"identical image: the same as {first}"}


@given(data_sets())
def test_it_is_the_same_each_time_and_of_the_stated_size(given_):
    index, alike = given_
    repaired, again = repaired_or_skip(index, alike), repair(index.copy(), alike)
    assert (repaired.part == again.part).all()
    kept = repaired.part != "removed"
    largest = np.bincount(repaired.group[kept]).max()
    for name in PARTS:
        wanted = (index["split"] == name).mean() * kept.sum()
        size = (repaired.part == name).sum()
        assert wanted - 2 * largest < size + 1e-6
        assert size - 1e-6 < wanted + largest
        if not wanted:
            assert size == 0


@given(st.integers(0, 2**32 - 1), st.integers(1, 400))
def test_single_images_are_stratified(seed, n):
    generator = np.random.default_rng(seed)
    labels, shares = generator.integers(0, 4, n), np.array([0.7, 0.1, 0.2])
    part = assign(labels, np.arange(n), shares)
    for label in range(4):
        counts = np.bincount(part[labels == label], minlength=3)
        assert (np.abs(counts - shares * counts.sum()) <= 3).all()


def test_groups_join_over_several_steps():
    alike = Alike(np.array([0, 1, 0, 2, 3, 4]), np.array([[2, 3]]))
    subjects = pd.Series([None, "a", None, "a", "b", None], dtype=object)
    group = groups_of(alike, subjects)
    assert len(set(group[:4])) == 1
    assert len(set(group)) == 3


def test_an_image_keeps_its_part_where_it_can():
    index = pd.DataFrame({"image": list("abcdefghij"), "label": 0, "age": 20, "subject": None})
    index["split"] = ["train"] * 5 + ["test"] * 5
    unlike = Alike(np.arange(10), np.empty((0, 2), int))
    assert (repair(index, unlike).part == index["split"]).all()


def test_a_missing_age_comes_back():
    """As in the journal's AFAD: one age stands in the validation part alone."""
    labels = np.repeat([0, 1, 2], 100)
    split = np.array(["train"] * 160 + ["valid"] * 40 + ["valid"] * 80 + ["test"] * 20)
    index = pd.DataFrame({"image": np.arange(300).astype(str), "label": labels, "age": labels})
    index = index.assign(split=split, subject=None)
    part = repair(index, Alike(np.arange(300), np.empty((0, 2), int))).part
    for name in PARTS:
        assert set(labels[part == name]) == {0, 1, 2}


def test_too_few_groups_are_named():
    index = pd.DataFrame({"image": ["a", "b"], "label": 0, "age": 20, "split": ["train", "test"]})
    index["subject"] = "one"
    with pytest.raises(UserError, match="part is empty, 2 images in 1 groups are too few"):
        repair(index, Alike(np.arange(2), np.empty((0, 2), int)))


def test_it_is_written_as_a_data_set_of_its_own(tmp_path):
    splits = ["train"] * 60 + ["test"] * 20
    packed = write_packed(tmp_path / "faces/18", splits, [n % 6 for n in range(80)], k=6, size=18)
    card = json.loads((packed / "card.json").read_text())
    card |= {"name": "faces", "title": "Faces", "known_problems": ["old"]}
    (packed / "card.json").write_text(json.dumps(card))
    data = load_packed(packed)
    near = np.array([[n, n + 60] for n in range(20)] + [[n, n + 6] for n in range(30)])
    repaired = repair(data.index, Alike(np.arange(80) % 79, near))
    folder = tmp_path / "faces-repaired/18"
    for _ in range(2):
        write_repaired(packed, folder, data.index, repaired)
    again = load_packed(folder)
    assert (again.images == data.images).all()
    assert not (folder / "images.npy").readlink().is_absolute()
    listed = pd.read_csv(folder / "split.csv", keep_default_na=False)
    assert list(listed["part"]) == list(repaired.part) == list(again.index["split"])
    assert (listed["part"] == "removed").sum() == 2
    card = json.loads((folder / "card.json").read_text())
    assert card["name"] == "faces-repaired"
    assert sum(card["counts"].values()) == 78
    assert card["known_problems"][1:] == ["old"]
    # what is held out for validation does not divide a group either
    seen = training_data(again, replace(RECIPE, validation=0.3), choose_device("cpu"))
    held, trained = repaired.group[seen.valid.numpy()], repaired.group[seen.train.numpy()]
    assert len(held)
    assert not set(held) & set(trained)
