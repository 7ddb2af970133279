"""Shared by the tests of the authors' layouts: what is packed is what the miniature holds."""

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from softbio.data.alignment.align import align, load_aligned
from softbio.data.fetching.locate import locate
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


# five points that a small image may have
FIVE = np.array([(22, 26), (42, 26), (32, 36), (25, 45), (39, 45)], float)


class Shown:
    """A face detector that finds five points in every image, each time a little further to the
    right: so the index tells which image a row was made of."""

    STEP = 1 / 64

    def __init__(self, five: np.ndarray = FIVE) -> None:
        self.five, self.images = five, []

    def __call__(self, image: np.ndarray) -> np.ndarray:
        self.images.append(image)
        return self.five + np.array([len(self.images) * self.STEP, 0])

    def of(self, index: pd.DataFrame) -> dict[str, np.ndarray]:
        """The image that each row of an index was made of, by its name."""
        moved = [(points[0] - self.five[0, 0]) / self.STEP for points in index["points"]]
        return {
            name: self.images[int(by) - 1] for name, by in zip(index["image"], moved, strict=True)
        }


def aligned_of(spec, folder: Path) -> tuple[pd.DataFrame, dict[str, np.ndarray]]:
    """The index of the aligned faces, and the image that the detector was shown for each."""
    find = Shown()
    align(spec, folder, folder / "raw", find, side=56)
    index = load_aligned(folder).index
    return index, find.of(index)


def check_originals(shown: dict[str, np.ndarray], images: dict[str, bytes]) -> None:
    """Every image was shown, with the pixels that Pillow makes of it."""
    assert sorted(shown) == sorted(images)
    for name, pixels in shown.items():
        wanted = np.asarray(Image.open(io.BytesIO(images[name])).convert("RGB"))
        assert (pixels == wanted).all(), name


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """A web server of a folder; its address."""
    handler = partial(SimpleHTTPRequestHandler, directory=str(folder))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
