"""Every figure of a configuration, from the records of its runs."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import matplotlib

from softbio.data.registry import Card
from softbio.figures import calibration, contests, data, errors, ranks, training
from softbio.figures.base import Figure, NotShown
from softbio.files import atomic
from softbio.results.labels import label
from softbio.results.records import Records
from softbio.statistics.contests import Statistics

__all__ = ["Figure", "write_figures"]

BACKBONE_FIGURES = {
    "training": training.curves,
    "age": errors.by_age,
    "heatmap": errors.predicted_against_true,
    "probabilities": ranks.probabilities,
    "cs": errors.cumulative_score,
    "reliability": calibration.reliability_of_exceedance,
    "inconsistencies": ranks.inconsistencies,
    "biases": ranks.bias_order,
}


def _plan(
    records: Records, cards: dict[str, Card], statistics: Statistics
) -> Iterator[tuple[str, str, str | None, Callable[[], Figure]]]:
    """(name, data set, backbone, how to draw it) in the report's order."""
    for dataset in records.datasets:
        yield "seeds", dataset, None, lambda d=dataset: data.seeds(records, d)
        yield "backbones", dataset, None, lambda d=dataset: data.backbones(records, d)
        for backbone in records.backbones(dataset):
            yield (
                "differences",
                dataset,
                backbone,
                lambda d=dataset, b=backbone: contests.differences(statistics, d, b, records.names),
            )
            for name, draw in BACKBONE_FIGURES.items():
                yield (
                    name,
                    dataset,
                    backbone,
                    lambda f=draw, d=dataset, b=backbone: f(records, d, b),
                )
        if dataset in cards:
            card = cards[dataset]
            yield "importance", dataset, None, lambda c=card, d=dataset: data.importance(c, d)
            yield "labels", dataset, None, lambda c=card, d=dataset: data.labels(c, d)


def write_figures(
    records: Records,
    cards: dict[str, Card],
    statistics: Statistics,
    folder: Path | str,
    style: Path | str,
) -> list[Figure]:
    """Write {name}.svg, .pdf, .png, .csv of every figure and index.json: "figures" in order with
    title, caption, alt text, and "absent": those whose runs are missing, with the reason."""
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    figures, absent = [], []
    with matplotlib.rc_context(fname=style):
        for name, dataset, backbone, draw in _plan(records, cards, statistics):
            try:
                figure = draw()
            except NotShown as reason:
                place = ", ".join(label(part) for part in (dataset, backbone) if part)
                absent.append({"name": name, "place": place, "reason": str(reason)})
                continue
            noted = f"{figure.caption} {records.names.note_on(figure.frame)}".strip()
            figure = replace(figure, caption=noted)
            figure.write(folder)
            figures.append(figure)
    index = {"figures": [figure.entry() for figure in figures], "absent": absent}
    with atomic(folder / "index.json") as part:
        part.write_text(json.dumps(index, indent=1, ensure_ascii=False), encoding="utf-8")
    return figures
