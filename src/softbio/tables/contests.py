"""Tables of intervals and tests: how well each error is known, and which methods differ."""

from dataclasses import asdict

import pandas as pd

from softbio.results.labels import label
from softbio.results.records import SELECTIONS
from softbio.statistics.contests import RULE, Pair, Statistics, Uncertainty
from softbio.statistics.means import Interval
from softbio.tables.layout import ABSENT, Row, Table, decimals

OVER = {True: "subjects", False: "images"}


def signed(value: float, digits: int = 2) -> str:
    """A difference as printed, with its sign."""
    return f"{value:+.{digits}f}".replace("-", "−")


def span(interval: Interval | None, digits: int = 2) -> str:
    """The limits of a difference as printed; a dash where there is no interval."""
    if interval is None:
        return ABSENT
    return f"{signed(interval.low, digits)} to {signed(interval.high, digits)}"


def small_p(p: float) -> str:
    """A p value as printed."""
    return "< .001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def verdict_on(pair: Pair) -> str:
    """One word."""
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


def pairs(statistics: Statistics, dataset: str, backbone: str) -> Table | None:
    """Every pair of methods on the same test images."""
    found = [p for s in SELECTIONS for p in statistics.between(dataset, backbone, s)]
    if not found:
        return None
    rows = []
    for p in found:
        cells = [
            SELECTIONS[p.selection],
            f"{label(p.a)} − {label(p.b)}",
            signed(p.images.estimate),
            span(p.seeds),
            span(p.images),
            span(p.total),
            small_p(p.p_holm),
            signed(p.effect),
            verdict_on(p),
        ]
        rows.append(Row(cells))
    units = OVER[found[0].by_subject]
    caption = (
        "Difference of test MAE in years, means over seeds, decoded as published: below zero the "
        "first is better. 95 % intervals apart: over seeds (Welch, test images as they are), over "
        f"test {units} (BCa bootstrap, seeds as they are), and over both. p: paired sign-flip test "
        f"over test {units}, after Holm's correction for the {len(statistics.pairs)} pairs of the "
        "report. "
        f"d: Cohen's d of the paired differences. {RULE}"
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
        rows=rows,
        heads=2,
        words=1,
    )


def uncertainties(statistics: Statistics) -> Table | None:
    """How well each MAE is known, by its two sources apart."""
    found = statistics.uncertainties
    if not found:
        return None
    rows = [
        Row(
            [
                label(u.dataset),
                label(u.backbone),
                SELECTIONS[u.selection],
                label(u.method),
                decimals(u.images.estimate),
                str(u.seeds),
                decimals(u.seed_sd),
                f"{u.images.low:.2f} to {u.images.high:.2f}",
                f"{u.units:,}",
            ]
        )
        for u in found
    ]
    units = " or ".join(sorted({OVER[u.by_subject] for u in found}))
    caption = (
        "Test MAE in years, mean over seeds, decoded as published. Seed SD: sample standard "
        "deviation (n−1) over seeds on the same test images, what training anew changes. Interval: "
        f"95 % BCa bootstrap of the mean over test {units}, what another test set would change; "
        f"N: how many {units}."
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
    title = "How well each error is known"
    return Table(
        name="uncertainty",
        title=title,
        caption=caption,
        long=long,
        columns=[("", c) for c in columns],
        rows=rows,
        heads=4,
    )
