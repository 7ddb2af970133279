"""Error rates of face comparison, in the terms of ISO/IEC 19795-1.

A comparison of two images is mated where both show one subject. Throughout: scores are
similarities float (N,), finite, higher where the images are more alike (`similarity` turns
distances); mated bool (N,), with at least one comparison of either kind. A comparison is a match
where its score is at or above the threshold. FMR: share of the non-mated comparisons that match;
FNMR: share of the mated that do not; TMR = 1 - FNMR. All are shares of 1.
"""

from dataclasses import dataclass

import numpy as np

from softbio.metrics import rates as core
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
    """Operating points at the thresholds float (T,) upwards, the last infinity: FMR falls from 1
    to 0, FNMR rises from 0 to 1, float (T,) each. (FMR, TMR) is the ROC, (FMR, FNMR) the DET."""

    thresholds: np.ndarray
    fmr: np.ndarray
    fnmr: np.ndarray

    @property
    def tmr(self) -> np.ndarray:
        """True match rate, (T,)."""
        return 1 - self.fnmr


def curve(scores: np.ndarray, mated: np.ndarray) -> Curve:
    """Every operating point that a threshold can reach."""
    rates = error_rates(scores, mated)
    return Curve(rates.thresholds, rates.false_positive, rates.false_negative)


def rates_at(
    scores: np.ndarray, mated: np.ndarray, thresholds: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """FMR and FNMR at given thresholds, the shape of `thresholds` each."""
    scores, mated = np.asarray(scores, float), np.asarray(mated, bool)
    own, other = np.sort(scores[mated]), np.sort(scores[~mated])
    fmr = (len(other) - np.searchsorted(other, thresholds)) / len(other)
    return fmr, np.searchsorted(own, thresholds) / len(own)


def equal_error_rate(scores: np.ndarray, mated: np.ndarray) -> float:
    """EER: FMR = FNMR on the DET drawn with straight lines; see `rates.equal_error_rate`."""
    return float(core.equal_error_rate(error_rates(scores, mated)))


def area(scores: np.ndarray, mated: np.ndarray) -> float:
    """Area under the ROC; ties count half."""
    return float(core.area(error_rates(scores, mated)))


def supports(non_mated: int, fmr: float) -> bool:
    """Whether so many non-mated comparisons can support this FMR, by the rule of 30: at least 30
    of them are false matches there. FMR 1 % needs 3,000, FMR 0.1 % needs 30,000.

    The rule of 3 (no error among N excludes, at 95 %, rates above 3 / N) asks for a tenth of that,
    but supports a claim of no errors, not a rate. Comparisons that share subjects are worth less
    than their number: the intervals clustered by subject say how much.
    """
    return round(non_mated * fmr, 9) >= ERRORS


def tmr_at_fmr(scores: np.ndarray, mated: np.ndarray, fmr: float) -> float:
    """TMR at the lowest threshold whose FMR is at most `fmr`; NaN where the non-mated comparisons
    do not support it (`supports`)."""
    if not supports(int((~np.asarray(mated, bool)).sum()), fmr):
        return float("nan")
    return float(core.true_positive_at(error_rates(scores, mated), fmr))


def fold_accuracies(scores: np.ndarray, mated: np.ndarray, folds: np.ndarray) -> np.ndarray:
    """Share of right decisions in each fold, at the threshold that decides most of the other folds
    rightly: LFW's View 2 (Huang et al. 2007), which reports their mean and standard error.

    folds int (N,) -> (F,) in order of fold. Thresholds lie half-way between neighbouring scores; of
    equally good ones the middle one is taken.
    """
    scores, mated, folds = np.asarray(scores, float), np.asarray(mated, bool), np.asarray(folds)
    found = []
    for fold in np.unique(folds):
        rest, own = folds != fold, folds == fold
        points = curve(scores[rest], mated[rest])
        share = mated[rest].mean()
        right = share * points.tmr + (1 - share) * (1 - points.fmr)
        best = np.flatnonzero(right >= right.max() - 1e-12)
        chosen = best[len(best) // 2]
        threshold = points.thresholds[[max(chosen - 1, 0), chosen]].mean()
        found.append(((scores[own] >= threshold) == mated[own]).mean())
    return np.array(found)


def d_prime(scores: np.ndarray, mated: np.ndarray) -> float:
    """Decidability (Daugman 2000): distance of the mean scores of both kinds of comparison in units
    of the root of their mean variance (n); negative where the mated are less alike, NaN where no
    score varies. Unlike the rates it depends on the scale of the scores."""
    scores, mated = np.asarray(scores, float), np.asarray(mated, bool)
    own, other = scores[mated], scores[~mated]
    spread = np.sqrt((own.var() + other.var()) / 2)
    return float((own.mean() - other.mean()) / spread) if spread else float("nan")


def identification_ranks(
    scores: np.ndarray, probes: np.ndarray, references: np.ndarray, subjects: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Closed-set identification, 1 to n: the rank of each probe's own subject in the gallery.

    A row is a comparison of a probe with a reference: scores float (N,); probes (N,) names of the
    probe images; references (N,) subjects of the references; subjects (N,) subjects of the probes.
    A gallery subject scores as its most similar reference. The rank is the number of gallery
    subjects that score at least as high as the own one, itself included: ties count against it,
    so that a matcher which gives one score to all is at rank n.

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
