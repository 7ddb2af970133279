"""Faces in one place: five points, a similarity to a template, one canvas a face.

The geometry is measured once, on the original image, and reused for whatever is made of it; a face
that is not found is listed with the reason. Template units are those of the five points that
ArcFace and its kin align to (112 x 112); the canvas shows 28 units more on each side.
"""

import logging
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from softbio.data.expected import differences
from softbio.data.fetch import Sources, locate
from softbio.data.matching import match
from softbio.data.packed import write_header
from softbio.data.pictures import DRAWN_SIDE, decode
from softbio.data.readers import Records, read
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import check_present
from softbio.errors import UserError
from softbio.files import atomic, room

log = logging.getLogger(__name__)

# the image's left eye, its right eye, nose tip, left and right corner of the mouth (InsightFace)
TEMPLATE = np.array(
    [
        (38.2946, 51.6963),
        (73.5318, 51.5014),
        (56.0252, 71.7366),
        (41.5493, 92.3655),
        (70.7299, 92.2041),
    ]
)
MARGIN = 28
UNITS = 112 + 2 * MARGIN
SIDE = 336
TOLD = ["image", "age", "split", "gender", "race", "subject", "age_group"]
FOUND = ["points", "matrix", "landmarks"]
COLUMNS = TOLD + FOUND
NO_FACE = "no face found"

Finder = Callable[[np.ndarray], np.ndarray | None]
Marker = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Aligned:
    """Aligned faces.

    images: uint8 (N, side, side, 3) RGB, memory-mapped; index: N rows in the same order, columns
    `COLUMNS`: points float (10,), x, y in pixels of the original; matrix float (6,), the affine map
    (2, 3) from there to the canvas; landmarks float (136,), 68 points of iBUG in canvas pixels.
    """

    images: np.ndarray
    index: pd.DataFrame


def five_of(landmarks: np.ndarray) -> np.ndarray:
    """The five points among 68 of iBUG, (68, 2) -> (5, 2)."""
    eyes = [landmarks[36:42].mean(axis=0), landmarks[42:48].mean(axis=0)]
    return np.array([*eyes, landmarks[30], landmarks[48], landmarks[54]], float)


def similarity(points: np.ndarray, target: np.ndarray) -> np.ndarray:
    """The turn, scale and shift, float64 (2, 3), that brings points (n, 2) nearest to the target
    in the sense of least squares; never a reflection.

    Raises ValueError where the points are one point or not finite.
    """
    source, goal = (np.asarray(p, float) @ (1, 1j) for p in (points, target))
    from_, to = source.mean(), goal.mean()
    spread = (abs(source - from_) ** 2).sum()
    if not np.isfinite(spread) or spread < 1e-9:
        raise ValueError("its points are not those of a face")
    turn = (np.conj(source - from_) * (goal - to)).sum() / spread
    shift = to - turn * from_
    return np.array([[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]])


