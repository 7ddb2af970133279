"""Metrics against scikit-learn, dlordinal and their own definitions."""

from typing import get_args

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
import sklearn.metrics
from dlordinal.metrics import amae, mmae
from hypothesis import given
from hypothesis import strategies as st

from softbio.errors import UserError
from softbio.methods.base import Kind
from softbio.metrics import ordinal
from softbio.metrics.calibration import SCALARS
from softbio.results.evaluate import evaluate, evaluate_file
from softbio.results.predictions import GROUPS, KINDS, About, write_predictions

RANKS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=2, max_size=100)


@given(RANKS)
def test_errors_equal_scikit_learn(pairs):
    y, p = np.array(pairs).T
    assert ordinal.mae(y, p) == pytest.approx(sklearn.metrics.mean_absolute_error(y, p))
    assert ordinal.rmse(y, p) == pytest.approx(sklearn.metrics.root_mean_squared_error(y, p))
    cs = ordinal.cumulative_score(y, p)
    assert cs[0] == pytest.approx(sklearn.metrics.accuracy_score(y, p))
    assert (np.diff(cs) >= 0).all()
    assert cs[7:] == pytest.approx(1)


@given(RANKS)
def test_kappa_equals_scikit_learn(pairs):
    y, p = np.array(pairs).T
    ours = ordinal.quadratic_weighted_kappa(y, p)
    if len(np.unique([y, p])) == 1:
        assert np.isnan(ours)
    else:
        assert ours == pytest.approx(
            # without `labels` scikit-learn renumbers the ranks that occur
            sklearn.metrics.cohen_kappa_score(y, p, weights="quadratic", labels=range(8))
        )


@given(RANKS)
def test_macro_errors_are_means_over_the_ages_that_occur(pairs):
    y, p = np.array(pairs).T
    results = evaluate(ABOUT, frame_of(y, p))
    by_rank = [np.abs(p[y == rank] - rank).mean() for rank in np.unique(y)]
    assert results[0].scalars["amae"] == pytest.approx(np.mean(by_rank))
    assert results[0].scalars["mmae"] == pytest.approx(np.max(by_rank))


def test_macro_errors_equal_dlordinal_on_all_ranks():
    generator = np.random.default_rng(0)
    y = np.r_[np.arange(8), generator.integers(0, 8, 60)]
    p = generator.integers(0, 8, 68)
    counts, by_rank, bias = ordinal.mae_by_rank(y, p, 8)
    assert by_rank.mean() == pytest.approx(amae(y, p))
    assert by_rank.max() == pytest.approx(mmae(y, p))
    assert (counts * bias).sum() == pytest.approx((p - y).sum())


def test_inconsistencies_count_rises_above_the_tolerance():
    probabilities = np.array(
        [[0.9, 0.5, 0.1], [0.5, 0.5, 0.5], [0.5, 0.500005, 0.5], [0.1, 0.5, 0.9], [0.5, 0.4, 0.41]]
    )
    assert ordinal.inconsistencies(probabilities).tolist() == [0, 0, 0, 2, 1]


@given(st.integers(2, 12), st.integers(0, 1000))
def test_expected_rank_agrees_between_both_kinds(k, seed):
    classes = np.random.default_rng(seed).dirichlet(np.ones(k), size=5)
    exceedance = 1 - classes.cumsum(axis=1)[:, :-1]
    by_class = ordinal.expected_rank(classes, "class")
    assert ordinal.expected_rank(exceedance, "exceedance") == pytest.approx(by_class)
    assert ((by_class >= 0) & (by_class <= k - 1)).all()


ABOUT = About("faces", "small16", "coral", "", 0, "point", (20, 27))


def frame_of(labels, predictions, probabilities=None, selection="last") -> pd.DataFrame:
    count = len(labels)
    return pd.DataFrame(
        {
            "image": [str(number) for number in range(count)],
            "selection": selection,
            "label": labels,
            "prediction": predictions,
            "probabilities": list(np.empty((count, 0)) if probabilities is None else probabilities),
            "gender": ["female", "male", None, "male"][:count] + [None] * max(0, count - 4),
            "race": None,
            "subject": None,
        }
    )


