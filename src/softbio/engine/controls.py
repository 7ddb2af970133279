"""Predictors that bound every table from above."""

from pathlib import Path

import numpy as np

from softbio.data.packed import load_packed
from softbio.errors import UserError
from softbio.results.names import CONTROLS
from softbio.results.predictions import About, prediction_frame, write_predictions


def predict_median(dataset: str, packed: Path, out: Path) -> None:
    """Predict the median training rank for every test image; write predictions.parquet.

    The lower of the two middle ranks where the number of training images is even: a rank must be
    whole, and both have the same training MAE. Raises UserError for an empty training or test part.
    """
    data = load_packed(packed)
    train, test = data.rows("train"), data.rows("test")
    for name, rows in (("training", train), ("test", test)):
        if not len(rows):
            raise UserError(f"data set '{dataset}': the {name} part is empty; check its split")
    median = int(np.quantile(data.labels[train], 0.5, method="lower"))
    constant = np.full(len(test), median, np.int32)
    frame = prediction_frame(data, test, "last", constant, np.empty((len(test), 0), np.float32))
    name = CONTROLS["median"]
    about = About(dataset, "control", "median", "", 0, "point", data.ages, name, in_talk=False)
    write_predictions(out, about, frame)
