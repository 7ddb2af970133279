"""A number of a condition over several trainings, each with another seed.

Two things vary, as in the age half (`softbio.statistics.means`): another seed would train another
network, and another test set would hold other subjects. All seeds are judged on the same subjects,
so their numbers are drawn together, and the mean over seeds has one BCa interval over subjects; the
means of the seeds have Student's t interval; `statistics.both` adds the distances of their limits
as squares (MOVER: Zou and Donner, Statistics in Medicine 27, 2008). The spread over seeds holds
what a seed does to these very subjects too, which the draws of the mean hold again: the interval is
a little too wide rather than too narrow.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from softbio.hiding.claim import is_original
from softbio.hiding.verdicts import NOTHING, Draws, derived, draws, interval_of, joint
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval, both, mean_interval

# the numbers are shares of 1; a separation, max(AUC, 1 - AUC), is no less than 1/2
SHARE, SEPARATION, DIFFERENCE = (0.0, 1.0), (0.5, 1.0), (-1.0, 1.0)
OVER_BOTH = (
    "95 % intervals of means over seeds are over both: Student's t over the seeds, and subjects "
    "drawn with replacement with all their images (BCa bootstrap), the same ones for all seeds; "
    "the distances of their limits add up as squares (MOVER); of one seed over subjects alone"
)


def averaged(parts: Sequence[Draws]) -> Draws:
    """The mean of numbers that are drawn together."""
    return derived(lambda *values: np.mean(values, axis=0), *parts)


def over_seeds(parts: Sequence[Draws], within: tuple[float, float] = SHARE) -> Interval:
    """Mean of a number over its seeds, each drawn together with the others; the interval is for new
    seeds and new subjects, and lies `within` the values that the number can have.

    Of one seed the interval is over subjects. NaN limits where too many draws have no value.
    """
    subjects = interval_of(averaged(parts))
    seeds = mean_interval(np.array([part.estimate for part in parts]))
    return cut(both(seeds, subjects) or subjects, within)


def cut(found: Interval, within: tuple[float, float]) -> Interval:
    """The part of an interval that lies `within` the values that the number can have; the sum of
    squares can leave them."""
    low, high = (float(np.clip(end, *within)) for end in (found.low, found.high))
    return Interval(found.estimate, low, high)


def of_files(files: Sequence[Judged], name: str) -> Interval:
    """A number of the score files of one scorer and condition, one a seed, over them.

    Where no draw of any file makes a mistake the interval over subjects is that of `Resampled`.
    Nothing where the files have other subjects.
    """
    if len(files) == 1:
        return files[0].interval(name)
    if not joint([each.numbers for each in files]):
        return NOTHING
    drawn = [draws(each.numbers, name) for each in files]
    if without_spread(drawn):
        return files[0].interval(name)
    return over_seeds(drawn)


def without_spread(parts: Sequence[Draws]) -> bool:
    """Whether neither seeds nor draws differ: no mistake anywhere, which tells of no other subjects
    or seeds."""
    return len({each.estimate for each in parts}) == 1 and not any(each.varies for each in parts)


def of_seed(files: Sequence[Mapping[int | None, Judged]], seed: int | None) -> list[Judged] | None:
    """The file of each scorer of a condition for a seed; None where one lacks it.

    files: seed -> file, of each scorer. What was made once counts for each seed, and so do the
    originals, the same faces in each, of which files that repeat another are not kept.
    """
    first = [next(iter(each.values()), None) for each in files]
    if None in first:
        return None
    # one scorer's single file is no sign of it: it may lack the other seeds
    once = len({s for each in files for s in each if s is not None}) < 2
    if not once and not all(map(is_original, first)):
        first = [None] * len(files)
    found = [each.get(seed, other) for each, other in zip(files, first, strict=True)]
    return None if None in found else found
