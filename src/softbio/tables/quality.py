"""How much protected images differ from their originals."""

import numpy as np
import pandas as pd

from softbio.results.conditions import OVER_SUBJECTS
from softbio.results.formats import ABSENT
from softbio.results.labels import in_text, label
from softbio.results.subjects import shown_in
from softbio.statistics.means import bootstrap, clustered
from softbio.tables.formats import with_limits
from softbio.tables.layout import Row, Table

DIGITS = {"psnr": 1, "ssim": 3}
COLUMNS = ["condition", "image", "subject", *DIGITS]


def quality(frame: pd.DataFrame, dataset: str) -> Table | None:
    """Mean PSNR and SSIM of each condition; None without images.

    frame: `COLUMNS`, a row for each protected image, as `metrics.quality` gives its numbers;
    condition is the printed name, in order. An image equal to its original, whose PSNR is infinite,
    enters SSIM alone.
    """
    if frame.empty:
        return None
    rows, long = [], []
    for condition, part in frame.groupby("condition", sort=False):
        cells, numbers = [str(condition), f"{len(part):,}"], {}
        for metric, digits in DIGITS.items():
            held = part[np.isfinite(part[metric])]
            if held.empty:
                cells.append(ABSENT)
                continue
            subjects = shown_in(held)
            found = bootstrap(clustered(held[metric].to_numpy(float), subjects), resamples=1000)
            cells.append(with_limits(found, digits))
            numbers |= {metric: found.estimate, f"{metric}_low": found.low}
            numbers |= {f"{metric}_high": found.high, f"{metric}_images": len(held)}
        rows.append(Row(cells))
        long.append({"dataset": dataset, "condition": condition} | numbers)
    caption = (
        f"Protected compared with original images of {in_text(dataset)}, means over images. PSNR "
        "in dB over all pixels, without unchanged images; SSIM with Gaussian windows of 11 pixels "
        "(Wang et al. 2004), for grey levels from 0 to 1. Neither says whether a person would see "
        f"the change. In brackets: {OVER_SUBJECTS}."
    )
    columns = [("", name) for name in ("Images", "N", "PSNR, dB", "SSIM")]
    title = f"Image quality after protection: {label(dataset)}"
    return Table(
        name=f"quality-{dataset}",
        title=title,
        caption=caption,
        long=pd.DataFrame(long),
        columns=columns,
        rows=rows,
    )
