"""Whom an image shows."""

import numpy as np
import pandas as pd


def shown_in(frame: pd.DataFrame) -> np.ndarray:
    """Object (N,): whom an image shows, by the columns subject and image; an image of an unknown
    subject is its own."""
    return frame["subject"].fillna("image " + frame["image"]).to_numpy(object)
