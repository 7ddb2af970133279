"""Packing that can be killed at any moment: the array as far as it is filled, and its journal.

The journal gets a line after each chunk: which rows, what is known of them and the SHA-256 of their
pixels, after a checksum of the line itself. A later run believes a line only where its checksum is
right and the array holds those pixels; from the first line that fails, rows are packed again. So
the order of writes to the disk does not matter, and a crashed machine costs no more than a killed
process.
"""

import hashlib
import logging
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Generic, Protocol, TypeVar

import numpy as np

from softbio.data.packed import write_header
from softbio.data.packing.journal import Journal, journal

log = logging.getLogger(__name__)

ARRAY, JOURNAL = ".images.packing.npy", ".images.packing.journal"
# pixels between two lines of the journal: half a second of packing, some seconds of aligning
CHUNK_BYTES, CHUNK_ROWS = 32 * 2**20, 1024


class Noted(Protocol):
    """What is known of a row besides its pixels; `reason` is why it has none, "" where it has."""

    @property
    def reason(self) -> str: ...

    def plain(self) -> list[Any]:
        """The note as values for JSON."""

    @classmethod
    def read(cls, *values: Any) -> "Noted":
        """The note that `plain` made these values of."""


N = TypeVar("N", bound=Noted)


class Packing(Generic[N]):
    """An unfinished array of n images of `size` pixels.

    kind: the class of notes; notes: row -> note, of each row that is done, in this run or an
    earlier one.
    """

    def __init__(self, array: BinaryIO, lines: Journal, n: int, size: int, kind: type[N]) -> None:
        self._array, self._journal, self._n, self._size, self._kind = array, lines, n, size, kind
        write_header(array, n, size)
        self._start, self._step = array.tell(), size * size * 3
        self.notes: dict[int, N] = {}

    def add(self, rows: Iterable[tuple[int, np.ndarray | None, N]]) -> None:
        """Write (row, its pixels or None, its note) in any order; a line of the journal a chunk.

        Written by position, not through a memory map, where a full disk would kill the process.
        """
        most = min(max(CHUNK_BYTES // self._step, 1), CHUNK_ROWS)
        chunk, digest = {}, hashlib.sha256()
        for row, image, note in rows:
            if image is not None:
                pixels = image.tobytes()
                self._array.seek(self._start + row * self._step)
                self._array.write(pixels)
                digest.update(pixels)
            chunk[row] = note
            if len(chunk) == most:
                self._close(chunk, digest.hexdigest())
                chunk, digest = {}, hashlib.sha256()
        if chunk:
            self._close(chunk, digest.hexdigest())

    def _close(self, chunk: dict[int, N], digest: str) -> None:
        self._array.flush()
        rows = [[row, *note.plain()] for row, note in chunk.items()]
        self._journal.add({"pixels": digest, "rows": rows})
        self.notes |= chunk

    def resume(self, identity: str) -> None:
        """Take from the journal what was done with the same identity; remove the rest of it."""
        self._journal.resume(identity, self._believed)
        if self.notes:
            log.info("%d of %d images were packed before", len(self.notes), self._n)

    def _believed(self, content: dict[str, Any]) -> bool:
        """Whether the pixels are those of a line; its notes are then taken."""
        notes = {row: self._kind.read(*values) for row, *values in content["rows"]}
        digest = hashlib.sha256()
        for row, note in notes.items():
            if not note.reason:
                digest.update(self._pixels(row))
        if digest.hexdigest() != content["pixels"]:
            return False
        self.notes |= notes
        return True

    def _pixels(self, row: int) -> bytes:
        self._array.seek(self._start + row * self._step)
        return self._array.read(self._step)

    def ordered(self) -> list[N]:
        """The note of each row, once all are done."""
        if len(self.notes) < self._n:
            raise RuntimeError(f"{self._n - len(self.notes)} images were not read")
        return [self.notes[row] for row in range(self._n)]

    def finish(self, kept: Sequence[int]) -> None:
        """Leave the rows `kept`, ascending, after a header of their number."""
        for place, row in enumerate(kept):
            if place != row:
                pixels = self._pixels(row)
                self._array.seek(self._start + place * self._step)
                self._array.write(pixels)
        self._array.truncate(self._start + len(kept) * self._step)
        self._array.seek(0)
        write_header(self._array, len(kept), self._size)
        if self._array.tell() != self._start:
            raise RuntimeError("numpy changed the length of the header")
        self._array.flush()
        os.fsync(self._array.fileno())


@contextmanager
def packing(folder: Path, n: int, size: int, identity: str, kind: type[N]) -> Iterator[Packing[N]]:
    """The unfinished images.npy of a folder, with what an earlier run of the same identity left.

    kind: as `Packing` takes it. The caller moves the file `ARRAY` to its place after `finish`. The
    work is left to a later run where this one is killed or interrupted, and removed on any error.
    Raises UserError where another process packs into the folder.
    """
    busy = f"{folder}: another process packs this data set; wait for it, or end it"
    with journal(folder / JOURNAL, busy) as lines:
        array = folder / ARRAY
        try:
            with open(os.open(array, os.O_RDWR | os.O_CREAT, 0o666), "rb+") as images:
                under_way = Packing(images, lines, n, size, kind)
                under_way.resume(identity)
                yield under_way
        except Exception:
            array.unlink(missing_ok=True)
            raise


def on_disk(folder: Path) -> int:
    """Bytes on disk of an unfinished array."""
    array = folder / ARRAY
    return array.stat().st_blocks * 512 if array.exists() else 0
