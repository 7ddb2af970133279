"""Figures of gender classifiers before and after protection, and of the cost in matching."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from softbio.figures.base import WIDE, Figure, NotShown, plain, tiles
from softbio.figures.curves import by_strength, chance, inks, legend, roc_points
from softbio.results.conditions import (
    OVER_SUBJECTS,
    by_scorer,
    condition,
    failed_note,
    ordered,
    panel_name,
    protector_title,
    seen_note,
    strength_of,
    unseen,
)
from softbio.results.labels import in_text
from softbio.results.scores import KINDS, ORIGINAL
from softbio.statistics.intervals import Judged, tmr_name

TMR = tmr_name(0.01)
MARKS = {"": "o", "sm": "s", "nt": "D", "op": "^"}


def _points(judged: Sequence[Judged]) -> pd.DataFrame:
    """One row for each drawn point of each curve, and one for each shipped threshold."""
    parts = []
    for item in judged:
        scores, about = item.scores, item.about
        part = roc_points(scores.scores, scores.labels, scores.threshold)
        parts.append(
            part.assign(evaluator=about.evaluator, condition=condition(about), seed=about.seed)
        )
    return pd.concat(parts, ignore_index=True)


def _panel(ax: Axes, part: pd.DataFrame, styles: dict) -> None:
    chance(ax, lambda x: x, np.array([0.0, 1.0]))
    for (name, _), line in part.groupby(["condition", "seed"], sort=False, dropna=False):
        curve, dot = (line[line["mark"] == mark] for mark in ("curve", "threshold"))
        ax.plot(curve["false_positive"], curve["true_positive"], zorder=3, **styles[name])
        ax.plot(
            dot["false_positive"],
            dot["true_positive"],
            "o",
            color=styles[name]["color"],
            markersize=4.5,
            markeredgecolor="white",
            markeredgewidth=0.6,
            zorder=4,
        )
    ticks = [0, 0.5, 1]
    ax.set(xlim=(-0.01, 1), ylim=(0, 1.01), xticks=ticks, yticks=ticks, aspect="equal")


def gender_roc(judged: Sequence[Judged]) -> Figure:
    """ROC of every gender classifier before and after protection, one panel for each.

    Raises NotShown without scores.
    """
    judged = ordered(judged)
    if not judged:
        raise NotShown("needs gender scores")
    panels, styles, frame = by_scorer(judged), inks(judged), _points(judged)
    # the panels are square
    width, across = min(WIDE, 0.8 + 2.05 * len(panels)), min(len(panels), 4)
    canvas, axes = tiles(len(panels), width, min(2.75, width / across + 0.45), sharey=True)
    about = judged[0].about
    for ax, (name, items) in zip(axes, panels.items(), strict=True):
        _panel(ax, frame[frame["evaluator"] == name], styles)
        ax.set(title=panel_name(items), xlabel=f"{about.negative} classified as {about.positive}")
    axes[0].set_ylabel(f"{about.positive} classified as {about.positive}")
    legend(canvas, styles)
    abouts = [item.about for item in judged]
    counts = " or ".join(sorted({f"{len(item.scores.frame):,}" for item in judged}))
    caption = (
        f"ROC of gender classifiers on {counts} test images of {in_text(about.dataset)}, before "
        "and after protection. Dot: the threshold that the classifier is shipped with. Dotted "
        "diagonal: no information. A curve below it is no protection, because decisions can be "
        f"inverted. {seen_note(abouts)} {failed_note(abouts)}"
    ).strip()
    texts = ", ".join(
        f"{scorer_and(item)} {plain(item.interval('auc').estimate, 3)}" for item in judged
    )
    return Figure(
        name=f"gender-roc-{about.dataset}",
        title="Gender before and after protection",
        caption=caption,
        alt=f"ROC curves. Area under the curve: {texts}.",
        dataset=about.dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )


def scorer_and(item: Judged) -> str:
    """ "dlib gender, SAN OP" of a score file."""
    return f"{panel_name([item])}, {condition(item.about)}"


def _plane_rows(gender: Sequence[Judged], matching: Sequence[Judged], kind: str) -> list[dict]:
    """One row for each gender classifier, matcher, condition and seed, scorers unseen by the
    protector."""
    rows = []
    for g in unseen(gender):
        for m in unseen(matching):
            if m.about.kind not in (kind, KINDS[0]):
                continue
            same = [(a.protector, a.mode, a.seed) for a in (g.about, m.about)]
            if same[0] != same[1]:
                continue
            x, y = g.interval("eer"), m.interval(TMR)
            row = {"evaluator": panel_name([g]), "matcher": panel_name([m])}
            row |= {"condition": condition(g.about), "protector": g.about.protector}
            row |= {"mode": g.about.mode, "seed": g.about.seed}
            row |= {"eer": x.estimate, "eer_low": x.low, "eer_high": x.high}
            rows.append(row | {"tmr": y.estimate, "tmr_low": y.low, "tmr_high": y.high})
    return rows


def _marks(ax: Axes, part: pd.DataFrame, styles: dict) -> None:
    """A mark with both intervals for each condition; modes of one protector joined, those of
    rising strength from the originals on, with the strength beside the mark."""
    before = part[part["protector"] == ORIGINAL]
    modes = part.groupby("protector")["mode"].nunique()
    for _, line in part.groupby(["protector", "seed"], sort=False, dropna=False):
        rising = by_strength(line)
        line = line if rising is None else pd.concat([before[:1], rising])
        ax.plot(line["eer"], line["tmr"], color="#b5b5b5", linewidth=0.8, zorder=1)
    for row in part.itertuples():
        reach = [
            [[row.eer - row.eer_low], [row.eer_high - row.eer]],
            [[row.tmr - row.tmr_low], [row.tmr_high - row.tmr]],
        ]
        ax.errorbar(
            row.eer,
            row.tmr,
            reach[1],
            reach[0],
            marker=MARKS.get(row.mode, "P"),
            color=styles[row.condition]["color"],
            markersize=5,
            linewidth=0.9,
            capsize=0,
            zorder=3,
        )
        strength = strength_of(row.mode)
        if strength is not None and modes[row.protector] > 1:
            ax.annotate(
                f"{strength:g}",
                (row.eer, row.tmr),
                (3, 3),
                textcoords="offset points",
                fontsize=5.5,
                color=styles[row.condition]["color"],
            )
    ax.axvline(0.5, color="#8c8c8c", linewidth=0.7, linestyle=":", zorder=1)


def _by_protector(styles: dict[str, dict], gender: Sequence[Judged]) -> dict[str, dict]:
    """One name for all strengths of a protector; the marks show the strength."""
    names = {condition(i.about): i.about for i in gender}
    found = {}
    for name, style in styles.items():
        about = names[name]
        strength = strength_of(about.mode)
        shown = name if strength is None else protector_title(about)
        found.setdefault(shown, style)
    return found


def _marked(styles: dict[str, dict], frame: pd.DataFrame) -> dict[str, dict]:
    """The line properties of the conditions in a frame of `_plane_rows`, as marks without lines."""
    modes = dict(zip(frame["condition"], frame["mode"], strict=True))
    return {
        name: style | {"linestyle": "", "marker": MARKS.get(modes[name], "P")}
        for name, style in styles.items()
        if name in modes
    }


def plane(gender: Sequence[Judged], matching: Sequence[Judged], kind: str = KINDS[1]) -> Figure:
    """Privacy against utility: EER of unseen gender classifiers against TMR at FMR 1 % of unseen
    matchers, one panel for each pair of them.

    Raises NotShown where no protector has both, or FMR 1 % is not supported.
    """
    gender, matching = ordered(gender), ordered(matching)
    frame = pd.DataFrame(_plane_rows(gender, matching, kind))
    if frame.empty or frame["tmr"].isna().all():
        raise NotShown("needs unseen gender and matching scores, 3,000 non-mated comparisons")
    styles = _marked(inks(gender), frame)
    groups = list(frame.groupby(["evaluator", "matcher"], sort=False))
    size = (min(WIDE, 0.7 + 2.6 * len(groups)), 2.6 if len(groups) <= 4 else 2.1)
    canvas, axes = tiles(len(groups), *size, sharex=True, sharey=True)
    for ax, ((evaluator, matcher), part) in zip(axes, groups, strict=True):
        _marks(ax, part, styles)
        ax.set_title(f"{evaluator}\n{matcher}", fontsize=7)
        ax.set_xlabel("EER of gender")
    axes[0].set(ylabel="TMR at FMR 1 %", xlim=(0, max(0.55, frame["eer_high"].max() * 1.05)))
    axes[0].set_ylim(min(0.9, frame["tmr_low"].min() * 0.95), 1.005)
    legend(canvas, _by_protector(styles, gender))
    dataset = gender[0].about.dataset
    side = "originals" if kind == KINDS[1] else "other protected images"
    caption = (
        f"Privacy against utility on {in_text(dataset)}: EER of a gender classifier against TMR at "
        f"FMR 1 % of a matcher, protected probes against {side}; only scorers that were not used "
        "in training (first line of a title: the classifier; second: the matcher). Best is the "
        "upper end of the dotted line: gender at chance level, matching unchanged; to its right "
        "the decisions are inverted, which hides nothing. Lines join the modes of a protector, or "
        f"its strengths from the originals on; numbers are strengths. {OVER_SUBJECTS}; a "
        "comparison is weighted by the draws of both its subjects. "
        f"{failed_note(item.about for item in [*gender, *matching])}"
    ).strip()
    texts = "; ".join(
        f"{row.condition} EER {plain(row.eer)}, TMR {plain(row.tmr)} "
        f"({row.evaluator}, {row.matcher})"
        for row in frame.itertuples()
    )
    return Figure(
        name=f"privacy-utility-{kind}-{dataset}",
        title="Privacy against utility",
        caption=caption,
        alt=f"Marks: {texts}.",
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )
