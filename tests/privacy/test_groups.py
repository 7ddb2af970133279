"""Groups of faces: the rows that members train on, and the prototypes of a face."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from softbio.errors import UserError
from softbio.privacy.groups import face_groups
from softbio.privacy.parts import gender_of
from softbio.privacy.prototype_source import prototype_source
from softbio.privacy.prototypes import (
    group_faces,
    make_prototypes,
    mean_faces,
    read_prototypes,
    write_pairs,
)
from softbio.privacy.training.train_auxiliaries import targets
from tests.privacy.sans import GENDER

CPU = torch.device("cpu")


def test_e1_has_every_face_once_and_e2_some_twice(trained):
    inside = np.flatnonzero(trained.parts == "san")
    plain, _ = targets(GENDER, trained.packed, trained.parts)
    assert plain.tolist() == inside.tolist()
    drawn = []
    for member in (1, 2):
        recipe = replace(GENDER, diversity="e2", member=member, duplicated=0.25)
        rows, _ = targets(recipe, trained.packed, trained.parts)
        counts = np.bincount(rows, minlength=len(trained.parts))
        assert set(counts[inside]) == {1, 2}
        assert counts.sum() == counts[inside].sum() == len(inside) + round(len(inside) / 4)
        again, _ = targets(recipe, trained.packed, trained.parts)
        assert rows.tolist() == again.tolist()
        drawn.append(counts)
    assert (drawn[0] != drawn[1]).any()


@pytest.mark.parametrize("choice", ["gender", "age", "race", "told"])
def test_e3_balances_the_groups_within_the_part(trained, choice):
    packed, parts = trained.packed, trained.parts
    recipe = replace(GENDER, diversity="e3", groups=choice)
    rows, _ = targets(recipe, packed, parts)
    assert set(rows) == set(np.flatnonzero(parts == "san"))
    assert set(packed.subjects[rows]).isdisjoint(packed.subjects[parts != "san"])
    frame = packed.index.iloc[rows]
    columns = [frame["gender"]]
    columns += [frame["race"]] if choice in ("race", "told") else []
    if choice in ("age", "told"):
        middle = packed.index["age"][parts == "san"].median()
        columns.append(frame["age"] > middle)
    sizes = frame.groupby(columns).size()
    assert sizes.nunique() == 1
    assert len(sizes) == {"gender": 2, "age": 4, "race": 8, "told": 16}[choice]
    other, _ = targets(replace(recipe, member=2), packed, parts)
    assert sorted(rows) != sorted(other)


def test_what_can_not_be_grouped_is_told(trained):
    packed, inside = trained.packed, trained.parts == "san"

    def other(**columns):
        return replace(packed, index=packed.index.assign(**columns))

    assert len(face_groups(other(race="A"), inside, "told").names) == 2
    assert face_groups(other(race="A", age=None), inside, "told").names == ("all faces",)
    for index, choice, message in (
        (other(race="A"), "race", "all training faces have one value of 'race'"),
        (other(age=30), "age_race", "one value of 'age'"),
        (other(age=None), "age", "not every training face has a value of 'age'"),
        (other(race="unknown"), "race", "not every training face has a value"),
    ):
        with pytest.raises(UserError, match=message):
            face_groups(index, inside, choice)


def test_an_age_group_stands_for_an_age_that_is_not_told(trained):
    packed, inside = trained.packed, trained.parts == "san"
    told = np.where(packed.index["age"] > 50, "old", "young").astype(object)
    packed = replace(packed, index=packed.index.assign(age=None, age_group=told))
    groups = face_groups(packed, inside, "age")
    assert groups.names == ("old", "young")
    assert (np.array(groups.names)[groups.number] == told).all()


def test_faces_in_no_group_have_the_prototypes_of_their_gender(trained):
    packed, inside = trained.packed, trained.parts == "san"
    ages = packed.index["age"].where(inside, None).astype(object)
    races = packed.index["race"].where(inside, "a group of which nobody was seen")
    for other, choice in (({"age": ages}, "age"), ({"race": races}, "race")):
        lacking = replace(packed, index=packed.index.assign(**other))
        groups = face_groups(lacking, inside, choice)
        assert (groups.number[inside] >= 0).all()
        assert (groups.number[~inside] == -1).all()
        found = group_faces(lacking, inside, choice)
        source = prototype_source(found, None, "mean", torch.device("cpu"))
        rows = np.flatnonzero(inside)
        plain = mean_faces(packed, rows, gender_of(packed)[rows])
        row, women = torch.tensor([np.flatnonzero(~inside)[0]]), torch.tensor([0])
        seen = source.modes(row, women).sm[0].permute(1, 2, 0).numpy()
        np.testing.assert_array_equal(seen, plain.means[0])


def test_what_is_told_is_told_of_the_faces_to_be_protected_too(trained):
    """CelebA tells young from old and LFW does not: a member that learnt from prototypes by age
    would meet none of them in the faces that it is judged on."""
    packed, inside = trained.packed, trained.parts == "san"
    ages = packed.index["age"].where(inside, None).astype(object)
    lacking = replace(packed, index=packed.index.assign(age=ages))
    assert group_faces(lacking, inside, "told").names == group_faces(packed, inside, "race").names
    balanced = face_groups(lacking, inside, "told")  # e3 balances what is learnt from
    assert balanced.names == face_groups(packed, inside, "age_race").names
    nowhere = replace(lacking, index=lacking.index.assign(race=None))
    alone = group_faces(nowhere, inside, "told")
    rows = np.flatnonzero(inside)
    plain = mean_faces(packed, rows, gender_of(packed)[rows])
    assert alone.names == ("all faces",)
    np.testing.assert_array_equal(alone.means, np.stack([plain.means] * 2))


def test_a_group_without_faces_is_told(trained, tmp_path):
    packed, parts = trained.packed, trained.parts
    # all women of the training part are of group A
    lone = packed.index["race"].where((gender_of(packed) == 1) | (parts != "san"), "group A")
    lacking = replace(packed, index=packed.index.assign(race=lone))
    with pytest.raises(UserError, match="no training face is 'female, group B'"):
        make_prototypes(lacking, trained.path("parts.csv"), tmp_path / "p.npz", "race")
    recipe = replace(GENDER, diversity="e3", groups="race")
    with pytest.raises(UserError, match="'female, group B', so there is none to oversample"):
        targets(recipe, lacking, parts)


def test_groups_of_one_race_are_told_before_anything_is_trained(trained, tmp_path):
    """By the prototypes of SANs and by the classifiers of e3, which wait for none."""
    one = replace(trained.packed, index=trained.packed.index.assign(race="group A"))
    told = r"one value of 'race'; choose privacy\.groups without it"
    for choice in ("race", "age_race"):
        with pytest.raises(UserError, match=told):
            make_prototypes(one, trained.path("parts.csv"), tmp_path / "p.npz", choice)
        with pytest.raises(UserError, match=told):
            targets(replace(GENDER, diversity="e3", groups=choice), one, trained.parts)
    assert not (tmp_path / "p.npz").exists()


def test_fewer_subjects_than_members_are_told(trained):
    few = replace(GENDER, member=1000)
    with pytest.raises(UserError, match=r"subjects, fewer than its members .1000"):
        targets(few, trained.packed, trained.parts)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"diversity": "e4"}, "choose one of 'e1', 'e2', 'e3'"),
        ({"member": 0}, "at least 1"),
        ({"duplicated": 0.0}, "must be in"),
        ({"kind": "matcher", "diversity": "e2"}, "matcher has no diversity"),
        ({"groups": "hair"}, "choose one of"),
    ],
)
def test_bad_recipes_are_refused(changes, message):
    with pytest.raises(UserError, match=message):
        replace(GENDER, **changes)


def test_prototypes_of_a_face_are_the_means_of_its_group(trained, by_age, tmp_path):
    packed, inside = trained.packed, trained.parts == "san"
    known = read_prototypes(by_age, "age")
    assert known.names == ("old", "young")
    source = prototype_source(known, None, "mean", CPU)
    age, gender = packed.index["age"].to_numpy(float), gender_of(packed)
    old = age > np.median(age[inside])
    rows = [int(np.flatnonzero(~inside & (old == side))[0]) for side in (True, False)]
    modes = source.modes(torch.tensor(rows), torch.tensor(gender[rows]))
    for place, row in enumerate(rows):
        for mode, own in ((modes.sm, gender[row]), (modes.op, 1 - gender[row])):
            alike = inside & (old == old[row]) & (gender == own)
            expected = np.asarray(packed.images[alike], float).mean(0) / 255
            found = mode[place].permute(1, 2, 0).numpy()
            np.testing.assert_allclose(found, expected, atol=1e-6)
    # warped: each face with the pair of its group
    write_pairs(known, packed, tmp_path / "warped.npy")
    plain = np.load(trained.path("warped.npy"), mmap_mode="r")
    warped = np.load(tmp_path / "warped.npy", mmap_mode="r")
    assert warped.shape == plain.shape
    assert (warped[rows] != plain[rows]).any()
    with pytest.raises(UserError, match="prototypes by age; the recipe's groups are 'gender'"):
        read_prototypes(by_age)
