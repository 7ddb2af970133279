"""Score files whose numbers are known by hand, for what claims make of them."""

import numpy as np
import pandas as pd

from softbio.hiding.load import Hiding
from softbio.hiding.population import Population
from softbio.results.scores import (
    ComparisonAbout,
    ComparisonScores,
    GenderAbout,
    GenderScores,
)
from softbio.statistics.intervals import Judged, Resampled

SUBJECTS = np.array([f"s{n}" for n in range(30)])
PEOPLE = Population("made", "Made-up faces", (), pd.DataFrame())
EMPTY = pd.DataFrame({"image": [], "subject": [], "label": [], "score": []})


def numbers(subjects=SUBJECTS, **estimates: float) -> Resampled:
    """Numbers whose resamples lie round the estimates, the same way for all files."""
    generator = np.random.default_rng(0)
    draws, rest = generator.normal(0, 1, 400), generator.normal(0, 1, len(subjects))
    values = np.array(list(estimates.values()))
    return Resampled(
        tuple(estimates), values, values + 0.01 * draws[:, None],
        values + 0.001 * rest[:, None], subjects, len(subjects),
    )  # fmt: skip


def judged(protector, mode, name="cnn", seen=False, seed=0, positive="male", **more) -> Judged:
    about = GenderAbout(
        "made", name, protector, mode, 0.5, "higher", positive, seed=seed, seen=seen, title=name
    )
    return Judged(GenderScores(about, EMPTY), numbers(**more))


def compared(protector, mode, tmr, kind="protected-original", subjects=SUBJECTS, seed=0) -> Judged:
    about = ComparisonAbout(
        "made", "matcher", protector, mode, kind, "similarity", "all", seed=seed, seen=False
    )
    frame = pd.DataFrame({"score": [], "mated": []})
    found = numbers(subjects, **{"auc": 0.9, "eer": 0.1, "tmr@0.01": tmr})
    return Judged(ComparisonScores(about, frame), found)


def world(gender=(), matching=(), attacks=()) -> Hiding:
    return Hiding(PEOPLE, (), tuple(gender), tuple(matching), attacks=tuple(attacks))
