"""Packing that can be killed at any moment: the array as far as it is filled, and its journal.

The journal gets a line after each chunk: which rows, what is known of them and the SHA-256 of their
pixels, behind a checksum of the line itself. A later run believes a line only where its checksum
holds and the pixels in the array are those; from the first that fails on, rows are packed again.
So no order of writes to the disk matters, and a machine that dies costs no more than a process.
"""

import hashlib
import logging
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from softbio.data.journal import Journal, journal
from softbio.data.packed import write_header
from softbio.data.pictures import Picture

log = logging.getLogger(__name__)

ARRAY, JOURNAL = ".images.packing.npy", ".images.packing.journal"
# pixels between two lines of the journal: half a second of work
CHUNK_BYTES, CHUNK_ROWS = 32 * 2**20, 1024


@dataclass(frozen=True)
class Note:
    """What is known of a row beside its pixels; `reason` is why it has none, "" where it has."""

    reason: str
    landmarks: np.ndarray | None
    prints: tuple[bytes, bytes]


class Packing:
    """An array of n images of `size` pixels under way.

    notes: row -> what is known of it, of each row that is done, in this run or an earlier one.
    """

    def __init__(self, array: BinaryIO, lines: Journal, n: int, size: int) -> None:
        self._array, self._journal, self._n, self._size = array, lines, n, size
        write_header(array, n, size)
        self._start, self._step = array.tell(), size * size * 3
        self.notes: dict[int, Note] = {}

    def add(self, pictures: Iterable[tuple[int, Picture]]) -> None:
        """Write the pixels of (row, picture) in whatever order; a line a chunk.

        Written by position, not through a memory map, where a full disk would kill the process.
        """
        most = min(max(CHUNK_BYTES // self._step, 1), CHUNK_ROWS)
        chunk, digest = {}, hashlib.sha256()
        for row, picture in pictures:
            if picture.pixels is not None:
                pixels = picture.pixels.tobytes()
                self._array.seek(self._start + row * self._step)
                self._array.write(pixels)
                digest.update(pixels)
            chunk[row] = Note(picture.reason, picture.landmarks, picture.prints)
            if len(chunk) == most:
                self._close(chunk, digest.hexdigest())
                chunk, digest = {}, hashlib.sha256()
        if chunk:
            self._close(chunk, digest.hexdigest())

    def _close(self, chunk: dict[int, Note], digest: str) -> None:
        self._array.flush()
        rows = [[row, *_plain(note)] for row, note in chunk.items()]
        self._journal.add({"pixels": digest, "rows": rows})
        self.notes |= chunk

    def resume(self, identity: str) -> None:
        """Take from the journal what was done with the same identity; empty it of the rest."""
        self._journal.resume(identity, self._believed)
        if self.notes:
            log.info("%d of %d images were packed before", len(self.notes), self._n)

    def _believed(self, content: dict[str, Any]) -> bool:
        """Whether the pixels are those that a line tells of; what it notes is then taken."""
        notes = {row: _note(*values) for row, *values in content["rows"]}
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

    def finish(self, kept: Sequence[int]) -> None:
        """Leave the rows `kept`, ascending, behind a header of their number."""
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
def packing(folder: Path, n: int, size: int, identity: str) -> Iterator[Packing]:
    """images.npy of a folder under way, with what an earlier run of the same identity has left.

    The caller moves the file `ARRAY` to its place after `finish`. The work is left to a later run
    where this one is killed or interrupted, and removed on any error. Raises UserError where
    another process packs into the folder.
    """
    busy = f"{folder}: another process packs this data set; wait for it, or end it"
    with journal(folder / JOURNAL, busy) as lines:
        array = folder / ARRAY
        try:
            with open(os.open(array, os.O_RDWR | os.O_CREAT, 0o666), "rb+") as images:
                under_way = Packing(images, lines, n, size)
                under_way.resume(identity)
                yield under_way
        except Exception:
            array.unlink(missing_ok=True)
            raise


def _plain(note: Note) -> list[Any]:
    landmarks = None
    if note.landmarks is not None:
        landmarks = _text(np.asarray(note.landmarks, "<f4").tobytes())
    return [note.reason, landmarks, *map(_text, note.prints)]


def _note(reason: str, landmarks: str | None, pixels: str, phash: str) -> Note:
    points = None
    if landmarks is not None:
        points = np.frombuffer(b64decode(landmarks), "<f4").astype(np.float32)
    return Note(reason, points, (b64decode(pixels), b64decode(phash)))


def _text(content: bytes) -> str:
    return b64encode(content).decode()
