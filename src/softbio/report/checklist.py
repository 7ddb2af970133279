"""A reviewer's questions about a study, answered from the contents of its report.

The questions follow the paper checklist of NeurIPS (https://neurips.cc/public/guides/PaperChecklist)
in our own words; every answer is computed and links to the part of the page that shows it.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import pandas as pd

from softbio.data.registry import Card
from softbio.results.labels import in_text, label
from softbio.results.records import Records, as_published
from softbio.statistics.contests import Statistics

YES, PARTLY, NO = "yes", "partly", "no"


@dataclass(frozen=True)
class Answer:
    """A question, the answer in a word and in a text, and the page's anchors that show it."""

    question: str
    word: str
    text: str
    anchors: tuple[str, ...]


def _seeds(records: Records) -> Answer:
    counts = records.provenance.groupby(["dataset", "backbone", "method", "variant"])[
        "seed"
    ].nunique()
    few = int((counts < 2).sum())
    text = f"{len(counts)} cells, {counts.min()} to {counts.max()} seeds each."
    if few:
        text += f" {few} of them have one seed, whose spread is unknown."
    word = YES if few == 0 else PARTLY
    return Answer("Are results repeated with other seeds?", word, text, ("table-runs",))


def _intervals(statistics: Statistics) -> Answer:
    pairs = statistics.pairs
    known = sum(pair.separated is not None for pair in pairs)
    apart = sum(bool(pair.separated) for pair in pairs)
    text = (
        f"Seed SD and bootstrap intervals of every error, and {len(pairs)} paired comparisons "
        f"with Holm's correction: {apart} separated, {known - apart} not separated, "
        f"{len(pairs) - known} undecided with one seed."
    )
    anchors = tuple(
        f"table-differences-{d}-{b}"
        for d, b in dict.fromkeys((pair.dataset, pair.backbone) for pair in pairs)
    )
    word = YES if pairs and known == len(pairs) else PARTLY if pairs else NO
    return Answer(
        "Is the uncertainty of the results shown?", word, text, (*anchors, "table-uncertainty")
    )


def _repeatable(records: Records) -> Answer:
    frame = records.provenance
    sure = frame["deterministic"].astype(bool) if "deterministic" in frame else frame["seed"] < 0
    clean = [not git["dirty"] and git["commit"] is not None for git in frame["git"]]
    text = f"{int(sum(sure))} of {len(frame)} runs used repeatable kernels and one order of sums; "
    text += f"{sum(clean)} are from a clean commit. Recipe, versions and data hashes are recorded."
    word = YES if all(sure) and all(clean) else PARTLY
    return Answer("Can the runs be repeated exactly?", word, text, ("provenance", "table-runs"))


def _compute(records: Records) -> Answer:
    frame = records.provenance
    hours = float(frame["training_seconds"].sum()) / 3600
    hardware = " and ".join(sorted(frame["hardware"].unique()))
    text = f"{hours:.2f} hours of training on {hardware}; each run's time and memory are listed."
    return Answer("Is the computation stated?", YES, text, ("table-runs",))


def _data(cards: dict[str, Card]) -> Answer:
    lacking = [card.title for card in cards.values() if card.licence in ("", "not stated")]
    text = "Each data card has licence, access, splits, known problems and checksums."
    if lacking:
        text = f"No licence is stated for {' and '.join(lacking)}."
    anchors = tuple(f"card-{name}" for name in cards)
    return Answer("Are data and their licences described?", NO if lacking else YES, text, anchors)


def _splits(tables: set[str]) -> Answer:
    audited = "audit" in tables
    text = (
        "Images and subjects in both training and test are counted, and there is a repaired split."
    )
    return Answer(
        "Were training and test checked for leaks?",
        YES if audited else NO,
        text if audited else "The split was not audited.",
        ("table-audit",) if audited else (),
    )


def _controls(records: Records) -> Answer:
    median = any(run.method == "median" for run in records.folders)
    shuffled = any(run.variant == "-shuffled" for run in records.folders)
    found = [
        name
        for name, there in (("the constant median", median), ("shuffled labels", shuffled))
        if there
    ]
    text = f"Controls: {' and '.join(found)}." if found else "No control was run."
    anchors = tuple(f"table-controls-{dataset}" for dataset in records.datasets) if found else ()
    word = YES if len(found) == 2 else PARTLY if found else NO
    return Answer("Is there a baseline that cannot cheat?", word, text, anchors)


def _deviations() -> Answer:
    text = "Every recipe is compared with the published one, field by field."
    return Answer("Are deviations from the published work listed?", YES, text, ("deviations",))


def checklist(
    records: Records, statistics: Statistics, cards: dict[str, Card], tables: set[str]
) -> list[Answer]:
    """The answers; tables: names of the report's tables. Empty where nothing was trained."""
    if records.provenance.empty:
        return []
    return [
        _intervals(statistics),
        _seeds(records),
        _controls(records),
        _splits(tables),
        _repeatable(records),
        _compute(records),
        _data(cards),
        _deviations(),
    ]


@dataclass(frozen=True)
class ModelCard:
    """The training data of the models of one data set and backbone, and their errors by group."""

    title: str
    trained_on: str
    gaps: tuple[str, ...]
    anchor: str | None


def _gaps(frame: pd.DataFrame) -> Iterator[str]:
    """By label: the groups with the largest and the smallest mean error over methods and seeds."""
    for by, part in frame.groupby("by", sort=False):
        errors = part.groupby("group")["mae"].mean()
        if len(errors) < 2 or not np.isfinite(errors).all():
            continue
        worst, best = errors.idxmax(), errors.idxmin()
        yield (
            f"{by}: largest error for {worst} ({errors[worst]:.2f} years), smallest for {best} "
            f"({errors[best]:.2f})"
        )


def model_cards(records: Records) -> list[ModelCard]:
    """One card for each data set and backbone that was trained."""
    cards = []
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            runs = records.provenance
            own = runs[(runs["dataset"] == dataset) & (runs["backbone"] == backbone)]
            trained = f"{own['n_train'].iloc[0]:,} images of {in_text(dataset)}" if len(own) else ""
            gaps = tuple(_gaps(as_published(records.groups, dataset, backbone)))
            anchor = f"table-groups-{dataset}-{backbone}" if gaps else None
            title = f"{label(backbone)} on {label(dataset)}"
            cards.append(ModelCard(title, trained, gaps, anchor))
    return cards
