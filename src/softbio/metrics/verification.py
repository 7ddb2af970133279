"""Error rates of face comparison, in the terms of ISO/IEC 19795-1.

A comparison of two images is mated where both show one subject. Throughout: scores are
similarities float (N,), finite, higher where the images are more alike (`similarity` negates
distances); mated bool (N,), with at least one comparison of either kind. A comparison is a match
where its score is at or above the threshold. FMR: share of the non-mated comparisons that match;
FNMR: share of the mated that do not; TMR = 1 - FNMR. All are shares of 1.
"""

from dataclasses import dataclass

import numpy as np

from softbio.metrics.rates import error_rates

MEASURES = ("similarity", "distance")
# ISO/IEC 19795-1, annex on test size, after Doddington et al. 2000: with 30 errors the true rate is
# within 30 % of the observed one at 90 % confidence, were the comparisons independent.
ERRORS = 30
FMRS = (0.01, 0.001)


def similarity(scores: np.ndarray, measure: str) -> np.ndarray:
    """Scores that are higher for more alike images; measure "similarity" or "distance"."""
    if measure not in MEASURES:
        raise ValueError(f"measure '{measure}' is neither of {MEASURES}")
    scores = np.asarray(scores, float)
    return scores if measure == "similarity" else -scores


@dataclass(frozen=True)
class Curve:
    """Operating points at the thresholds float (T,), ascending, the last one infinity.

    FMR falls from 1 to 0, FNMR rises from 0 to 1, float (T,) each. (FMR, TMR) is the ROC,
    (FMR, FNMR) the DET.
    """

    thresholds: np.ndarray
    fmr: np.ndarray
    fnmr: np.ndarray

    @property
    def tmr(self) -> np.ndarray:
        """True match rate, (T,)."""
        return 1 - self.fnmr


def curve(scores: np.ndarray, mated: np.ndarray) -> Curve:
    """All operating points, one a threshold."""
    rates = error_rates(scores, mated)
    return Curve(rates.thresholds, rates.false_positive, rates.false_negative)


def supports(non_mated: int, fmr: float) -> bool:
    """Whether so many non-mated comparisons can support this FMR, by the rule of 30: at least 30
    of them are false matches there. FMR 1 % needs 3,000, FMR 0.1 % needs 30,000.

    The rule of 3 (no error among N excludes, at 95 %, rates above 3 / N) asks for a tenth of that,
    but supports a claim of no errors, not a rate. Comparisons that share subjects are worth less
    than their number: the intervals clustered by subject say how much.
    """
    return round(non_mated * fmr, 9) >= ERRORS


def identification_ranks(
    scores: np.ndarray, probes: np.ndarray, references: np.ndarray, subjects: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Closed-set identification, 1 to n: the rank of each probe's own subject in the gallery.

    A row is a comparison of a probe with a reference: scores float (N,); probes (N,) names of the
    probe images; references (N,) subjects of the references; subjects (N,) subjects of the probes.
    A gallery subject scores as its most similar reference. The rank is the number of gallery
    subjects that score at least as high as the probe's own, itself included: ties count against
    it, so that a matcher that gives the same score to all is at rank n.

    Returns the probe names (P,), sorted, and ranks int (P,) from 1. Raises ValueError where a probe
    has not been compared with every gallery subject, or has none of its own there (open set).
    """
    names, probe = np.unique(np.asarray(probes).astype(str), return_inverse=True)
    gallery, place = np.unique(np.asarray(references).astype(str), return_inverse=True)
    best = np.full((len(names), len(gallery)), -np.inf)
    np.maximum.at(best, (probe, place), np.asarray(scores, float))
    if np.isneginf(best).any():
        row, column = np.argwhere(np.isneginf(best))[0]
        raise ValueError(f"probe {names[row]} is not compared with subject {gallery[column]}")
    own = np.empty(len(names), object)
    own[probe] = np.asarray(subjects).astype(str)
    mate = np.searchsorted(gallery, own.astype(str))
    found = gallery[np.minimum(mate, len(gallery) - 1)] == own
    if not found.all():
        raise ValueError(f"probe {names[~found][0]}: its subject is not in the gallery")
    mates = best[np.arange(len(names)), mate]
    return names, (best >= mates[:, None]).sum(axis=1)


def cmc(ranks: np.ndarray, size: int) -> np.ndarray:
    """Cumulative match characteristic: share of probes with rank at most 1..size, (size,).

    size: number of gallery subjects, without which a rank means nothing.
    """
    return np.bincount(ranks, minlength=size + 1)[1:].cumsum() / len(ranks)
