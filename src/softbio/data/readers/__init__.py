"""Readers: one file each, turning a data set's own layout into one table.

A reader is a module with `records(spec, sources) -> Records`; the registry names it by its file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from softbio.errors import UserError

if TYPE_CHECKING:
    from softbio.data.fetching.locate import Sources
    from softbio.data.registry import DatasetSpec

COLUMNS = ["image", "age", "split", "gender", "race", "subject"]
# columns of some data sets, None in all others
OPTIONAL = ["age_group"]


@dataclass(frozen=True)
class Records:
    """The result of a reader.

    frame: a row an image in published order, columns `COLUMNS`: image (str, unique), age (int; None
    in a data set without ages), split (train, valid, test), gender (female, male), race, subject
    (None where unknown); optionally age_group ("young", "old", None), where it is known and the age
    is not. The pixels of an image are under its name in `sources.images`, or drawn:
    draw(faces[row], size) -> uint8 (size, size, 3) RGB, float32 (68, 2) landmarks in pixels.
    decode: file -> uint8 (H, W, 3) RGB, for the alignment of images that no library reads; raises
    ValueError.
    """

    frame: pd.DataFrame
    faces: Sequence[Any] = ()
    draw: Callable[[Any, int], tuple[np.ndarray, np.ndarray]] | None = None
    decode: Callable[[bytes], np.ndarray] | None = None


# readers of images whose age is in their name, their list or their drawing
OF_AGES = ("afad", "cacd", "drawn", "morph2", "utkface")


def read(spec: "DatasetSpec", sources: "Sources") -> Records:
    """The records of a data set, by the reader that its entry names; the frame has all of `COLUMNS`
    and `OPTIONAL`. Raises UserError for a reader of ages where the entry has none."""
    if spec.ages is None and spec.reader in OF_AGES:
        raise UserError(
            f"datasets.{spec.name}.ages is empty; the reader '{spec.reader}' needs the youngest "
            "and the oldest age"
        )
    records = import_module(f"{__name__}.{spec.reader}").records(spec, sources)
    lacking = {name: None for name in OPTIONAL if name not in records.frame}
    return replace(records, frame=records.frame.assign(**lacking))
