"""A made-up family over three seeds, as judged numbers without score files: the pattern of the
publications, none of it a measurement."""

from pathlib import Path
from zlib import crc32

import numpy as np
import pandas as pd

from softbio.hiding.load import Condition, Hiding
from softbio.hiding.population import Population
from softbio.results.scores import ComparisonAbout, ComparisonScores, GenderAbout, GenderScores
from softbio.statistics.intervals import Judged, Resampled

SUBJECTS = np.array([f"s{n:02d}" for n in range(40)])
SEEDS = (0, 1, 2)
TITLES = {"none": "No protection", "san": "SAN", "ensemble": "Ensemble SAN", "flowsan": "FlowSAN",
          "privacynet": "PrivacyNet", "mixing": "Face mixing", "blur": "Gaussian blur",
          "gradient_sign": "Gradient sign"}  # fmt: skip
ONCE = ("none", "mixing", "blur")
# mean EER of gender and TMR
EFFECTS = {
    ("none", "original"): (0.05, 0.98),
    ("san", "sm"): (0.06, 0.97),
    ("san", "nt"): (0.13, 0.965),
    ("san", "op"): (0.20, 0.96),
    ("ensemble", "member1"): (0.19, 0.96),
    ("ensemble", "member2"): (0.205, 0.957),
    ("ensemble", "member3"): (0.21, 0.959),
    ("ensemble", "average"): (0.23, 0.963),
    ("ensemble", "random"): (0.204, 0.955),
    ("flowsan", "stage1"): (0.20, 0.96),
    ("flowsan", "stage2"): (0.27, 0.945),
    ("flowsan", "stage3"): (0.33, 0.93),
    ("privacynet", "g"): (0.30, 0.92),
    ("privacynet", "ga"): (0.29, 0.90),
    ("privacynet", "gr"): (0.31, 0.91),
    ("privacynet", "gar"): (0.30, 0.89),
    ("privacynet", "a"): (0.06, 0.95),
    ("privacynet", "g-nomatcher"): (0.35, 0.6),
    ("privacynet", "keep"): (0.05, 0.96),
    ("mixing", "alpha0.8"): (0.12, 0.95),
    ("mixing", "alpha0.6"): (0.28, 0.80),
    ("mixing", "alpha0.5"): (0.40, 0.62),
    ("mixing", "alpha0.4"): (0.52, 0.45),
    ("mixing", "alpha0.3"): (0.66, 0.25),
    ("gradient_sign", "eps8"): (0.15, 0.97),
    ("blur", "sigma2"): (0.08, 0.85),
}
CLASSIFIERS = {"faceres": ("FaceRes", 0.0), "dlib_gender": ("dlib gender", -0.02),
               "aux_gender": ("Auxiliary CNN", 0.0)}  # fmt: skip
MATCHERS = {"sface": ("SFace", 0.0), "weak": ("Weak matcher", -0.55)}


# all that `intervals.of_gender` gives and something here reads
GENDER = ("eer", "auc", "balanced_error")


def _rng(*words: object) -> np.random.Generator:
    return np.random.default_rng(crc32(" ".join(map(str, words)).encode()))


def numbers(names: tuple[str, ...], middle: float, key: tuple) -> Resampled:
    """All of them the same number, with draws that follow the subjects of the scorer."""
    common, own = _rng(key[0]), _rng(*key)
    values = 0.012 * common.normal(size=120) + 0.006 * own.normal(size=120)
    without = 0.0005 * common.normal(size=len(SUBJECTS))
    each = np.full((1, len(names)), middle)
    return Resampled(
        names, each[0], np.clip(each + values[:, None], 0, 1), each + without[:, None], SUBJECTS, 40
    )


def _stored(protector: str, mode: str) -> tuple[str, str]:
    return ("original", "") if protector == "none" else (protector, mode)


