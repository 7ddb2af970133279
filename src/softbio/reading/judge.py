"""From predictions of gender to numbers with intervals: metrics.json of a run.

There are two intervals. Wilson's treats every image as an independent case, as is usual for a test
accuracy. Images of one person are not independent, so the other draws subjects with all their
images (BCa bootstrap); an image of an unknown subject counts as a subject of its own.
"""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from softbio.errors import UserError
from softbio.files import write_json
from softbio.results.predictions import About, read_predictions
from softbio.results.scores import ORIGINAL, GenderAbout, GenderScores
from softbio.statistics import intervals
from softbio.statistics.means import LEVEL, Interval, bootstrap, clustered, of_share

# columns of the predictions by which the test images are divided
VIEWS = ("gender", "age_group", "race")
ALL = "all"
UNLABELLED = "not labelled"
NAN = float("nan")
# male is above one half; exactly one half is the first class, as with argmax
THRESHOLD = float(np.nextafter(0.5, 1))


@dataclass(frozen=True)
class Number:
    """One number of one selection ("last", "best"), a share of 1.

    by, group: the part of the test images, `ALL` and "" for all of them; n: number of cases, which
    are subjects where by is "subject" and images elsewhere. low, high: the 95 % interval over
    subjects; wilson_low, wilson_high: over n independent cases. NaN where a number has no such
    interval.
    """

    selection: str
    by: str
    group: str
    metric: str
    n: int
    value: float
    low: float
    high: float
    wilson_low: float = NAN
    wilson_high: float = NAN


def wilson(hits: int, n: int) -> tuple[float, float]:
    """Wilson's score interval of a share (Wilson 1927), without continuity correction."""
    found = binomtest(hits, n).proportion_ci(LEVEL, method="wilson")
    return float(found.low), float(found.high)


def gender_scores(about: About, frame: pd.DataFrame) -> GenderScores:
    """P(male) of the rows of one selection, in the form of other gender classifiers' scores.

    Raises UserError where the method gives no probabilities.
    """
    if about.kind == "point":
        raise UserError(
            f"predictions: method '{about.method}' gives no probability of a gender; choose another"
        )
    # P(y = 1), or P(y > 0), which is the same
    male = np.stack(frame["probabilities"].to_list())[:, -1]
    scored = frame[["image", "subject"]].assign(label=frame["label"], score=male.astype(float))
    scorer = GenderAbout(about.dataset, about.backbone, ORIGINAL, "", THRESHOLD, "higher")
    return GenderScores(scorer, scored.reset_index(drop=True))


def correct(scores: GenderScores) -> np.ndarray:
    """Whether each image is classified correctly, bool (N,)."""
    return (scores.scores >= scores.threshold) == (scores.labels == 1)


def judge(about: About, frame: pd.DataFrame) -> list[Number]:
    """All numbers of each selection in a predictions file of gender.

    Raises UserError for predictions of ages, for an image that is there twice in one selection,
    without probabilities, and where one gender has no test image.
    """
    if about.ages is not None:
        raise UserError("predictions: of ages, not of gender; judge them by their errors in years")
    if frame.empty or frame.duplicated(["selection", "image"]).any():
        raise UserError(
            "predictions: no test image, or one that is there twice; keep those of one run"
        )
    found = []
    for selection, part in frame.groupby("selection", sort=False):
        rows = part.reset_index(drop=True)
        found += _of_selection(str(selection), rows, gender_scores(about, rows))
    return found


def _of_selection(selection: str, frame: pd.DataFrame, scores: GenderScores) -> Iterator[Number]:
    right = correct(scores)
    yield from _of_all(selection, scores, right)
    for by in VIEWS:
        if frame[by].isna().all():
            continue
        groups = frame[by].fillna(UNLABELLED).to_numpy(object)
        for group in sorted(set(groups)):
            inside = groups == group
            yield accuracy(selection, by, str(group), right[inside], scores.subjects[inside])
    if frame["subject"].notna().all():
        yield from _of_subjects(selection, right, scores.subjects)


def _of_all(selection: str, scores: GenderScores, right: np.ndarray) -> Iterator[Number]:
    try:
        numbers = intervals.of_gender(scores)
    except ValueError as error:
        raise UserError(f"predictions: {error}; test on images of both genders") from None
    for metric, name in {"accuracy": "error", "balanced_accuracy": "balanced_error"}.items():
        error = numbers.interval(name)
        turned = Interval(1 - error.estimate, 1 - error.high, 1 - error.low)
        known = wilson(int(right.sum()), len(right)) if metric == "accuracy" else ()
        yield _number(selection, (ALL, ""), metric, len(right), turned, *known)
    for metric in ("auc", "eer"):
        yield _number(selection, (ALL, ""), metric, len(right), numbers.interval(metric))


def accuracy(
    selection: str, by: str, group: str, right: np.ndarray, subjects: np.ndarray
) -> Number:
    """Accuracy of a group; right bool (N,), subjects object (N,).

    Where all are right, or all wrong, resamples do not vary: Wilson's interval stands alone.
    """
    over = bootstrap(clustered(right, subjects))
    if over.low == over.high:
        over = Interval(over.estimate, NAN, NAN)
    around = wilson(int(right.sum()), len(right))
    return _number(selection, (by, group), "accuracy", len(right), over, *around)


def _of_subjects(selection: str, right: np.ndarray, subjects: np.ndarray) -> Iterator[Number]:
    """Numbers in which every subject counts the same: the mean of their accuracies, and the share
    of subjects with a wrongly classified image."""
    of = pd.Series(right.astype(float)).groupby(subjects)
    means, some_wrong = of.mean().to_numpy(), (of.min() == 0).to_numpy()
    each = np.arange(len(means)).astype(str)
    yield accuracy_of_subjects(selection, means, each)
    hits = int(some_wrong.sum())
    share = Interval(hits / len(means), NAN, NAN)
    around = wilson(hits, len(means))
    yield _number(selection, ("subject", ""), "with_error", len(means), share, *around)


def accuracy_of_subjects(selection: str, means: np.ndarray, names: np.ndarray) -> Number:
    """Mean over subjects of each one's accuracy (S,)."""
    over = of_share(clustered(means, names))
    return _number(selection, ("subject", ""), "accuracy", len(means), over)


def _number(
    selection: str,
    place: tuple[str, str],
    metric: str,
    n: int,
    found: Interval,
    *around: float,
) -> Number:
    return Number(selection, *place, metric, n, found.estimate, found.low, found.high, *around)


def judge_file(predictions: Path, out: Path) -> None:
    """Write metrics.json of a predictions file of gender: its `About` and all `Number`s."""
    about, frame = read_predictions(predictions)
    try:
        numbers = judge(about, frame)
    except UserError as error:
        raise UserError(f"{predictions}: {error}") from None
    write_json(out, asdict(about) | {"numbers": [asdict(number) for number in numbers]})
