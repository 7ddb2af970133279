"""Our metrics on the authors' own predictions give the numbers that their logs print."""

import re

import numpy as np
import pandas as pd
import pytest

from softbio.engine.importance import importance_weights
from softbio.metrics.ordinal import mae, quadratic_weighted_kappa, rmse

BEST = re.compile(r"Best Test: (?P<mae>[\d.]+)/(?P<rmse>[\d.]+)")
DATASETS = ["morph2", "afad", "cacd"]
PREFIXES = {"morph2": "morph"}


def labels_and_predictions(published, dataset: str, method: str, seed: int):
    labels = pd.read_csv(published / f"{dataset}_test.csv")["age"].to_numpy()
    run = published / dataset / f"{PREFIXES.get(dataset, dataset)}-{method}__seed{seed}"
    line = (run / "test_predictions.log").read_text().strip()
    return labels, np.array([int(rank) for rank in line.split(",")]), run


@pytest.mark.parametrize("dataset", DATASETS)
@pytest.mark.parametrize("method", ["ordinal", "coral"])
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_printed_mae_and_rmse(published, dataset, method, seed):
    labels, predictions, run = labels_and_predictions(published, dataset, method, seed)
    printed = BEST.search((run / "training.log").read_text())
    assert f"{mae(labels, predictions):.2f}" == printed["mae"]
    assert f"{rmse(labels, predictions):.2f}" == printed["rmse"]


@pytest.mark.parametrize("dataset", DATASETS)
def test_ce_files_hold_thresholded_probabilities(published, dataset):
    """A published defect: the CE scripts wrote sum(p > 0.5), so that only 0 and 1 occur."""
    _, predictions, _ = labels_and_predictions(published, dataset, "ce", 0)
    assert set(predictions) <= {0, 1}


def test_kappa_and_constant_predictors(published):
    kappas = [
        quadratic_weighted_kappa(*labels_and_predictions(published, "morph2", "coral", seed)[:2])
        for seed in range(3)
    ]
    assert np.mean(kappas) == pytest.approx(0.941, abs=5e-4)
    test = pd.read_csv(published / "v3-splits/morph2_test.csv")["age"].to_numpy()
    # the talk's VGG with CE, seeds 0 and 1: always 19 years
    assert f"{mae(test, np.full(len(test), 3)):.2f}" == "14.07"
    assert f"{rmse(test, np.full(len(test), 3)):.2f}" == "17.54"


def test_importance_weights_of_morph2(published):
    train = pd.read_csv(published / "v3-splits/morph2_train.csv")["age"].to_numpy()
    weights = importance_weights(train, 55)
    assert weights.argmin() == 16
    assert weights.min() == pytest.approx(0.7072, abs=5e-5)
