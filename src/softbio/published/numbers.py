"""The published numbers as data, and the word that compares ours with them.

Source: S. Raschka, "Convolutional Neural Networks for Predicting and Hiding Personal Traits from
Face Images", International Summer School on Deep Learning, Gdansk, July 2019 (the talk). Its
recipe is that of github.com/Raschka-research-group/coral-cnn at commit 9bcff82.
"""

import csv
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.registry import REPAIRED
from softbio.errors import UserError
from softbio.results.labels import label
from softbio.schema import validate

COLUMNS = [
    "source",
    "table",
    "dataset",
    "protocol",
    "backbone",
    "method",
    "weighted",
    "seed",
    "metric",
    "value",
    "sd",
    "as_printed",
    "verified",
]
NUMBERS = ["value", "sd"]
CELL = ["dataset", "backbone", "method", "weighted", "metric"]
# a printed number but for its table and seed
PLACE = ["source", "protocol", *CELL]
SCHEMA = Path(__file__).parents[3] / "workflow/schemas/published.schema.yaml"
# commit of the authors' repository whose recipe the talk's tables belong to
TALK_PROTOCOL = "9bcff82"
# half a unit of the last printed digit
HALF = 0.005
CLOSE = 0.05

RULE = (
    "reproduced: the difference lies within the 95 % Welch interval of zero (seed SDs of both "
    "sides; where ours is a single seed, the 95 % prediction interval of one more published seed), "
    "or half a hundredth beyond it, since printed seeds are rounded, and within 5 % of the "
    "published value; close: within 5 %, outside the interval; differs: more than 5 %; other "
    "recipe: another recipe, split, crop or number of images, so not comparable, the published "
    "value is context; not run: no run of that cell, with what it needs."
)

_OTHER = {"learning_rate": 5e-4, "precision": "fp32", "bias": "zeros", "validation": 0.0}
TALK = {
    "resnet34": {"size": 128, "crop": 120, "epochs": 200, "batch": 256} | _OTHER,
    "vgg": {"size": 128, "crop": 120, "epochs": 200, "batch": 64} | _OTHER,
    "inception_v3": {"size": 320, "crop": 299, "epochs": 100, "batch": 64} | _OTHER,
}
# Defaults of the authors' scripts for single data sets, and for a method there; the script of
# OR-CNN with VGG on AFAD was not handed out.
TALK_APART = {
    ("afad", "vgg"): {"learning_rate": 5e-5},
    ("afad", "vgg", "ce"): {"epochs": 100},
    ("cacd", "vgg"): {"learning_rate": 1e-5},
}

# what the talk trains on and with: its models' multiply-accumulates (10^9 an image, forward) at
# their crop, counted by tests/unit/test_backbones.py
GMAC = {"resnet34": 1.130, "vgg": 5.57, "inception_v3": 5.7}
# the journal's runs, whose logs give minutes: ResNet-34, this many epochs
LOGGED_EPOCHS = 200

NOTES = {
    "vgg": "The learning rate of the talk's VGG runs is known only as the default of the authors' "
    "scripts, which take another on the command line; the defaults are assumed: 5e-4, on AFAD 5e-5 "
    "and on CACD 1e-5.",
    "inception_v3": "The authors' Inception-v3 draws its initial weights from NumPy's global "
    "generator, which their seed does not set; here the seed sets them.",
}


def read_published(path: Path | str) -> pd.DataFrame:
    """config/published.csv: one row for each printed number, everything as printed, misprints
    included.

    Raises UserError, naming the line, for a row that the schema refuses, a number printed twice
    and a table that lacks one of its seeds.
    """
    try:
        with open(path, newline="", encoding="utf-8") as file:
            header, *lines = csv.reader(file)
    except (OSError, ValueError, csv.Error) as error:
        raise UserError(f"{path}: not readable ({error}); correct or restore it") from None
    if header != COLUMNS:
        raise UserError(f"{path}: columns are {header}; they must be {COLUMNS}")
    for number, line in enumerate(lines, start=2):
        _check_row(line, f"{path}, line {number}")
    frame = pd.DataFrame(lines, columns=COLUMNS, dtype=object)
    for column in NUMBERS:
        frame[column] = frame[column].replace("", np.nan).astype(float)
    twice = frame.duplicated(["table", *PLACE, "seed"]).to_numpy()
    if twice.any():
        raise UserError(
            f"{path}, line {twice.argmax() + 2}: this cell is there already; keep one of the two"
        )
    _check_seeds(frame, path)
    return frame


def _check_row(cells: list[str], name: str) -> None:
    if len(cells) != len(COLUMNS):
        raise UserError(f"{name}: {len(cells)} cells, the header has {len(COLUMNS)}")
    row: dict[str, object] = dict(zip(COLUMNS, cells, strict=True))
    for column in NUMBERS:
        text = row.pop(column)
        if not text:
            continue
        if not re.fullmatch(r"-?\d+(\.\d+)?", text):
            raise UserError(f"{name}: {column} is {text!r}, not a number")
        row[column] = float(text)
    validate(row, SCHEMA, name)


def _check_seeds(frame: pd.DataFrame, path: Path | str) -> None:
    """An average must never be recomputed over fewer seeds than its table has."""
    runs = frame[~frame["seed"].isin(["avg", "none"])]
    for table, cells in runs.groupby(["source", "table"]):
        expected = set(cells["seed"])
        for place, part in cells.groupby(PLACE):
            if missing := sorted(expected - set(part["seed"])):
                cell = ", ".join(place[1:])
                raise UserError(
                    f"{path}: {', '.join(table)}: {cell} lacks seed {', '.join(missing)}; add it"
                )


