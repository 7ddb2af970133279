"""How far each method's probabilities can be believed."""

import numpy as np

from softbio.results.labels import in_text, label
from softbio.results.records import SELECTIONS, Records, by_method
from softbio.tables.errors import SD
from softbio.tables.layout import Row, Table, lowest, plus_minus

METRICS = {
    "rps": ("RPS ↓", 3),
    "ece": ("ECE ↓", 4),
    "coverage80": ("Coverage of 80 %", 3),
    "mass80": ("Own mass", 3),
    "width80": ("Width, years", 2),
}
CAPTION = (
    "RPS: squared errors of P(y > k) summed over the thresholds, mean over images, in years (the "
    "CRPS; of a certain prediction the absolute error). ECE: absolute difference of the observed "
    "share and the predicted P(y > k), mean over ten bins weighted by their pairs of image and "
    "threshold; the easy pairs, near 0 and 1, weigh most. Coverage: share of images whose age lies "
    "in the central 80 % interval of the predicted distribution, which goes from its 10 % to its "
    "90 % quantile in whole years. Such intervals hold more than 80 %: a calibrated method covers "
    "the share that it predicts itself (own mass). Width: ages in the interval. P(y > k) that rise "
    "with k, as those of OR-CNN may, enter RPS and ECE as predicted and the interval sorted "
    "downwards, which changes neither the published nor the expected rank. A dash: no "
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
            # a dash for who has no probabilities, no row for who has no validation set
            if np.isfinite(records.values(seeds, "mae", selection)).any():
                scores[selection].append((values["rps"].mean(), len(rows)))
                texts = [plus_minus(values[m], digits) for m, (_, digits) in METRICS.items()]
                rows.append(Row([label(method), name, *texts]))
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