def gender(name: str, protector: str, mode: str, seed: int, spread: float = 0.01) -> Judged:
    """A classifier's numbers of a condition in a seed; eer and auc together."""
    title, shift = CLASSIFIERS[name]
    seen = name == "aux_gender" and protector in ("san", "ensemble", "flowsan")
    about = GenderAbout(
        "lfw", name, *_stored(protector, mode), 0.5, "higher", seed=seed, seen=seen, title=title,
        protector_title=TITLES[protector],
    )  # fmt: skip
    middle = EFFECTS[protector, mode][0] + shift
    middle += 0 if protector in ONCE else spread * _rng(name, protector, mode, seed).normal()
    found = numbers(GENDER, float(np.clip(middle, 0.005, 0.995)), (name, protector, mode))
    frame = pd.DataFrame({"image": [], "subject": [], "label": [], "score": []})
    return Judged(GenderScores(about, frame), found)


def matching(name: str, protector: str, mode: str, seed: int, spread: float = 0.006) -> Judged:
    """A matcher's numbers of a condition in a seed."""
    title, shift = MATCHERS[name]
    kind = "original-original" if protector == "none" else "protected-original"
    about = ComparisonAbout(
        "lfw", name, *_stored(protector, mode), kind, "similarity", "all", seed=seed, seen=False,
        title=title, protector_title=TITLES[protector],
    )  # fmt: skip
    middle = EFFECTS[protector, mode][1] + shift
    middle += 0 if protector in ONCE else spread * _rng(name, protector, mode, seed).normal()
    found = numbers(("tmr@0.01",), float(np.clip(middle, 0.01, 0.99)), (name, protector, mode))
    return Judged(ComparisonScores(about, pd.DataFrame({"score": [], "mated": []})), found)


def attack(name: str, protector: str, mode: str, seed: int, auc: float) -> Judged:
    """What an attacker tells."""
    item = gender("faceres", protector, mode, seed)
    about = GenderAbout("lfw", name, protector, mode, 0.5, "higher", seed=seed, title=name,
                        protector_title=TITLES[protector])  # fmt: skip
    found = numbers(GENDER, auc, (name, protector, mode))
    return Judged(GenderScores(about, item.scores.frame), found)


def quality(places: list[tuple[str, str, int]]) -> pd.DataFrame:
    """Two images of each subject in each condition."""
    parts = []
    for protector, mode, seed in places:
        noise = _rng(protector, mode, seed, "quality").normal(size=2 * len(SUBJECTS))
        parts.append(pd.DataFrame(
            {"image": [f"{s}-{n}" for s in SUBJECTS for n in (0, 1)],
             "subject": np.repeat(SUBJECTS, 2), "psnr": 25 + seed + noise,
             "ssim": 0.9 + 0.01 * noise, "protector": protector, "mode": mode,
             "seed": seed, "condition": mode}
        ))  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def places(effects=EFFECTS, seeds=SEEDS) -> list[tuple[str, str, int]]:
    """Conditions with their seeds: what no network makes in the first alone."""
    return [
        (*effect, seed)
        for effect in effects
        for seed in (seeds[:1] if effect[0] in ONCE else seeds)
    ]


def family(effects=EFFECTS, seeds=SEEDS, spread: float = 0.01) -> Hiding:
    """The whole of it."""
    made = places(effects, seeds)
    conditions = tuple(Condition(Path(), p, m, s, TITLES[p]) for p, m, s in made)
    attacked = [place for place in made if place[:2] in (("san", "op"), ("flowsan", "stage3"))]
    return Hiding(
        Population("lfw", "Made-up faces", (), pd.DataFrame()),
        conditions,
        tuple(gender(name, *place, spread) for place in made for name in CLASSIFIERS),
        tuple(matching(name, *place) for place in made for name in MATCHERS),
        attacks=tuple(
            attack(name, *place, auc)
            for place in attacked
            for name, auc in (("retrained", 0.9), ("turned", 0.15), ("blurred", 0.7))
        ),
        quality=quality(
            [place for place in made if place[:2] in (("san", "op"), ("blur", "sigma2"))]
        ),
    )