@dataclass(frozen=True)
class Average:
    """A printed average; mean and sd are recomputed from the printed seeds where there are any."""

    as_printed: str
    mean: float
    sd: float
    n: int
    misprinted: bool


def averages(published: pd.DataFrame, protocol: str = TALK_PROTOCOL) -> dict[tuple, Average]:
    """(dataset, backbone, method, weighted, metric) -> Average of one protocol (a value of that
    column; the talk's); weighted is "yes" or "no". n is 3 where no seeds are printed."""
    found = {}
    frame = published[published["protocol"] == protocol]
    # Table 1 comes before the weighting table that repeats it without its seeds
    for key, cells in frame.groupby(CELL, sort=False):
        if not (cells["seed"] == "avg").any():
            continue
        printed = cells[cells["seed"] == "avg"].iloc[0]
        seeds = cells.loc[~cells["seed"].isin(["avg", "none"]), "value"]
        mean, sd, n = printed["value"], printed["sd"], 3
        if len(seeds):
            mean, sd, n = seeds.mean(), seeds.std(ddof=1), len(seeds)
        wrong = misprinted(printed["value"] - mean, printed["sd"] - sd, n)
        found[key] = Average(printed["as_printed"], mean, sd, n, wrong)
    return found


def misprinted(mean: float, sd: float, n: int) -> bool:
    """Whether a printed mean and SD (n - 1), less those of the n printed seeds, are further off
    than rounding brings them: the printed number is rounded, and so is each seed. The mean moves
    with the seeds by at most `HALF`, the SD by at most the SD of what they move by."""
    # half of the seeds up, half down
    ups = n // 2
    spread = 2 * HALF * math.sqrt(ups * (n - ups) / n / max(n - 1, 1))
    return bool(abs(mean) > 2 * HALF + 1e-9 or abs(sd) > HALF + spread + 1e-9)


def welch_half_width(sd_a: float, n_a: int, sd_b: float, n_b: int, level: float = 0.95) -> float:
    """Half the Welch interval of a difference of two means (scipy's t quantile; 0 if no spread)."""
    from scipy.stats import t

    a, b = sd_a**2 / n_a, sd_b**2 / n_b
    if a + b == 0:
        return 0.0
    freedom = (a + b) ** 2 / (a**2 / (n_a - 1) + b**2 / (n_b - 1))
    return float(t.ppf((1 + level) / 2, freedom) * math.sqrt(a + b))


def prediction_half_width(sd: float, n: int, level: float = 0.95) -> float:
    """Half the interval that holds one more value of the law of n values, around their mean: that
    mean is uncertain too (scipy's t quantile)."""
    from scipy.stats import t

    return float(t.ppf((1 + level) / 2, n - 1) * sd * math.sqrt(1 + 1 / n))


def judge(ours: np.ndarray, theirs: Average) -> str:
    """One word by RULE; ours: one value a seed of runs with the published recipe."""
    difference = abs(float(np.mean(ours)) - theirs.mean)
    if len(ours) > 1:
        tolerance = welch_half_width(float(np.std(ours, ddof=1)), len(ours), theirs.sd, theirs.n)
    else:
        tolerance = prediction_half_width(theirs.sd, theirs.n)
    limit = CLOSE * theirs.mean
    if difference > limit:
        return "differs"
    return "reproduced" if difference <= tolerance + HALF else "close"


def logged_seconds(published: pd.DataFrame) -> float:
    """Seconds an image and epoch of the journal's ResNet-34 runs, median over their logs."""
    frame = published[published["protocol"] == "726e545"]
    images = frame[frame["metric"] == "images_train"].set_index("dataset")["value"]
    logs = frame[frame["metric"] == "minutes"]
    return float((60 * logs["value"] / logs["dataset"].map(images)).median() / LOGGED_EPOCHS)


def gpu_hours(published: pd.DataFrame, dataset: str, backbone: str) -> float:
    """Estimated GPU hours of one run of the talk on the authors' hardware: the logged time an image
    and epoch, in proportion to images, epochs and multiply-accumulates. NaN for another data set.
    """
    counts = published[
        (published["protocol"] == TALK_PROTOCOL)
        & (published["metric"] == "images_train")
        & (published["dataset"] == dataset)
    ]["value"]
    cost = GMAC[backbone] / GMAC["resnet34"] * TALK[backbone]["epochs"]
    return (
        float(counts.sum() * cost * logged_seconds(published) / 3600) if len(counts) else math.nan
    )


@dataclass(frozen=True)
class Deviation:
    """What is not the published one: a field of the recipe, or of the images (`images`)."""

    field: str
    published: str
    ours: str

    def __str__(self) -> str:
        return f"{self.field} {self.ours} (published: {self.published})"


def _text(field: str, value: object) -> str:
    if field == "validation":
        return f"{value:.0%} of train held out" if value else "none"
    return f"{value:g}" if isinstance(value, float) else str(value)


def talk_recipe(dataset: str, backbone: str, method: str) -> dict:
    """The talk's recipe, field -> value; a backbone that it does not have is taken for its
    ResNet-34."""
    common = TALK.get(backbone, TALK["resnet34"])
    own = TALK_APART.get((dataset, backbone), {})
    return common | own | TALK_APART.get((dataset, backbone, method), {})


def deviations(recipe: dict) -> list[Deviation]:
    """A recipe (run.json) against the talk's for its backbone; a backbone the talk does not have
    is compared with its ResNet-34. `bias` counts for CORAL only: the others have none."""
    talk = talk_recipe(
        recipe["dataset"].removesuffix(REPAIRED), recipe["backbone"], recipe["method"]
    )
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
