"""How much classifiers differ in what they get right: Q-statistic and Cohen's kappa of pairs.

Kuncheva, Whitaker: Measures of diversity in classifier ensembles and their relationship with the
ensemble accuracy. Machine Learning 51, 2003. Cohen: A coefficient of agreement for nominal scales.
Educational and Psychological Measurement 20, 1960.
"""

from itertools import combinations

import numpy as np
import pandas as pd

COLUMNS = ["first", "second", "q", "kappa", "disagreement"]


def q_statistic(first: np.ndarray, second: np.ndarray) -> float:
    """Of two classifiers, bool (N,), True where each is right: -1..1, 0 for independent ones.

    (N11 N00 - N01 N10) / (N11 N00 + N01 N10), N10 the cases that the first alone gets right. NaN
    where the denominator is 0, as for two that are always right.
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    same = float((first & second).sum()) * float((~first & ~second).sum())
    other = float((first & ~second).sum()) * float((~first & second).sum())
    return (same - other) / (same + other) if same + other else float("nan")


def kappa(first: np.ndarray, second: np.ndarray) -> float:
    """Agreement of two classifiers' decisions, bool (N,), beyond chance: 1 where all are the same,
    0 for what chance gives. NaN where both decide all cases alike, so that chance gives 1."""
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    if not len(first):
        return float("nan")
    agreed = float((first == second).mean())
    one, two = first.mean(), second.mean()
    chance = float(one * two + (1 - one) * (1 - two))
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")


def pairs_of(decisions: np.ndarray, truth: np.ndarray) -> pd.DataFrame:
    """Every pair of n classifiers, a row each, `COLUMNS`; first and second count from 1.

    decisions: bool (n, N), True for male; truth: bool (N,). disagreement: share of the cases that
    are decided differently. Raises ValueError for arrays that do not fit and for less than two
    classifiers.
    """
    decisions, truth = np.asarray(decisions, bool), np.asarray(truth, bool)
    if decisions.ndim != 2 or len(decisions) < 2 or decisions.shape[1:] != truth.shape:
        raise ValueError(f"decisions {decisions.shape} for {truth.shape}; two rows or more needed")
    right = decisions == truth
    rows = [
        (
            *(one + 1, two + 1, q_statistic(right[one], right[two])),
            kappa(decisions[one], decisions[two]),
            float((decisions[one] != decisions[two]).mean()),
        )
        for one, two in combinations(range(len(decisions)), 2)
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
