"""The published recipe and accuracy of reading gender, and how a run deviates from them.

Source: the notebook that the talk shows, cnn-resnet101-celeba of rasbt/deeplearning-models: the
centre of 178 px at 128 px, nothing augmented, Adam at 1e-3, batches of 128, 10 epochs, the last one
tested. Its siblings of other depths, of which nothing is printed here, have other batches.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pandas as pd

from softbio.data.registry import REPAIRED
from softbio.published.images import other_cut
from softbio.published.numbers import Deviation
from softbio.results.labels import label
from softbio.results.names import Names

PROTOCOL = "celeba-last"
DATASET, METHOD, BACKBONE = "celeba", "ce", "resnet101"
BACKBONES = ("resnet18", "resnet34", "resnet50", "resnet101")
# what it cuts out of each aligned face, as the registry of data sets names it
CUT = "centre"
RECIPE = {
    **{"size": 128, "crop": 128, "epochs": 10, "batch": 128, "learning_rate": 1e-3},
    **{"precision": "fp32"},
}
# "Batch 1250/1272" of the talk's log: an epoch of all of CelebA's training part
BATCHES = 1272
# of CelebA's own partition (list_eval_partition.txt)
TESTED = 19_962

RULE = (
    "reproduced: the published recipe and split, and the interval of the difference covers zero; "
    "differs: it does not; other recipe: another network, size, crop, schedule, split or "
    "number of training images, for which the published number is context"
)


@dataclass(frozen=True)
class Printed:
    """A published accuracy: value in %, as it is printed, and its source."""

    backbone: str
    value: float
    as_printed: str
    source: str


def printed(published: pd.DataFrame) -> dict[str, Printed]:
    """Backbone -> its published accuracy, from the rows of config/published.csv."""
    rows = published[
        (published["dataset"] == DATASET)
        & (published["protocol"] == PROTOCOL)
        & (published["metric"] == "accuracy")
    ]
    return {
        row.backbone: Printed(row.backbone, row.value, row.as_printed, row.source)
        for row in rows.itertuples()
    }


def deviations(record: Mapping[str, Any], names: Names | None = None) -> list[Deviation]:
    """What in a run (its run.json) differs from the published one; empty where nothing does.

    names: how methods are printed, those of the talk without it.
    """
    titles = names or Names()
    recipe, found = record["recipe"], []
    dataset, backbone, method = (recipe[name] for name in ("dataset", "backbone", "method"))
    if dataset.removesuffix(REPAIRED) != DATASET:
        found.append(Deviation("data set", label(DATASET), label(dataset)))
    if dataset.endswith(REPAIRED):
        found.append(Deviation("split", "the authors'", "repaired"))
    if backbone not in BACKBONES:
        found.append(Deviation("backbone", label(BACKBONE), label(backbone)))
    if method != METHOD:
        found.append(Deviation("method", titles.title(METHOD), titles.title(method)))
    for field, value in RECIPE.items():
        if recipe[field] != value:
            found.append(Deviation(field.replace("_", " "), f"{value}", f"{recipe[field]}"))
    if recipe["variant"]:
        found.append(Deviation("control", "none", recipe["variant"].removeprefix("-")))
    found += other_cut(record.get("cut"), CUT)
    batches = -(-record["n_train"] // recipe["batch"])
    if recipe["batch"] == RECIPE["batch"] and batches != BATCHES:
        found.append(Deviation("batches an epoch", f"{BATCHES}", f"{batches}"))
    if record["n_test"] != TESTED:
        found.append(Deviation("test images", f"{TESTED:,}", f"{record['n_test']:,}"))
    return found
