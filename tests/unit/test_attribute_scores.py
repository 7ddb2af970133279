"""Score files of age and race, and their numbers beside scikit-learn's."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import balanced_accuracy_score, mean_absolute_error

from softbio.errors import UserError
from softbio.metrics.groups import balanced_error, weighted_mean
from softbio.privacy.attributes import AGE_BOUNDS, AGE_GROUPS
from softbio.results.attribute_scores import (
    AttributeAbout,
    AttributeScores,
    read_attribute,
    write_attribute,
)
from softbio.statistics.intervals import judge

ABOUT = {"dataset": "faces", "evaluator": "own_coral", "protector": "original", "mode": ""}


def aged(labels, predictions, each: int = 2) -> AttributeScores:
    """Ages; each: images of a subject."""
    about = AttributeAbout(
        **ABOUT, attribute="age", values=AGE_GROUPS, bounds=AGE_BOUNDS, seed=3, title="CORAL"
    )
    names = [f"{place:04d}" for place in range(len(labels))]
    frame = pd.DataFrame({"image": names, "subject": [f"s{int(n) // each:04d}" for n in names]})
    return AttributeScores(about, frame.assign(label=labels, prediction=predictions))


def some(count: int = 80, seed: int = 0) -> AttributeScores:
    generator = np.random.default_rng(seed)
    ages = generator.integers(21, 61, count)
    return aged(ages, ages + generator.normal(0, 6, count))


def test_a_file_is_read_as_it_was_written(tmp_path):
    scores = some()
    write_attribute(tmp_path / "a.parquet", scores)
    read = read_attribute(tmp_path / "a.parquet")
    assert read.about == scores.about
    pd.testing.assert_frame_equal(read.frame, scores.frame, check_dtype=False)


def test_years_are_parted_as_pandas_does_and_predicted_ones_rounded():
    told, predicted = aged([30, 31, 45, 46], [30.4, 30.6, 45.4, 45.6]).classes
    np.testing.assert_array_equal(told, pd.cut([30, 31, 45, 46], [0, 30, 45, 200], labels=False))
    assert predicted.tolist() == told.tolist() == [0, 1, 1, 2]


def test_numbers_are_scikit_learns():
    scores = some()
    judged = judge(scores, 50)
    told, predicted = scores.classes
    wanted = 1 - balanced_accuracy_score(told, predicted)
    assert judged.interval("balanced_error").estimate == pytest.approx(wanted)
    wanted = mean_absolute_error(scores.frame["label"], scores.frame["prediction"])
    assert judged.interval("mae").estimate == pytest.approx(wanted)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.tuples(*[st.integers(0, 2)] * 2, st.integers(1, 4)), min_size=2, max_size=30))
def test_weights_count_cases_as_scikit_learns_do(cases):
    told, predicted, weights = np.array(cases).T
    wanted = 1 - balanced_accuracy_score(told, predicted, sample_weight=weights)
    assert balanced_error(told, predicted, weights) == pytest.approx(wanted)
    wanted = mean_absolute_error(told, predicted, sample_weight=weights)
    assert weighted_mean(abs(told - predicted), weights) == pytest.approx(wanted)


def test_a_resample_without_a_group_has_no_balanced_error():
    told = np.array([0, 0, 1])
    assert np.isnan(balanced_error(told, told, np.array([1, 1, 0])))


def test_subjects_are_drawn_with_all_their_images():
    """A subject's images twice over are no more evidence: the interval stays as wide."""
    generator = np.random.default_rng(1)
    ages = generator.integers(21, 61, 60)
    predicted = ages + generator.normal(0, 6, 60)
    once = judge(aged(ages, predicted, each=1), 300)
    twice = judge(aged(np.repeat(ages, 2), np.repeat(predicted, 2), each=2), 300)
    for name in ("mae", "balanced_error"):
        first, second = (judged.interval(name) for judged in (once, twice))
        assert first.low == pytest.approx(second.low)
        assert first.high == pytest.approx(second.high)


def test_differences_are_paired():
    before = some()
    frame = before.frame.assign(prediction=before.frame["prediction"] + 15)
    after = judge(AttributeScores(before.about, frame), 300)
    # most of what two files of one set of faces share falls out
    found = after.numbers.difference(judge(before, 300).numbers, "mae")
    assert found.low > 0
    alone = after.interval("mae")
    same = after.numbers.difference(after.numbers, "mae")
    assert (same.low, same.high) == (0, 0)
    assert alone.high > alone.low


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"label": np.nan}, "no finite label"),
        ({"prediction": np.inf}, "no finite prediction"),
        ({"image": "x"}, "occurs twice"),
    ],
)
def test_what_makes_no_sense_is_refused(tmp_path, change, told):
    scores = some(6)
    with pytest.raises(UserError, match=told):
        write_attribute(
            tmp_path / "a.parquet",
            AttributeScores(scores.about, scores.frame.assign(**change)),
        )


def test_a_class_without_a_name_and_a_file_of_gender_are_refused(tmp_path):
    about = AttributeAbout(**ABOUT, attribute="race", values=("A", "B"))
    frame = pd.DataFrame({"image": ["1", "2"], "subject": ["a", "b"], "label": [0, 1]})
    with pytest.raises(UserError, match="no number of the 2 values"):
        write_attribute(
            tmp_path / "a.parquet", AttributeScores(about, frame.assign(prediction=[0, 2]))
        )
    frame.to_parquet(tmp_path / "b.parquet")
    with pytest.raises(UserError, match=r"b\.parquet: not a file of Attribute scores"):
        read_attribute(tmp_path / "b.parquet")
    one = AttributeScores(about, frame.assign(label=1, prediction=1))
    with pytest.raises(UserError, match="all images are of one race"):
        judge(one, 5)
