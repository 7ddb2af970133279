"""Shared by the tests of the authors' layouts: what is packed is what the miniature holds."""

import io
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from softbio.data.fetch import locate
from softbio.data.packed import load_packed
from softbio.data.prepare import prepare
from softbio.data.readers import COLUMNS, OPTIONAL, read
from softbio.data.registry import Preparation

SIZE = 24


def packed_of(spec, folder: Path):
    """Packed as it is, without the published crop."""
    spec = replace(spec, prepare=Preparation())
    prepare(spec, SIZE, folder, folder / "raw")
    return load_packed(folder)


def frame_of(spec, folder: Path) -> pd.DataFrame:
    frame = read(spec, locate(spec, folder / "raw")).frame
    assert list(frame.columns) == [*COLUMNS, *OPTIONAL]
    return frame


def check_pixels(packed, images: dict[str, bytes]) -> None:
    """Every image is there with the pixels that Pillow makes of it."""
    assert sorted(packed.index["image"]) == sorted(images)
    for pixels, name in zip(packed.images, packed.index["image"], strict=True):
        image = Image.open(io.BytesIO(images[name])).convert("RGB")
        wanted = np.asarray(image.resize((SIZE, SIZE), Image.Resampling.BILINEAR))
        assert (pixels == wanted).all(), name


def edited(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), encoding="utf-8")
