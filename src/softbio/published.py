"""The published numbers as data, and the word that compares ours with them.

Source: S. Raschka, "Convolutional Neural Networks for Predicting and Hiding Personal Traits from
Face Images", International Summer School on Deep Learning, Gdansk, July 2019 (the talk). Its
recipe is that of github.com/Raschka-research-group/coral-cnn at commit 9bcff82.
"""

import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.benchmark import REPAIRED
from softbio.errors import UserError
from softbio.records import label

COLUMNS = [
    "source", "table", "dataset", "protocol", "backbone", "method", "weighted", "seed", "metric",
    "value", "sd", "as_printed", "verified",
]  # fmt: skip
CELL = ["dataset", "backbone", "method", "weighted", "metric"]
# half a unit of the last printed digit, of the average and of the seeds it was taken over
ROUNDING = 0.0055
CLOSE = 0.05

RULE = (
    "reproduced: the difference lies within the 95 % Welch interval of zero (seed SDs of both "
    "sides; twice the published SD where ours is a single seed) and within 5 % of the published "
    "value; close: within 5 %, outside the interval; differs: more than 5 %; other recipe: not "
    "comparable, the published value is context."
)

_OTHER = {"learning_rate": 5e-4, "precision": "fp32", "bias": "zeros", "validation": 0.0}
TALK = {
    "resnet34": {"size": 128, "crop": 120, "epochs": 200, "batch": 256} | _OTHER,
    "vgg": {"size": 128, "crop": 120, "epochs": 200, "batch": 64} | _OTHER,
    "inception_v3": {"size": 320, "crop": 299, "epochs": 100, "batch": 64} | _OTHER,
}

NOTES = {
    "vgg": "The learning rate of the talk's VGG runs is known only as the default of the authors' "
    "scripts, which takes a value on the command line; 5e-4 is assumed.",
    "inception_v3": "The authors' Inception-v3 draws its initial weights from NumPy's global "
    "generator, which their seed does not set; here the seed sets them.",
}


def read_published(path: Path | str) -> pd.DataFrame:
    """config/published.csv: one row a printed number, `seed` "0", "1", "2" or "avg", everything
    as printed, misprints included."""
    frame = pd.read_csv(path, dtype={"seed": str, "as_printed": str})
    if list(frame.columns) != COLUMNS:
        raise UserError(f"{path}: columns are {list(frame.columns)}; they must be {COLUMNS}")
    return frame


@dataclass(frozen=True)
class Average:
    """A printed average; mean and sd are recomputed from the printed seeds where there are any."""

    as_printed: str
    mean: float
    sd: float
    n: int
    misprinted: bool


def averages(published: pd.DataFrame) -> dict[tuple, Average]:
    """(dataset, backbone, method, weighted, metric) -> Average; weighted is "yes" or "no"."""
    found = {}
    # Table 1 comes before the weighting table that repeats it without its seeds
    for key, cells in published.groupby(CELL, sort=False):
        printed = cells[cells["seed"] == "avg"].iloc[0]
        seeds = cells.loc[cells["seed"] != "avg", "value"]
        mean, sd, n = printed["value"], printed["sd"], 3
        if len(seeds):
            mean, sd, n = seeds.mean(), seeds.std(ddof=1), len(seeds)
        apart = max(abs(mean - printed["value"]), abs(sd - printed["sd"]))
        found[key] = Average(printed["as_printed"], mean, sd, n, bool(apart > ROUNDING))
    return found


def misprints(published: pd.DataFrame) -> dict[tuple, Average]:
    """The averages that do not follow from the seeds printed above them."""
    return {key: average for key, average in averages(published).items() if average.misprinted}


def welch_half_width(sd_a: float, n_a: int, sd_b: float, n_b: int, level: float = 0.95) -> float:
    """Half the Welch interval of a difference of two means (scipy's t quantile; 0 if no spread)."""
    from scipy.stats import t

    a, b = sd_a**2 / n_a, sd_b**2 / n_b
    if a + b == 0:
        return 0.0
    freedom = (a + b) ** 2 / (a**2 / (n_a - 1) + b**2 / (n_b - 1))
    return float(t.ppf((1 + level) / 2, freedom) * math.sqrt(a + b))


def judge(ours: np.ndarray, theirs: Average) -> str:
    """One word by RULE; ours: one value a seed of runs with the published recipe."""
    difference = abs(float(np.mean(ours)) - theirs.mean)
    if len(ours) > 1:
        tolerance = welch_half_width(float(np.std(ours, ddof=1)), len(ours), theirs.sd, theirs.n)
    else:
        tolerance = 2 * theirs.sd
    limit = CLOSE * theirs.mean
    if difference > limit:
        return "differs"
    # the printed seeds are known to half a hundredth
    return "reproduced" if difference <= tolerance + 0.005 else "close"


@dataclass(frozen=True)
class Deviation:
    """A recipe field that is not the published one."""

    field: str
    published: str
    ours: str

    def __str__(self) -> str:
        return f"{self.field} {self.ours} (published: {self.published})"


def _text(field: str, value: object) -> str:
    if field == "validation":
        return f"{value:.0%} of train held out" if value else "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def deviations(recipe: dict) -> list[Deviation]:
    """A recipe (run.json) against the talk's for its backbone; a backbone the talk does not have
    is compared with its ResNet-34. `bias` counts for CORAL only: the others have none."""
    talk = TALK.get(recipe["backbone"], TALK["resnet34"])
    found = []
    if recipe["dataset"].endswith(REPAIRED):
        found.append(Deviation("split", "the authors'", "repaired"))
    if recipe["backbone"] not in TALK:
        found.append(Deviation("backbone", label("resnet34"), label(recipe["backbone"])))
    for field, published in talk.items():
        if field == "bias" and recipe["method"] != "coral":
            continue
        if recipe[field] != published:
            texts = (_text(field, published), _text(field, recipe[field]))
            found.append(Deviation(field.replace("_", " "), *texts))
    return found


def brief(apart: list[Deviation]) -> str:
    """What a reader needs first of another recipe: "Small CNN, 48 px, 30 epochs"; the other
    fields where these three are as published."""
    forms = {"backbone": "{}", "size": "{} px", "epochs": "{} epochs"}
    first = [forms[d.field].format(d.ours) for d in apart if d.field in forms]
    return ", ".join(first or [f"{d.field} {d.ours}" for d in apart])
