"""Faces in one place: each image's face on a canvas of its own, in the geometry of `template`.

It is measured once, on the original image, and reused for whatever is made of it; a face that is
not found is listed with the reason.
"""

import logging
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from softbio.data.alignment.template import NO_FACE, SIDE, fitted, five_of, moved, to_canvas, warp
from softbio.data.expected import differences
from softbio.data.fetching.locate import Sources, locate
from softbio.data.matching import rows_of
from softbio.data.packing.filling import ARRAY, on_disk, packing
from softbio.data.packing.journal import bytes_of, identity_of, table_sha256, text_of
from softbio.data.packing.pictures import DRAWN_SIDE, decode, libraries
from softbio.data.readers import Records, read
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.files import atomic, room, sha256
from softbio.progress import told

log = logging.getLogger(__name__)

TOLD = ["image", "age", "split", "gender", "race", "subject", "age_group"]
FOUND = ["points", "matrix", "landmarks"]
COLUMNS = TOLD + FOUND

Finder = Callable[[np.ndarray], np.ndarray | None]
Marker = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Aligned:
    """Aligned faces.

    images: uint8 (N, side, side, 3) RGB, memory-mapped; index: N rows in the same order, that of
    the data set's list, columns `COLUMNS`: points float (10,), x, y in pixels of the original;
    matrix float (6,), the affine map (2, 3) from there to the canvas; landmarks float (136,), 68
    points of iBUG in canvas pixels.
    """

    images: np.ndarray
    index: pd.DataFrame


@dataclass(frozen=True)
class Face:
    """What is known of an image beside its canvas.

    reason: why it has none, "" where it has; five: float64 (5, 2), pixels of the original;
    landmarks: float64 (68, 2), pixels of the canvas, or None.
    """

    reason: str = ""
    five: np.ndarray | None = None
    landmarks: np.ndarray | None = None

    def plain(self) -> list[Any]:
        """The same as JSON knows it."""
        both = (self.five, self.landmarks)
        return [
            self.reason,
            *(p if p is None else text_of(p.astype("<f8").tobytes()) for p in both),
        ]

    @classmethod
    def read(cls, reason: str, *found: str | None) -> "Face":
        """What `plain` gave."""
        points = (p if p is None else np.frombuffer(bytes_of(p), "<f8") for p in found)
        return cls(reason, *(p if p is None else p.reshape(-1, 2) for p in points))


# canvas or None, and what is known of it beside
Result = tuple[np.ndarray | None, Face]


def align(
    spec: DatasetSpec,
    folder: Path | str,
    raw: Path | str,
    find: Finder | None = None,
    mark: Marker | None = None,
    side: int = SIDE,
    known: Collection[Path | str] = (),
) -> None:
    """Align a data set: images.npy, index.parquet, rejected.csv (image, split, reason).

    find: image -> its five points, None without a face; mark: canvas -> its 68 points in pixels.
    Both are for photographs: a drawn face tells its own points. known: files that make them what
    they are. A run that was killed is gone on with, unless the source, one of `known` or a library
    is another by now; the result is the same, byte for byte. Raises UserError for what `locate` and
    the reader find wrong, where no face is found at all, for a full disk, and where another process
    is at the same work.
    """
    folder = Path(folder)
    sources = locate(spec, raw)
    records = read(spec, sources)
    frame = records.frame
    differences(spec, frame, "listed")
    images = _Images(records, sources, find)
    identity = identity_of(
        *(side, asdict(spec), images.version, table_sha256(frame)),
        *([sha256(file) for file in known], libraries()),
    )
    with room(folder, len(frame) * side * side * 3 - on_disk(folder)):
        with packing(folder, len(frame), side, identity, Face) as under_way:
            done = len(under_way.notes)
            faces = told(images.faces(under_way.notes), len(frame), f"align {spec.name}", done)
            under_way.add((row, *_one(image, five, mark, side)) for row, image, five in faces)
            found = under_way.ordered()
            kept = [row for row, face in enumerate(found) if not face.reason]
            if not kept:
                raise UserError(f"data set '{spec.name}': {_left_out(frame, found)}")
            under_way.finish(kept)
            (folder / ARRAY).replace(folder / "images.npy")
        with atomic(folder / "index.parquet") as part:
            _index(frame.iloc[kept], [found[row] for row in kept], side).to_parquet(part)
        reasons = frame[["image", "split"]].assign(reason=[face.reason for face in found])
        with atomic(folder / "rejected.csv") as part:
            reasons[reasons["reason"] != ""].to_csv(part, index=False)
    if len(kept) < len(frame):
        log.warning("%s: %s; see rejected.csv", spec.name, _left_out(frame, found))


