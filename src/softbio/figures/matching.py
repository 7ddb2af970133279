"""Matching of protected faces: ROC, DET and CMC, one panel for each matcher."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator
from scipy.special import ndtri

from softbio.figures.base import WIDE, Figure, NotShown, plain, plain_log, tiles
from softbio.figures.curves import chance, fewer, inks, legend
from softbio.metrics.verification import ERRORS, FMRS, cmc, curve
from softbio.results.conditions import (
    OVER_SUBJECTS,
    by_scorer,
    condition,
    failed_note,
    ordered,
    panel_name,
    seen_note,
)
from softbio.results.labels import in_text
from softbio.results.scores import KINDS, ComparisonScores
from softbio.statistics.intervals import Judged, tmr_name

SIDES = {
    KINDS[1]: "protected probes against original references",
    KINDS[2]: "protected probes against protected references",
}
LOWEST = 1e-3
DET_TICKS = [0.001, 0.005, 0.02, 0.05, 0.1, 0.2, 0.4, 0.6, 0.8]


def of_kind(judged: Sequence[Judged], kind: str) -> list[Judged]:
    """Comparisons of one kind beside those of the originals, in order."""
    found = ordered(item for item in judged if item.about.kind in (kind, KINDS[0]))
    if not any(item.about.kind == kind for item in found):
        raise NotShown(f"needs comparisons {kind}")
    return found


def _points(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row for each drawn point of each curve; `supported`: 30 or more false matches."""
    parts = []
    for item in judged:
        scores = item.scores
        found = curve(scores.scores, scores.mated)
        others = int((~scores.mated).sum())
        drawn = np.log10(np.maximum(found.fmr, 0.5 / others)) / -np.log10(LOWEST)
        kept = fewer(drawn, found.tmr)
        part = pd.DataFrame({"fmr": found.fmr[kept], "fnmr": found.fnmr[kept]})
        supported = np.round(part["fmr"] * others, 6) >= ERRORS
        parts.append(
            part.assign(
                matcher=item.about.matcher,
                condition=condition(item.about),
                kind=item.about.kind,
                seed=item.about.seed,
                tmr=1 - part["fnmr"],
                supported=supported,
            )
        )
    return pd.concat(parts, ignore_index=True)


def _lines(ax: Axes, part: pd.DataFrame, x: pd.Series, y: pd.Series, styles: dict) -> None:
    """A curve for each condition and seed, pale where the FMR comes from fewer than 30 false
    matches."""
    for (name, _), line in part.groupby(["condition", "seed"], sort=False, dropna=False):
        held = line.index[line["supported"]]
        rest = line.index[len(held) - 1 :] if len(held) else line.index
        ax.plot(x[held], y[held], zorder=3, **styles[name])
        ax.plot(x[rest], y[rest], zorder=2, alpha=0.3, **styles[name])


def _bars(ax: Axes, items: Sequence[Judged], styles: dict) -> list[dict]:
    """TMR with its interval at FMR 1 % and 0.1 %, side by side where they would overlap."""
    rows = []
    for place, item in enumerate(items):
        for fmr in FMRS:
            found = item.interval(tmr_name(fmr))
            if np.isnan(found.estimate):
                continue
            x = fmr * 1.13 ** (place - (len(items) - 1) / 2)
            reach = [[found.estimate - found.low], [found.high - found.estimate]]
            ink = styles[condition(item.about)]["color"]
            ax.errorbar(
                x, found.estimate, reach, color=ink, linewidth=1, marker="o", markersize=3, zorder=4
            )
            rows.append(
                {
                    "matcher": item.about.matcher,
                    "condition": condition(item.about),
                    "kind": item.about.kind,
                    "seed": item.about.seed,
                    "fmr": fmr,
                    "tmr": found.estimate,
                    "low": found.low,
                    "high": found.high,
                }
            )
    return rows


def _size(judged: Sequence[Judged]) -> str:
    """The number of comparisons, for a caption."""
    counts = {(int(i.scores.mated.sum()), int((~i.scores.mated).sum())) for i in judged}
    texts = [f"{own:,} mated and {other:,} non-mated" for own, other in sorted(counts)]
    return f"{' or '.join(texts)} comparisons (pair list: {judged[0].about.pairs})"


