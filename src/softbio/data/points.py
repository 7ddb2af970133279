"""Where the face is in each image of an archive: found once, used at every size.

All images are looked at, listed or not, so that the published lists can be held against what the
preparation makes of the archive.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from softbio.data.align import NO_FACE
from softbio.data.archives import ImageSource
from softbio.data.fetch import locate
from softbio.data.pictures import decode
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.files import atomic
from softbio.progress import told

log = logging.getLogger(__name__)

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
BATCH = 1024
SCHEMA = pa.schema([
    ("file", pa.string()), ("width", pa.int32()), ("height", pa.int32()),
    ("points", pa.list_(pa.float32())), ("reason", pa.string()),
])  # fmt: skip

Row = tuple[str, int, int, list[float] | None, str]


@dataclass(frozen=True)
class Points:
    """What was found in the images of an archive.

    rows: file name -> row; sizes float (N, 2), width and height, px, 0 where nothing was decoded;
    five float (N, 5, 2), x and y in px of the eye on the image's left, that on its right, the nose
    tip and the corners of the mouth, NaN without a face; reasons: why a face is lacking, or "".
    """

    rows: dict[str, int]
    sizes: np.ndarray
    five: np.ndarray
    reasons: list[str]

    def of(self, file: str) -> np.ndarray | str:
        """The five points (5, 2) of a file, or why it has none; raises KeyError for another's."""
        row = self.rows[file]
        return self.reasons[row] or self.five[row]


def images_in(source: ImageSource) -> list[str]:
    """The files of an archive that are images by their names, in stored order."""
    return [name for name in source.names() if name.lower().endswith(SUFFIXES)]


def find_points(
    spec: DatasetSpec,
    path: Path | str,
    raw: Path | str,
    find: Callable[[np.ndarray], np.ndarray | None],
) -> None:
    """Look for a face in each image of a data set's archive; write `path` (Parquet, `SCHEMA`).

    find: uint8 (H, W, 3) RGB -> its five points in px, (5, 2), or None without a face. Memory does
    not grow with the archive. Raises UserError for what `locate` and the archive find wrong.
    """
    source = locate(spec, raw).open()
    files = images_in(source)
    with atomic(path) as part, pq.ParquetWriter(part, SCHEMA) as writer:
        rows: list[Row] = []
        for name, content in told(source.read(files), len(files), f"{spec.name}: faces"):
            rows.append(_row(name, content, find))
            if len(rows) == BATCH:
                writer.write_table(_table(rows))
                rows = []
        writer.write_table(_table(rows))


def read_points(path: Path | str) -> Points:
    """What `find_points` wrote; raises UserError where it is absent or another kind of file."""
    try:
        table = pq.read_table(path, schema=SCHEMA)
        lists = table["points"].to_pylist()
        five = np.array([of or [np.nan] * 10 for of in lists], float).reshape(-1, 5, 2)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UserError(f"{path}: no points of faces ({error}); find them again") from None
    names = table["file"].to_pylist()
    sizes = np.column_stack([table["width"].to_numpy(), table["height"].to_numpy()]).astype(float)
    rows = {name: row for row, name in enumerate(names)}
    return Points(rows, sizes, five, table["reason"].to_pylist())


def _row(name: str, content: bytes, find: Callable[[np.ndarray], np.ndarray | None]) -> Row:
    try:
        image = decode(content)
    except ValueError as error:
        return name, 0, 0, None, str(error)
    height, width = image.shape[:2]
    five = find(image)
    if five is None:
        return name, width, height, None, NO_FACE
    # a hundredth of a pixel: beyond that, processors differ
    return name, width, height, np.round(np.ravel(five), 2).tolist(), ""


def _table(rows: list[Row]) -> pa.Table:
    named = [dict(zip(SCHEMA.names, row, strict=True)) for row in rows]
    return pa.Table.from_pylist(named, SCHEMA)
