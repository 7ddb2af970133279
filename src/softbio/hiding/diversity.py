"""How much the classifiers of an ensemble differ, for other subjects of the same kind."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from softbio.errors import UserError
from softbio.metrics.diversity import mean_of_pairs
from softbio.results.scores import GenderScores, read_gender
from softbio.statistics.intervals import Resampled
from softbio.statistics.subjects import RESAMPLES, cases_of, leave_one_out, resample

# the means over all pairs, as `metrics.diversity` defines them
NUMBERS = ("q", "kappa", "disagreement")


@dataclass(frozen=True)
class Differing:
    """Auxiliary classifiers of an ensemble on the faces of a condition.

    protector, mode: what the faces went through; diversity: of the classifiers, "e1" to "e3";
    members: how many they are; numbers: `NUMBERS`.
    """

    protector: str
    mode: str
    seed: int
    diversity: str
    members: int
    numbers: Resampled


def read_answers(folder: Path) -> list[GenderScores]:
    """Score files of `privacy.judging.diversity.measure_diversity`, member1 first.

    Raises UserError where there are less than two, and where they are of other faces.
    """
    count = len(list(folder.glob("member*.parquet")))
    if count < 2:
        raise UserError(f"{folder}: {count} classifiers; diversity is measured between two or more")
    answers = [read_gender(folder / f"member{k}.parquet") for k in range(1, count + 1)]
    if any(not a.frame["image"].equals(answers[0].frame["image"]) for a in answers):
        raise UserError(f"{folder}: its classifiers have judged other faces; measure it again")
    return answers


def of_answers(
    answers: Sequence[GenderScores], resamples: int = RESAMPLES, among: np.ndarray | None = None
) -> Resampled:
    """`NUMBERS`; subjects are drawn as for the other score files, so that what is drawn of the same
    subjects is drawn together. among: as in `intervals.of_gender`."""
    first = answers[0]
    decisions = np.stack([each.scores >= each.threshold for each in answers])
    cases = cases_of(first.subjects, first.subjects, among)

    def statistic(weights: np.ndarray) -> np.ndarray:
        return mean_of_pairs(decisions, first.labels == 1, weights)

    estimates = statistic(np.ones((1, len(first.frame))))[0]
    values = resample(statistic, cases, resamples), leave_one_out(statistic, cases)
    people = len(np.unique(first.subjects.astype(str)))
    return Resampled(NUMBERS, estimates, *values, cases.names, people)


def read_differing(
    folders: Iterable[Path], resamples: int = RESAMPLES, among: np.ndarray | None = None
) -> tuple[Differing, ...]:
    """folders: {condition}/diversity/{diversity}. Raises UserError as `read_answers`."""
    found = []
    for folder in folders:
        answers = read_answers(folder)
        condition = folder.parents[1]
        seed = int(condition.parents[1].name.removeprefix("seed"))
        place = (condition.parent.name, condition.name, seed, folder.name, len(answers))
        found.append(Differing(*place, of_answers(answers, resamples, among)))
    return tuple(found)