def _notes(judged: Sequence[Judged]) -> str:
    """The last sentences of every caption."""
    abouts = [item.about for item in judged]
    return f"{seen_note(abouts)} {failed_note(abouts)}".strip()


def _texts(judged: Sequence[Judged], name: str, words: str) -> str:
    """The numbers of an alt text."""
    found = (
        f"{panel_name([item])} {condition(item.about)} {plain(item.interval(name).estimate, 3)}"
        for item in judged
    )
    return f"{words}: {', '.join(found)}."


PALE = f"Pale: fewer than {ERRORS} false matches, too few to support that FMR (rule of 30)."


def roc(judged: Sequence[Judged], kind: str = KINDS[1]) -> Figure:
    """TMR against FMR on a log axis, with intervals at FMR 1 % and 0.1 % where supported.

    Raises NotShown without comparisons of this kind.
    """
    judged = of_kind(judged, kind)
    panels, styles, frame = by_scorer(judged), inks(judged), _points(judged)
    canvas, axes = tiles(len(panels), min(WIDE, 0.7 + 2.6 * len(panels)), 2.7, sharey=True)
    bars = []
    for ax, (name, items) in zip(axes, panels.items(), strict=True):
        part = frame[frame["matcher"] == name]
        chance(ax, lambda x: x, np.logspace(np.log10(LOWEST), 0, 50))
        _lines(ax, part, part["fmr"], part["tmr"], styles)
        bars += _bars(ax, items, styles)
        ax.set(
            xscale="log", xlim=(LOWEST, 1), ylim=(0, 1.01), title=panel_name(items), xlabel="FMR"
        )
        plain_log(ax.xaxis)
        ax.xaxis.set_major_locator(FixedLocator([0.001, 0.01, 0.1, 1]))
    axes[0].set_ylabel("TMR")
    legend(canvas, styles)
    dataset = judged[0].about.dataset
    caption = (
        f"True match rate against false match rate of {SIDES[kind]} on {in_text(dataset)}, and of "
        f"originals against originals (Before); one threshold for all subjects; {_size(judged)}. "
        "Bars, at FMR 1 % and 0.1 % where 30 false matches support them, shifted sideways: "
        f"{OVER_SUBJECTS}; a comparison is weighted by the draws of both its subjects. "
        f"{PALE} Dotted: no information. {_notes(judged)}"
    ).strip()
    alt = f"ROC curves. {_texts(judged, 'auc', 'Area under the curve')}"
    frame = pd.concat([frame, pd.DataFrame(bars)], ignore_index=True)
    name = f"matching-roc-{kind}-{dataset}"
    title = f"Matching after protection: ROC, {kind.replace('-', ' against ')}"
    return Figure(
        name=name,
        title=title,
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )


def _deviates(axis: Axis) -> None:
    """Normal deviate scale with rates written out in percent."""
    axis.set_major_locator(FixedLocator(list(ndtri(DET_TICKS))))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda _, place: f"{100 * DET_TICKS[place]:g}"))


