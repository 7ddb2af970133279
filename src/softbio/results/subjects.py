"""The subject of each image."""

import numpy as np
import pandas as pd


def shown_in(frame: pd.DataFrame) -> np.ndarray:
    """Object (N,): the subject of each image, by the columns subject and image; an image of an
    unknown subject counts as a subject of its own."""
    return frame["subject"].fillna("image " + frame["image"]).to_numpy(object)
