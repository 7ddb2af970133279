"""A condition on disk: what `protect_parts` wrote, as those who judge it read it."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softbio.data.packed import load_packed
from softbio.errors import UserError
from softbio.privacy.faces import in_colour
from softbio.results.scores import ORIGINAL

UNPROTECTED = "none"


@dataclass(frozen=True)
class Protected:
    """The faces of one part in one condition.

    protector, mode, seed, title: as the folder's card says; dataset: the one data set that the
    faces come from; images: uint8 (N, S, S, 3), three equal channels, of the square
    `evaluators.crop.FRAME`, as `open_protected` gives them read-only; index: N rows with image,
    subject and gender.
    """

    protector: str
    mode: str
    seed: int
    title: str
    dataset: str
    images: np.ndarray
    index: pd.DataFrame

    @property
    def is_original(self) -> bool:
        """Whether nothing was done to the faces."""
        return self.protector == UNPROTECTED

    @property
    def about(self) -> dict[str, Any]:
        """What its score files say of it, by the fields that both kinds of them share."""
        names = (ORIGINAL, "") if self.is_original else (self.protector, self.mode)
        known = dict(zip(("protector", "mode"), names, strict=True))
        return known | {"dataset": self.dataset, "seed": self.seed, "protector_title": self.title}


def open_protected(folder: Path, part: str = "test", dataset: str = "") -> Protected:
    """The faces of a part in a folder of `protect_parts`.

    dataset: whose faces they are where the index has no column of that name. Of the images one
    channel is read, into memory. Raises UserError for a folder of anything else, and for a part
    that is empty or of several data sets.
    """
    packed = load_packed(folder)
    try:
        card = json.loads((folder / "card.json").read_text())
        names = [str(card[key]) for key in ("protector", "mode")]
        seed, title = int(card["seed"]), str(card["title"])
        rows = np.flatnonzero((packed.index["part"] == part).to_numpy())
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{folder}: no protected faces ({error!r}); protect them again") from None
    if not len(rows):
        raise UserError(f"{folder}: the part '{part}' is empty; protect it too")
    index = packed.index.iloc[rows].reset_index(drop=True)
    found = index["dataset"].unique() if "dataset" in index else [dataset]
    if len(found) > 1:
        raise UserError(f"{folder}: the part '{part}' mixes {' and '.join(found)}; keep one")
    images = in_colour(packed.images[rows, ..., 0])
    return Protected(*names, seed, title, found[0], images, index)