def det(judged: Sequence[Judged], kind: str = KINDS[1]) -> Figure:
    """FNMR against FMR on normal deviate axes (Martin et al. 1997).

    Raises NotShown without comparisons of this kind.
    """
    judged = of_kind(judged, kind)
    panels, styles, frame = by_scorer(judged), inks(judged), _points(judged)
    canvas, axes = tiles(len(panels), min(WIDE, 0.8 + 2.3 * len(panels)), 2.9, sharey=True)
    ends = ndtri([LOWEST * 0.9, 0.85])
    for ax, (name, items) in zip(axes, panels.items(), strict=True):
        part = frame[(frame["matcher"] == name) & (frame["fmr"] > 0) & (frame["fnmr"] > 0)]
        # rates of 0 and 1 are infinite on these axes
        part = part[(part["fmr"] < 1) & (part["fnmr"] < 1)]
        x, y = (pd.Series(ndtri(part[rate]), part.index) for rate in ("fmr", "fnmr"))
        ax.plot(ends, ends, color="#8c8c8c", linewidth=0.7, linestyle=":", zorder=1)
        _lines(ax, part, x, y, styles)
        for axis in (ax.xaxis, ax.yaxis):
            _deviates(axis)
        ax.set(xlim=ends, ylim=ends, aspect="equal", title=panel_name(items), xlabel="FMR, %")
    axes[0].set_ylabel("FNMR, %")
    legend(canvas, styles)
    dataset = judged[0].about.dataset
    caption = (
        f"Detection error trade-off of {SIDES[kind]} on {in_text(dataset)}, and of originals "
        f"against originals (Before); normal deviate axes; {_size(judged)}. A curve meets the "
        f"dotted diagonal at its EER; nearer to the lower left is better. {PALE} {_notes(judged)}"
    ).strip()
    alt = f"DET curves. {_texts(judged, 'eer', 'EER')}"
    name = f"matching-det-{kind}-{dataset}"
    title = f"Matching after protection: DET, {kind.replace('-', ' against ')}"
    return Figure(
        name=name,
        title=title,
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )


def _cmc_frame(scores: Sequence[ComparisonScores], shown: int) -> pd.DataFrame:
    parts = []
    for item in ordered(scores):
        ranks, _, size = item.identification()
        part = pd.DataFrame({"rank": np.arange(1, size + 1), "share": cmc(ranks, size)})[:shown]
        about = item.about
        part = part.assign(matcher=about.matcher, condition=condition(about), seed=about.seed)
        parts.append(part.assign(gallery=size, probes=len(ranks)))
    return pd.concat(parts, ignore_index=True)


def identification(scores: Sequence[ComparisonScores], shown: int = 20) -> Figure:
    """CMC of closed-set identification up to rank `shown`, of comparisons with a whole gallery.

    Raises NotShown without any.
    """
    scores = ordered(item for item in scores if item.about.pairs == "gallery")
    if not scores:
        raise NotShown("needs comparisons with a gallery")
    panels, styles, frame = by_scorer(scores), inks(scores), _cmc_frame(scores, shown)
    canvas, axes = tiles(len(panels), min(WIDE, 0.7 + 2.6 * len(panels)), 2.5, sharey=True)
    for ax, (name, items) in zip(axes, panels.items(), strict=True):
        part = frame[frame["matcher"] == name]
        for (found, _), line in part.groupby(["condition", "seed"], sort=False, dropna=False):
            ax.plot(line["rank"], line["share"], zorder=3, **styles[found])
        size = part["gallery"].max()
        chance(ax, lambda x, n=size: x / n, np.arange(1, min(shown, size) + 1))
        ax.set(xlim=(1, shown), ylim=(0, 1.01), title=panel_name(items), xlabel="rank")
        ax.set_xticks([1, *range(5, shown + 1, 5)])
    axes[0].set_ylabel("share of probes identified")
    legend(canvas, styles)
    dataset = scores[0].about.dataset
    sizes = sorted(
        {(int(p), int(g)) for p, g in zip(frame["probes"], frame["gallery"], strict=True)}
    )
    counts = " or ".join(f"{probes:,} probes, {size:,} subjects" for probes, size in sizes)
    abouts = [item.about for item in scores]
    caption = (
        "Cumulative match characteristic of closed-set identification on "
        f"{in_text(dataset)}: share of probes whose subject ranks among the first k of the "
        f"gallery; {counts} in the gallery, one original image each. Ties count against the probe. "
        "Dotted: no information. "
        f"{seen_note(abouts)} {failed_note(abouts)}"
    ).strip()
    first = frame[frame["rank"] == 1]
    texts = ", ".join(
        f"{row.matcher} {row.condition} {plain(row.share, 3)}" for row in first.itertuples()
    )
    return Figure(
        name=f"matching-cmc-{dataset}",
        title="Identification after protection",
        caption=caption,
        alt=f"CMC curves. Rank-1 identification rate: {texts}.",
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )
