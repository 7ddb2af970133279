"""Calibration: how reliable the predicted probabilities of each method are."""

import numpy as np

from softbio.results.labels import in_text, label
from softbio.results.records import SELECTIONS, Records, by_method
from softbio.tables.errors import SD
from softbio.tables.layout import Row, Table, lowest, plus_minus

METRICS = {
    "rps": ("RPS ↓", 3),
    "ece": ("ECE ↓", 4),
    "coverage80": ("Coverage of 80 %", 3),
    "mass80": ("Predicted mass", 3),
    "width80": ("Width, years", 2),
}
CAPTION = (
    "RPS: squared errors of P(y > k) summed over the thresholds, mean over images, in years (the "
    "CRPS; the absolute error if the prediction is certain). ECE: absolute difference between the "
    "observed share and the predicted P(y > k), mean over ten bins weighted by their pairs of "
    "image and threshold; most pairs are easy ones near 0 and 1, and weigh most. Coverage: share "
    "of images whose age lies in the central 80 % interval of the predicted distribution, from its "
    "10 % to its 90 % quantile in whole years. Intervals in whole years hold more than 80 %, so "
    "compare the coverage with the predicted mass: the share that the method itself gives to its "
    "intervals. Width: number of ages in the interval. P(y > k) that rise with k, as those of "
    "OR-CNN can, enter RPS and ECE as predicted; for the interval they are sorted in descending "
    "order, which changes neither the published nor the expected rank. A dash: the method gives no "
    "probabilities."
)


def calibration(records: Records, dataset: str, backbone: str) -> Table | None:
    """Scores and intervals of the predicted distributions, by method and selection rule."""
    runs = records.select(dataset, backbone)
    frame = records.runs
    long = frame[
        (frame["dataset"] == dataset)
        & (frame["backbone"] == backbone)
        & (frame["variant"] == "")
        # the probabilities are the same under each decoding
        & (frame["decoding"] == "published")
        & frame["metric"].isin(METRICS)
    ]
    if long["value"].isna().all():
        return None
    rows, scores = [], {selection: [] for selection in SELECTIONS}
    for method, seeds in by_method(runs).items():
        for selection, name in SELECTIONS.items():
            values = {m: records.values(seeds, m, selection) for m in METRICS}
            # a dash for a method without probabilities, no row without a validation set
            if np.isfinite(records.values(seeds, "mae", selection)).any():
                scores[selection].append((values["rps"].mean(), len(rows)))
                texts = [plus_minus(values[m], digits) for m, (_, digits) in METRICS.items()]
                rows.append(Row([records.title(method), name, *texts]))
    for found in scores.values():
        for place in lowest([mean for mean, _ in found], METRICS["rps"][1]):
            rows[found[place][1]].best.append(2)
    columns = [("", "Method"), ("", "Selection"), *(("", name) for name, _ in METRICS.values())]
    caption = f"Test set of {in_text(dataset)}, {in_text(backbone)}. {SD}; lowest RPS of a "
    caption += f"selection rule in bold. {CAPTION}"
    title = f"Calibration: {label(dataset)}, {label(backbone)}"
    return Table(
        name=f"calibration-{dataset}-{backbone}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
        heads=2,
    )