def load_aligned(folder: Path | str) -> Aligned:
    """Open an aligned folder; raises UserError where it is absent, or its parts do not fit."""
    folder = Path(folder)
    try:
        images = np.load(folder / "images.npy", mmap_mode="r", allow_pickle=False)
        index = pd.read_parquet(folder / "index.parquet")
        if images.dtype != np.uint8 or images.shape[:1] != (len(index),) or images.ndim != 4:
            raise ValueError(f"{images.dtype}{images.shape} does not fit {len(index)} rows")
        if lacking := [column for column in COLUMNS if column not in index]:
            raise ValueError(f"index.parquet lacks {', '.join(lacking)}")
    except (OSError, EOFError, ValueError) as error:
        raise UserError(f"{folder}: no aligned faces ({error}); align them again") from None
    return Aligned(images, index)


class _Images:
    """The images of a data set, each with its face; version: what they are, as JSON knows it."""

    def __init__(self, records: Records, sources: Sources, find: Finder | None) -> None:
        self.records, self.find, self.version = records, find, ()
        if records.draw is not None:
            return
        if find is None:
            raise UserError(
                "photographs need a face detector; run `snakemake --cores 1 evaluators`"
            )
        self.source = sources.open()
        self.rows = rows_of(list(records.frame["image"]), self.source)
        self.version = (*map(asdict, sources.files), self.source.version(self.rows))

    def faces(
        self, done: Collection[int]
    ) -> Iterator[tuple[int, np.ndarray | str, np.ndarray | None]]:
        """(row, image or why there is none, 68 or 5 points or None) of each that is not `done`."""
        records = self.records
        if records.draw is not None:
            for row, face in enumerate(records.faces):
                if row not in done:
                    yield row, *records.draw(face, DRAWN_SIDE)
            return
        wanted = [file for file, row in self.rows.items() if row not in done]
        for file, content in self.source.read(wanted):
            try:
                image = (records.decode or decode)(content)
            except ValueError as error:
                yield self.rows[file], str(error), None
            else:
                yield self.rows[file], image, self.find(image)


def _one(
    image: np.ndarray | str, points: np.ndarray | None, mark: Marker | None, side: int
) -> Result:
    """The canvas of an image by the five or 68 points of its face."""
    if isinstance(image, str):
        return None, Face(image)
    if points is None:
        return None, Face(NO_FACE)
    exact = points if len(points) == 68 else None
    five = points if exact is None else five_of(exact)
    try:
        matrix = to_canvas(five, side)
    except ValueError as error:
        return None, Face(str(error))
    canvas = warp(image, matrix, side)
    if exact is not None:
        landmarks = moved(exact, matrix)
    else:
        landmarks = fitted(mark(canvas), moved(five, matrix)) if mark else None
    return canvas, Face("", five, landmarks)


def _index(frame: pd.DataFrame, faces: Sequence[Face], side: int) -> pd.DataFrame:
    index = frame[TOLD].reset_index(drop=True)
    values = ((face.five, to_canvas(face.five, side), face.landmarks) for face in faces)
    for column, found in zip(FOUND, zip(*values, strict=True), strict=True):
        lists = [None if each is None else np.ravel(each).tolist() for each in found]
        index[column] = pd.Series(lists, dtype=object)
    return index


def _left_out(frame: pd.DataFrame, faces: Sequence[Face]) -> str:
    rows = [row for row, face in enumerate(faces) if face.reason]
    return (
        f"{len(rows)} of {len(frame)} images left out, the first is "
        f"'{frame['image'].iloc[rows[0]]}' ({faces[rows[0]].reason})"
    )
