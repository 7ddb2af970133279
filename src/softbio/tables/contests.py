"""Tables of intervals and tests: the uncertainty of each error, and which methods differ."""

from dataclasses import asdict

import pandas as pd

from softbio.results.formats import decimals, signed
from softbio.results.labels import label
from softbio.results.names import Names
from softbio.results.records import SELECTIONS
from softbio.statistics.contests import RULE, Pair, Statistics, Uncertainty
from softbio.tables.formats import span
from softbio.tables.layout import Row, Table

OVER = {True: "subjects", False: "images"}


def small_p(p: float) -> str:
    """A p value as printed."""
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def verdict_on(pair: Pair) -> str:
    """Whether `RULE` separates a pair, as the last column prints it."""
    return {True: "separated", False: "not separated", None: "one seed"}[pair.separated]


def _flat(entry: Pair | Uncertainty) -> dict:
    """One row of the CSV: intervals as columns name_estimate, name_low, name_high."""
    flat = {}
    for name, value in asdict(entry).items():
        if isinstance(value, dict):
            flat |= {f"{name}_{part}": number for part, number in value.items()}
        else:
            flat[name] = value
    return flat


def _pair_row(p: Pair, names: Names) -> Row:
    cells = [
        SELECTIONS[p.selection],
        f"{names.title(p.a)} − {names.title(p.b)}",
        signed(p.images.estimate),
        span(p.seeds, sign=True),
        span(p.images, sign=True),
        span(p.total, sign=True),
        small_p(p.p_holm),
        signed(p.effect),
        verdict_on(p),
    ]
    return Row(cells)


def pairs(statistics: Statistics, dataset: str, backbone: str, names: Names) -> Table | None:
    """Every pair of methods on the same test images; names: of the methods."""
    found = [p for s in SELECTIONS for p in statistics.between(dataset, backbone, s)]
    if not found:
        return None
    units = OVER[found[0].by_subject]
    caption = (
        "Difference of test MAE in years, means over seeds, decoded as published; below zero the "
        "first method is better. Three 95 % intervals: over seeds for these test images (Welch), "
        f"over test {units} for these seeds (BCa bootstrap), and over both. p: paired sign-flip "
        f"test over test {units}, after Holm's correction for the {len(statistics.pairs)} pairs of "
        f"the report. d: Cohen's d of the paired differences. {RULE}"
    )
    columns = [
        "Selection",
        "Methods",
        "Difference",
        "Over seeds",
        f"Over {units}",
        "Over both",
        "p",
        "d",
        "Verdict",
    ]
    long = pd.DataFrame([_flat(p) | {"verdict": verdict_on(p)} for p in found])
    title = f"Differences between methods: {label(dataset)}, {label(backbone)}"
    name = f"differences-{dataset}-{backbone}"
    return Table(
        name=name,
        title=title,
        caption=caption,
        long=long,
        columns=[("", c) for c in columns],
        rows=[_pair_row(p, names) for p in found],
        heads=2,
        words=1,
    )


def _uncertainty_row(u: Uncertainty, names: Names) -> Row:
    cells = [
        label(u.dataset),
        label(u.backbone),
        SELECTIONS[u.selection],
        names.title(u.method),
        decimals(u.images.estimate),
        str(u.seeds),
        decimals(u.seed_sd),
        span(u.images),
        f"{u.units:,}",
    ]
    return Row(cells)


def uncertainties(statistics: Statistics, names: Names) -> Table | None:
    """The uncertainty of each MAE, by its two sources; names: of the methods."""
    found = statistics.uncertainties
    if not found:
        return None
    units = " or ".join(sorted({OVER[u.by_subject] for u in found}))
    caption = (
        "Test MAE in years, mean over seeds, decoded as published. Seed SD: sample standard "
        "deviation (n−1) over seeds on the same test images, which is the effect of training "
        f"again. Interval: 95 % BCa bootstrap of the mean over test {units}, which is the effect "
        f"of another test set. N: number of {units}."
    )
    columns = [
        "Data set",
        "Backbone",
        "Selection",
        "Method",
        "MAE",
        "Seeds",
        "Seed SD",
        "Interval",
        "N",
    ]
    long = pd.DataFrame([_flat(u) for u in found])
    title = "Uncertainty of each error"
    return Table(
        name="uncertainty",
        title=title,
        caption=caption,
        long=long,
        columns=[("", c) for c in columns],
        rows=[_uncertainty_row(u, names) for u in found],
        heads=4,
    )
