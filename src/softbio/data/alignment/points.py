"""Where the face is in each image of an archive: found once, used at every size.

All images are looked at, listed or not, so that the published lists can be held against what the
preparation makes of the archive.
"""

import logging
from collections.abc import Callable, Collection
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from softbio.data.alignment.template import NO_FACE
from softbio.data.fetching.archives import ImageSource
from softbio.data.fetching.locate import locate
from softbio.data.packing.journal import Journal, identity_of, journal
from softbio.data.packing.pictures import decode, libraries
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.files import atomic, sha256
from softbio.progress import told

log = logging.getLogger(__name__)

SUFFIXES = (".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".pgm", ".ppm")
JOURNAL = ".points.journal"
# images between two lines of the journal, some seconds of work, and in a row group of the file
CHUNK, BATCH = 64, 1024
# bytes of a name, which may be in any encoding: as the archive or the folder has them
SCHEMA = pa.schema([
    ("file", pa.binary()), ("width", pa.int32()), ("height", pa.int32()),
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
    known: Collection[Path | str] = (),
) -> None:
    """Look for a face in each image of a data set's archive; write `path` (Parquet, `SCHEMA`).

    find: uint8 (H, W, 3) RGB -> its five points in px, (5, 2), or None without a face; known: files
    that make it what it is. Memory does not grow with the archive. A run that was killed is gone on
    with, from a journal beside `path`, unless the archive, one of `known` or a library is another
    by now; the result is the same, byte for byte. Raises UserError for what `locate` and the
    archive find wrong, and where another process is at the same work.
    """
    path, sources = Path(path), locate(spec, raw)
    source = sources.open()
    files = images_in(source)
    content = [*map(asdict, sources.files), source.version(files)]
    identity = identity_of(spec.name, content, [sha256(file) for file in known], libraries())
    busy = f"{path}: another process looks for these faces; wait for it, or end it"
    with journal(path.with_name(JOURNAL), busy) as lines:
        done = _done(lines, identity)
        if done:
            log.info("%s: %d of %d images were looked at before", spec.name, done, len(files))
        chunk: list[Row] = []
        rest = source.read(files[done:]) if done < len(files) else ()
        for name, data in told(rest, len(files), f"{spec.name}: faces", done):
            chunk.append(_row(name, data, find))
            if len(chunk) == CHUNK:
                lines.add({"rows": chunk})
                chunk = []
        if chunk:
            lines.add({"rows": chunk})
        lines.keep()
        _write(path, lines)


def _done(lines: Journal, identity: str) -> int:
    """How many images an earlier run has looked at, the first ones in stored order."""
    counts: list[int] = []

    def take(content: dict[str, Any]) -> bool:
        counts.append(len(content["rows"]))
        return True

    lines.resume(identity, take)
    return sum(counts)


def _write(path: Path, lines: Journal) -> None:
    """All rows of the journal into `path`, in row groups that are the same wherever a run was
    killed."""
    rows: list[Row] = []
    with atomic(path) as part, pq.ParquetWriter(part, SCHEMA) as writer:
        for content in lines.contents():
            rows += content["rows"]
            while len(rows) >= BATCH:
                writer.write_table(_table(rows[:BATCH]))
                rows = rows[BATCH:]
        writer.write_table(_table(rows))


def read_points(path: Path | str) -> Points:
    """What `find_points` wrote; raises UserError where it is absent or another kind of file."""
    try:
        table = pq.read_table(path, schema=SCHEMA)
        lists = table["points"].to_pylist()
        five = np.array([of or [np.nan] * 10 for of in lists], float).reshape(-1, 5, 2)
    except (OSError, ValueError, pa.ArrowException) as error:
        raise UserError(f"{path}: no points of faces ({error}); find them again") from None
    names = [name.decode(errors="surrogateescape") for name in table["file"].to_pylist()]
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
    files = [name.encode(errors="surrogateescape") for name, *_ in rows]
    named = [
        dict(zip(SCHEMA.names, (file, *row[1:]), strict=True))
        for file, row in zip(files, rows, strict=True)
    ]
    return pa.Table.from_pylist(named, SCHEMA)
