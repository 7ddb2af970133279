"""Attributes: their classes, and faces of which they are not told."""

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.privacy import Attribute
from softbio.privacy.attributes import AGE_GROUPS, attributes_of, labels_of


def packed(**columns) -> Packed:
    index = pd.DataFrame(columns)
    return Packed(np.zeros((len(index), 4, 4, 3), np.uint8), index, (0, 0))


def test_a_recipe_with_attributes_is_planned_without_pandas():
    program = (
        "import sys; from softbio.privacy.privacynet_recipe import privacynet_recipe, read_recipe\n"
        "known = [{'name': 'gender', 'values': ['female', 'male']}]\n"
        "values = {'dataset': 'faces', 'seed': 0, 'size': 64, 'attributes': known}\n"
        "print(read_recipe(values).attributes[0].values, 'pandas' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.strip() == "('female', 'male') False", done.stderr


def test_ages_are_parted_as_pandas_does():
    ages = [18, 30, 31, 45, 46, 99]
    found = labels_of(pd.DataFrame({"age": ages}), Attribute("age", AGE_GROUPS))
    np.testing.assert_array_equal(found, pd.cut(ages, [0, 30, 45, 200], labels=False))


def test_what_is_not_told_has_no_class():
    index = pd.DataFrame({"age": [20, None], "race": ["unknown", "B"], "gender": ["male", None]})
    assert labels_of(index, Attribute("age", AGE_GROUPS)).tolist() == [0, -1]
    assert labels_of(index, Attribute("race", ("A", "B"))).tolist() == [-1, 1]
    assert labels_of(index, Attribute("gender", ("female", "male"))).tolist() == [1, -1]
    ages = pd.DataFrame({"age": [1, 2]})
    assert labels_of(ages, Attribute("race", ("A", "B"))).tolist() == [-1, -1]


def test_attributes_are_those_that_can_be_learnt():
    faces = packed(
        gender=["female", "male"] * 30,
        age=[20, 70, 50] * 20,
        race=["B"] * 30 + ["A"] * 25 + ["C"] * 5,
    )
    inside = np.ones(60, bool)
    found = {attribute.name: attribute.values for attribute in attributes_of(faces, inside)}
    assert found == {
        "gender": ("female", "male"),
        "age": ("up to 30", "over 45"),
        "race": ("A", "B"),
    }
    # of the first half all are of one race
    inside[30:] = False
    assert [each.name for each in attributes_of(faces, inside, 10)] == ["gender", "age"]
    inside[:] = faces.index["gender"] == "male"
    with pytest.raises(UserError, match="fewer than 20 training faces of either gender"):
        attributes_of(faces, inside)