def test_all_numbers_of_a_small_case_by_hand():
    probabilities = np.array(
        [[0.9, 0.8, 0.1], [0.9, 0.2, 0.3], [0.4, 0.3, 0.2], [0.9, 0.9, 0.9]], np.float32
    )
    about = About("faces", "small16", "orcnn", "", 0, "exceedance", (20, 23))
    labels, predictions = np.array([2, 2, 0, 1]), np.array([2, 1, 0, 3])
    published, expected = evaluate(about, frame_of(labels, predictions, probabilities))
    assert published.scalars == pytest.approx(
        {
            "mae": 0.75,
            "rmse": (5 / 4) ** 0.5,
            "cs5": 1.0,
            "accuracy": 0.5,
            "amae": (0 + 2 + 0.5) / 3,
            "mmae": 2.0,
            "qwk": sklearn.metrics.cohen_kappa_score(labels, predictions, weights="quadratic"),
            "bias": 0.25,
            "never_predicted": 0,
            "rps": (0.06 + 0.74 + 0.29 + 1.63) / 4,
            # bins of .1, .2 (twice), .3 (twice), .4 and .8 to .9 (six times)
            "ece": (0.1 + 2 * 0.3 + 2 * 0.3 + 0.4 + abs(4 - 5.3)) / 12,
            "coverage80": 1.0,
            "mass80": 1.0,
            "width80": 4.0,
            "inconsistencies": 0.25,
            "inconsistencies_correct": 0.0,
            "inconsistencies_incorrect": 0.5,
            "inconsistent_images": 0.25,
        }
    )
    assert expected.scalars["mae"] == pytest.approx(np.mean([0.2, 0.6, 0.9, 1.7]), abs=1e-6)
    assert [(part.group, part.n, part.mae) for part in published.groups] == [
        ("female", 1, 0.0),
        ("male", 2, 1.5),
    ]
    assert [entry["age"] for entry in published.by_age] == [20, 21, 22]
    assert published.never_predicted_ages == []


def test_without_probabilities_there_is_no_calibration():
    (result,) = evaluate(ABOUT, frame_of(np.array([0, 3]), np.array([1, 3])))
    assert np.isnan([result.scalars[name] for name in SCALARS]).all()


def test_ranks_never_predicted_are_named_by_age():
    result = evaluate(ABOUT, frame_of(np.array([0, 3, 7, 3]), np.array([0, 0, 0, 0])))[0]
    assert result.never_predicted_ages == [23, 27]
    assert result.scalars["qwk"] == pytest.approx(0)


def test_selections_are_judged_apart():
    both = pd.concat(
        [
            frame_of(np.array([1, 2]), np.array([1, 2]), selection="last"),
            frame_of(np.array([1, 2]), np.array([3, 4]), selection="best"),
        ]
    )
    assert [(r.selection, r.scalars["mae"]) for r in evaluate(ABOUT, both)] == [
        ("last", 0.0),
        ("best", 2.0),
    ]


@pytest.mark.parametrize(
    ("labels", "predictions", "message"),
    [
        ([], [], "no test image"),
        ([8], [0], "label is outside"),
        ([0], [-1], "prediction is outside"),
    ],
)
def test_bad_predictions_are_named(labels, predictions, message):
    with pytest.raises(UserError, match=message):
        evaluate(ABOUT, frame_of(np.array(labels, int), np.array(predictions, int)))


def test_wrong_number_of_probabilities_is_named():
    about = About("faces", "small16", "ce", "", 0, "class", (20, 27))
    with pytest.raises(UserError, match="need 8 probabilities"):
        evaluate(about, frame_of(np.array([0]), np.array([0]), np.full((1, 7), 1 / 7)))


@pytest.mark.parametrize(
    ("entry", "value", "told"),
    [
        ("kind", "exceedence", "kind 'exceedence' is none of class, exceedance, point"),
        ("ages", "21", "ages '21' are neither gender nor youngest-oldest"),
        ("ages", "60-21", "ages '60-21' are"),
        ("ages", "21-60-70", "ages '21-60-70' are"),
        ("ages", "21-21", "ages '21-21' are"),
    ],
)
def test_entries_of_a_predictions_file_without_meaning_are_named(tmp_path, entry, value, told):
    path, out = tmp_path / "predictions.parquet", tmp_path / "metrics.json"
    frame = frame_of(np.array([2, 1]), np.array([2, 2])).assign(**dict.fromkeys(GROUPS))
    write_predictions(path, ABOUT, frame)
    evaluate_file(path, out)
    table = pq.read_table(path)
    metadata = table.schema.metadata | {entry.encode(): value.encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)
    with pytest.raises(UserError, match=f"predictions.parquet: not a predictions file .{told}"):
        evaluate_file(path, out)


def test_the_kinds_are_those_of_the_methods():
    assert get_args(Kind) == KINDS


def test_a_rise_counts_from_the_authors_tolerance_on():
    """1e-5, in their count_inconsistency."""
    rises = np.array([[0.5, 0.5 + 0.9e-5, 0.3], [0.5, 0.5 + 1.2e-5, 0.3], [0.5, 0.5 + 9e-5, 0.6]])
    assert ordinal.inconsistencies(rises).tolist() == [0, 1, 2]
