"""A made-up population that tells ages and races, with PrivacyNet's hide-sets: in memory, no number
is a measurement."""

from dataclasses import dataclass
from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from softbio.data.pairs import all_pairs
from softbio.hiding.load import Condition, Hiding
from softbio.hiding.population import Population
from softbio.privacy.attributes import AGE_BOUNDS, AGE_GROUPS
from softbio.results.attribute_scores import AttributeAbout, AttributeScores
from softbio.results.scores import ComparisonAbout, ComparisonScores, GenderAbout, GenderScores
from softbio.statistics.intervals import Judged, judge

# no faces to show
NOWHERE = Path("nowhere")
SUBJECTS, EACH, CAP = 60, 2, 3000
RACES = ("A", "B")
TITLES = {"original": "", "privacynet": "PrivacyNet", "mixing": "Face mixing"}


@dataclass(frozen=True)
class Effect:
    """How well gender, age and race are read (0: not at all, 1: as before, -1: always the other of
    two values), and matching."""

    gender: float = 1.0
    age: float = 1.0
    race: float = 1.0
    matching: float = 1.0


EFFECTS = {
    ("original", ""): Effect(),
    ("mixing", "alpha0.5"): Effect(gender=0, matching=0.5),
    ("privacynet", "gar"): Effect(0, 0, 0, 0.95),
    ("privacynet", "g"): Effect(gender=0),
    ("privacynet", "keep"): Effect(),
    ("privacynet", "ga"): Effect(0, 0),
    ("privacynet", "ga-nomatcher"): Effect(0, 0, 1, 0.3),
}


def faces() -> pd.DataFrame:
    """image, subject, gender, age and race of the test faces."""
    number = np.repeat(np.arange(SUBJECTS), EACH)
    age = 21 + number * 7 % 40
    return pd.DataFrame(
        {
            "image": [f"{row:04d}" for row in range(len(number))],
            "subject": [f"s{each:03d}" for each in number],
            "gender": number % 2,
            "age": age,
            "race": number // 2 % 2,
        }
    )


def draws(*words: str) -> np.random.Generator:
    return np.random.default_rng(crc32(" ".join(words).encode()))


def about(protector: str, mode: str) -> dict:
    known = {"dataset": "faces", "protector": protector, "mode": mode, "seed": 0, "seen": False}
    return known | {"protector_title": TITLES[protector]}


def gender(protector: str, mode: str, level: float) -> GenderScores:
    known, random = faces(), draws("gender")
    scores = 4 * level * (known["gender"] - 0.5) + random.normal(0, 0.5, len(known))
    told = GenderAbout(evaluator="own_cnn", threshold=0.0, direction="higher", title="Own CNN",
                       **about(protector, mode))  # fmt: skip
    frame = known[["image", "subject"]].assign(label=known["gender"], score=scores)
    return GenderScores(told, frame)


def age(protector: str, mode: str, level: float, name: str = "own_coral") -> AttributeScores:
    known, random = faces(), draws("age")
    middle = np.full(len(known), 38.0)
    # a guesser tells other groups than the middle one too
    noise = random.normal(0, 12 if name == "guesser" else 1, len(known))
    predicted = middle + level * (known["age"] - middle) + noise
    told = AttributeAbout(evaluator=name, attribute="age", values=AGE_GROUPS, title=name.upper(),
                          bounds=AGE_BOUNDS, **about(protector, mode))  # fmt: skip
    frame = known[["image", "subject"]].assign(label=known["age"], prediction=predicted)
    return AttributeScores(told, frame)


def race(protector: str, mode: str, level: float) -> AttributeScores:
    known, random = faces(), draws("race")
    wrong = random.random(len(known)) > 0.5 + 0.45 * level
    told = AttributeAbout(evaluator="own_race", attribute="race", values=RACES,
                          title="Own race classifier", **about(protector, mode))  # fmt: skip
    predicted = np.where(wrong, 1 - known["race"], known["race"])
    frame = known[["image", "subject"]].assign(label=known["race"], prediction=predicted)
    return AttributeScores(told, frame)


def matching(
    protector: str, mode: str, level: float, name: str = "sface", fewest: int = CAP
) -> ComparisonScores:
    """fewest: how many non-mated comparisons there are."""
    known, random = faces(), draws("matching", protector, mode)
    sides = (known[name].to_numpy(object) for name in ("image", "subject"))
    frame = all_pairs(*sides, CAP)
    kind = "original-original" if protector == "original" else "protected-original"
    title = {"sface": "SFace"}.get(name, name.upper())
    told = ComparisonAbout(matcher=name, kind=kind, measure="similarity", pairs="all",
                           title=title, **about(protector, mode))  # fmt: skip
    scores = 5 * level * frame["mated"] + random.normal(0, 1, len(frame))
    frame = frame.assign(score=scores)
    kept = frame["mated"] | ((~frame["mated"]).cumsum() <= fewest)
    return ComparisonScores(told, frame[kept].reset_index(drop=True))


def hiding(effects=None, deaf: bool = False) -> Hiding:
    """The population judged; deaf: with an age reader that guesses before protection too."""
    effects = EFFECTS if effects is None else effects
    read: list[Judged] = []
    for key, effect in effects.items():
        files = [age(*key, effect.age), race(*key, effect.race)]
        files += [age(*key, 0, "guesser")] * deaf
        read += [judge(each, 100) for each in files]
    return Hiding(
        Population(
            "faces", "Faces", (), pd.DataFrame(columns=["image", "subject", "part", "gender"])
        ),
        tuple(Condition(NOWHERE, *key, 0) for key in effects),
        tuple(judge(gender(*key, effect.gender), 100) for key, effect in effects.items()),
        tuple(judge(matching(*key, effect.matching), 100) for key, effect in effects.items()),
        attributes=tuple(read),
    )
