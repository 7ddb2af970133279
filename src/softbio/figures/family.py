"""Figures of an ensemble's prototypes, and of the effect and cost of each stage of a series."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from softbio.figures.base import (
    OKABE_ITO,
    WIDE,
    Canvas,
    Figure,
    NotShown,
    direct_labels,
    plain,
    tiles,
    whole_ticks,
)
from softbio.hiding.family import Series, Track, over_scorers
from softbio.hiding.verdicts import Draws, interval_of
from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.labels import in_text

BLACK, MEAN = "#000000", "mean"
GENDERS = ("female", "male")


@dataclass(frozen=True)
class Portrait:
    """A prototype: the mean face of a gender in a group; pixels: float (S, S, 3) RGB in 0..1."""

    group: str
    gender: str
    pixels: np.ndarray


def prototypes(found: Sequence[Portrait], learnt: str, dataset: str) -> Figure:
    """A row for each gender and a column for each group. learnt: the data set of the averaged
    faces; dataset: that of the test faces.

    Raises NotShown without prototypes.
    """
    if not found:
        raise NotShown("needs the prototypes of an ensemble or of a series")
    groups = list(dict.fromkeys(each.group for each in found))
    side = min(1.1, (WIDE - 0.6) / len(groups))
    canvas = Canvas(figsize=(0.6 + side * len(groups), 2 * side + 0.4))
    axes = canvas.subplots(2, len(groups), squeeze=False)
    canvas.get_layout_engine().set(w_pad=0.01, h_pad=0.01, wspace=0, hspace=0)
    for each in found:
        ax = axes[GENDERS.index(each.gender), groups.index(each.group)]
        ax.imshow(np.clip(each.pixels, 0, 1), interpolation="nearest")
        ax.set(xticks=[], yticks=[])
        ax.grid(visible=False)
        ax.spines[:].set_visible(False)
    for ax, group in zip(axes[0], groups, strict=True):
        ax.set_title(group.replace(", ", ",\n"), fontsize=7, loc="center", pad=3)
    for ax, gender in zip(axes[:, 0], GENDERS, strict=True):
        ax.set_ylabel(gender, rotation=0, ha="right", va="center", fontsize=7)
    rows = [{"group": p.group, "gender": p.gender, "mean_level": p.pixels.mean()} for p in found]
    caption = (
        f"Prototypes of the ensemble and of FlowSAN: pixel means of the training faces of "
        f"{in_text(learnt)} by gender and group, as in the talk's Figure 4. A face gets the "
        "prototypes of its own group, or those of the last column if its group is not known."
    )
    alt = f"Two rows of mean faces, female and male. Columns: {', '.join(groups)}."
    return Figure(
        name=f"prototypes-{dataset}",
        title="Prototypes of each group",
        caption=caption,
        alt=alt,
        dataset=dataset,
        backbone=None,
        frame=pd.DataFrame(rows),
        canvas=canvas,
    )


def _point(what: str, scorer: str, stage: int, drawn: Draws) -> dict:
    found = interval_of(drawn)
    keys = {"number": what, "scorer": scorer, "stage": stage}
    return keys | {"value": found.estimate, "low": found.low, "high": found.high}


def _points(found: Series, what: str, tracks: Sequence[Track]) -> list[dict]:
    """Each scorer's numbers and their mean, by stages; unknown ones are left out."""
    rows = [
        _point(what, track.by, k, track.over_seeds(k))
        for track in tracks
        for k in sorted(track.places)
        if track.places[k]
    ]
    means = [(k, over_scorers(tracks, k)) for k in range(found.last + 1)]
    rows += [_point(what, MEAN, k, drawn) for k, drawn in means if drawn and len(tracks) > 1]
    return rows


def _lines(ax: Axes, part: pd.DataFrame) -> None:
    """A thin line for each scorer, named at its end, and a thick one for their mean with intervals;
    a single scorer is drawn like the mean."""
    names = []
    for number, (name, line) in enumerate(part.groupby("scorer", sort=False)):
        ink = BLACK if name == MEAN else OKABE_ITO[number % 6]
        bold = name == MEAN or part["scorer"].nunique() == 1
        ax.plot(
            line["stage"],
            line["value"],
            color=ink,
            linewidth=2.2 if bold else 0.9,
            zorder=4 if bold else 3,
        )
        if bold:
            reach = [line["value"] - line["low"], line["high"] - line["value"]]
            ax.errorbar(
                line["stage"],
                line["value"],
                reach,
                color=ink,
                linestyle="",
                marker="o",
                markersize=4,
                linewidth=1.1,
                capsize=2,
                zorder=5,
            )
        names.append((name, float(line["value"].iloc[-1]), ink))
    direct_labels(ax, names)


def stages(found: Series | None, dataset: str) -> Figure:
    """EER of unseen gender classifiers, and TMR of unseen matchers, against the number of stages.

    Raises NotShown without a series.
    """
    if found is None:
        raise NotShown("needs unseen gender scores of FlowSAN's stages")
    kinds = {"EER of gender": found.gender, "TMR at FMR 1 %": found.matching}
    frame = pd.DataFrame([row for what in kinds for row in _points(found, what, kinds[what])])
    shown = [what for what in kinds if (frame["number"] == what).any()]
    canvas, axes = tiles(len(shown), WIDE if len(shown) > 1 else WIDE / 2, 2.5)
    for ax, what in zip(axes, shown, strict=True):
        part = frame[frame["number"] == what]
        ax.set(title=what, xlabel="stages", xlim=(-0.1, found.last + 0.1))
        if what == "EER of gender":
            ax.set_ylim(0, max(0.55, 1.05 * part["high"].max()))
            ax.axhline(0.5, color="#8c8c8c", linewidth=0.7, linestyle=":", zorder=1)
        else:
            ax.set_ylim(min(0.9, 0.95 * part["low"].min()), 1.005)
        whole_ticks(ax.xaxis)
        _lines(ax, part)
    seeds = max(len(s) for track in found.gender for s in track.places.values())
    caption = (
        f"FlowSAN on test images of {in_text(dataset)} by the number of stages; 0 is before "
        "protection. Left, the privacy: EER of gender of unseen classifiers, dotted line at chance "
        "level. Right, the cost: TMR at FMR 1 % of unseen matchers, protected probes against "
        "originals. Thin: each scorer; thick: their mean, with its interval (those of each scorer "
        "are in the table). "
        f"{'Means over the seeds. ' * (seeds > 1)}{OVER_SUBJECTS}."
    )
    means = frame[frame["scorer"] == MEAN] if MEAN in set(frame["scorer"]) else frame
    texts = "; ".join(
        f"{row.number} ({row.scorer}) after {row.stage}: {plain(row.value)}"
        for row in means.itertuples()
    )
    return Figure(
        name=f"flowsan-{dataset}",
        title="FlowSAN, stage by stage",
        caption=caption,
        alt=f"Two line plots. {texts}.",
        dataset=dataset,
        backbone=None,
        frame=frame,
        canvas=canvas,
    )