def moved(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points (n, 2) through an affine map (2, 3)."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def fitted(landmarks: np.ndarray, five: np.ndarray) -> np.ndarray:
    """68 landmarks moved, turned and scaled so that the five points among them come nearest to the
    five that the detector found: it places a face better than the small net that knows its shape.
    """
    return moved(landmarks, similarity(five_of(landmarks), five))


def to_canvas(points: np.ndarray, side: int = SIDE) -> np.ndarray:
    """The map (2, 3) from an image to its canvas, by the five points in it."""
    return similarity(points, (TEMPLATE + MARGIN) * (side / UNITS))


def warp(image: np.ndarray, matrix: np.ndarray, side: int = SIDE) -> np.ndarray:
    """uint8 (H, W, 3) or (H, W) -> the canvas; beyond the image its border goes on.

    An image of more than twice the canvas' resolution is reduced first, by areas.
    """
    scale = float(np.hypot(matrix[0, 0], matrix[1, 0]))
    if scale < 0.5:
        size = [max(round(length * 2 * scale), 1) for length in image.shape[1::-1]]
        steps = np.array(image.shape[1::-1]) / size
        image = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        matrix = reduced(matrix, steps)
    return cv2.warpAffine(
        image, matrix, (side, side), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
    )


def reduced(matrix: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """The map for an image reduced by `steps` (x, y); (0, 0) is the centre of the first pixel."""
    linear = matrix[:, :2] * steps
    return np.column_stack([linear, matrix[:, 2] + matrix[:, :2] @ ((steps - 1) / 2)])


def align(
    spec: DatasetSpec,
    folder: Path | str,
    raw: Path | str,
    find: Finder | None = None,
    mark: Marker | None = None,
    side: int = SIDE,
) -> None:
    """Align a data set: images.npy, index.parquet, rejected.csv (image, split, reason).

    find: image -> its five points, None without a face; mark: canvas -> its 68 points in pixels.
    Both are for photographs: a drawn face tells its own points. Raises UserError for what `locate`
    and the reader find wrong, where no face is found at all, and for a full disk.
    """
    folder = Path(folder)
    sources = locate(spec, raw)
    records = read(spec, sources)
    frame = records.frame
    differences(spec, frame, "listed")
    with room(folder, len(frame) * side * side * 3):
        with atomic(folder / "images.npy") as part, open(part, "wb+") as file:
            write_header(file, len(frame), side)
            kept, rejected = [], []
            for row, image, points in tqdm(
                _faces(records, sources, find),
                desc=f"align {spec.name}",
                total=len(frame),
                disable=not sys.stderr.isatty(),
            ):
                found = _one(image, points, mark, side)
                if isinstance(found, str):
                    rejected.append((row, found))
                    continue
                file.write(found[0].tobytes())
                kept.append((row, *found[1:]))
            if not kept:
                raise UserError(f"data set '{spec.name}': {_sentence(rejected, frame)}")
            file.seek(0)
            write_header(file, len(kept), side)
        with atomic(folder / "index.parquet") as part:
            _index(frame, kept).to_parquet(part)
        with atomic(folder / "rejected.csv") as part:
            lost = frame.iloc[[row for row, _ in rejected]][["image", "split"]]
            lost.assign(reason=[why for _, why in rejected]).to_csv(part, index=False)
    if rejected:
        log.warning("%s: %s; see rejected.csv", spec.name, _sentence(rejected, frame))


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


def _faces(
    records: Records, sources: Sources, find: Finder | None
) -> Iterator[tuple[int, np.ndarray | str, np.ndarray | None]]:
    """(row, image or why there is none, 68 or 5 points or None) of each record."""
    if records.draw is not None:
        for row, face in enumerate(records.faces):
            yield row, *records.draw(face, DRAWN_SIDE)
        return
    if find is None:
        raise UserError("photographs need a face detector; run `snakemake --cores 1 evaluators`")
    source = sources.open()
    names = list(records.frame["image"])
    files = match(names, source)
    check_present(names, files.values(), source.path)
    rows = {image: row for row, image in enumerate(names)}
    for name, content in source.read(files):
        try:
            image = (records.decode or decode)(content)
        except ValueError as error:
            yield rows[files[name]], str(error), None
            continue
        yield rows[files[name]], image, find(image)


def _one(
    image: np.ndarray | str, points: np.ndarray | None, mark: Marker | None, side: int
) -> tuple[Any, ...] | str:
    """(canvas, five points, map, 68 points on the canvas or None), or why there is no face."""
    if isinstance(image, str):
        return image
    if points is None:
        return NO_FACE
    exact = points if len(points) == 68 else None
    five = points if exact is None else five_of(exact)
    try:
        matrix = to_canvas(five, side)
    except ValueError as error:
        return str(error)
    canvas = warp(image, matrix, side)
    if exact is not None:
        landmarks = moved(exact, matrix)
    else:
        landmarks = fitted(mark(canvas), moved(five, matrix)) if mark else None
    return canvas, five, matrix, landmarks


def _index(frame: pd.DataFrame, kept: list[tuple[Any, ...]]) -> pd.DataFrame:
    index = frame.iloc[[row for row, *_ in kept]][TOLD].reset_index(drop=True)
    for number, column in enumerate(FOUND, start=1):
        values = [None if k[number] is None else np.ravel(k[number]).tolist() for k in kept]
        index[column] = pd.Series(values, dtype=object)
    return index


def _sentence(rejected: list[tuple[int, str]], frame: pd.DataFrame) -> str:
    row, why = rejected[0]
    return (
        f"{len(rejected)} of {len(frame)} images left out, the first is "
        f"'{frame['image'].iloc[row]}' ({why})"
    )
