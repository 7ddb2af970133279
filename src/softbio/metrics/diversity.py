"""Diversity of classifiers: Q-statistic and Cohen's kappa of pairs.

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

    (N11 N00 - N01 N10) / (N11 N00 + N01 N10), where N10 counts the cases in which only the first is
    right. NaN where the denominator is 0, as for two that are always right.
    """
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    same = float((first & second).sum()) * float((~first & ~second).sum())
    other = float((first & ~second).sum()) * float((~first & second).sum())
    return (same - other) / (same + other) if same + other else float("nan")


def kappa(first: np.ndarray, second: np.ndarray) -> float:
    """Agreement of two classifiers' decisions, bool (N,), beyond chance: 1 where all are the same,
    0 at chance level. NaN where both give all cases the same decision, so that chance gives 1."""
    first, second = np.asarray(first, bool), np.asarray(second, bool)
    if not len(first):
        return float("nan")
    agreed = float((first == second).mean())
    one, two = first.mean(), second.mean()
    chance = float(one * two + (1 - one) * (1 - two))
    return (agreed - chance) / (1 - chance) if chance < 1 else float("nan")


def pairs_of(decisions: np.ndarray, truth: np.ndarray) -> pd.DataFrame:
    """Every pair of n classifiers, a row each, `COLUMNS`; first and second count from 1.

    decisions: bool (n, N), True for male; truth: bool (N,). disagreement: share of the cases with
    different decisions. Raises ValueError for arrays that do not fit and for fewer than two
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


def mean_of_pairs(decisions: np.ndarray, truth: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Means of q, kappa and disagreement over all pairs of n classifiers, float (B, 3), where a
    case counts `weights` (B, N) times; a pair in which one is NaN is left out of its mean.

    decisions: bool (n, N), True for male; truth: bool (N,).
    """
    decisions, weights = np.asarray(decisions, bool), np.asarray(weights, float)
    right = decisions == np.asarray(truth, bool)
    one, two = np.array(list(combinations(range(len(decisions)), 2))).T
    male, total = weights @ decisions.T, weights.sum(1, keepdims=True)
    both, neither, first, second = (
        weights @ part.T
        for part in (
            right[one] & right[two],
            ~right[one] & ~right[two],
            right[one] & ~right[two],
            ~right[one] & right[two],
        )
    )
    same, other = both * neither, first * second
    # their decisions differ exactly where one is right and the other wrong
    agreed = (both + neither) / total
    share = male / total
    chance = share[:, one] * share[:, two] + (1 - share[:, one]) * (1 - share[:, two])
    numbers = (_ratio(same - other, same + other), _ratio(agreed - chance, 1 - chance), 1 - agreed)
    return np.stack([_known_mean(each) for each in numbers], axis=1)


def _ratio(above: np.ndarray, below: np.ndarray) -> np.ndarray:
    """above / below; NaN where below is 0."""
    return np.divide(above, below, out=np.full_like(above, np.nan), where=below > 0)


def _known_mean(values: np.ndarray) -> np.ndarray:
    """Over the columns that are not NaN; NaN where all are."""
    known = ~np.isnan(values)
    return _ratio(np.where(known, values, 0.0).sum(1), known.sum(1).astype(float))
