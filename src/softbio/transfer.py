"""A folder cut into pieces of less than 50 MB and joined again, for machines with a limit on files.

The files of the folder, sorted by name, are one stream of bytes; a piece is a section of it.
Imports only the standard library, because nothing may be installable on either machine.
"""

import hashlib
import logging
import os
import re
import stat
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, NoReturn

from softbio.errors import UserError
from softbio.files import atomic, atomic_folder, room, sha256
from softbio.manifest import (
    MANIFEST,
    MAX_PIECE,
    MB,
    Manifest,
    Part,
    fault_of_name,
    piece_name,
    read_manifest,
    write_manifest,
)

logger = logging.getLogger(__name__)

CHUNK = 2**20
# pieces, the manifest, and temporary files of killed writers
OURS = re.compile(r"piece-\d{5,}|manifest\.json|\.(piece-\d{5,}|manifest)\..+\.part(\.json)?")


def cut(folder: Path | str, out: Path | str, piece_bytes: int = 45 * MB) -> None:
    """Write the files below `folder` to `out` as pieces of `piece_bytes` and a manifest.

    The manifest is written last: without it `out` is unfinished and is cut again. Pieces of the
    same files are replaced. Subfolders without files are not carried. Raises UserError for a piece
    size out of range, for anything that is not a plain file, for an `out` that holds anything else,
    for a file that changes meanwhile and for a full disk.
    """
    folder, out = Path(folder).resolve(), Path(out).resolve()
    if not 0 < piece_bytes < MAX_PIECE:
        raise UserError(
            f"a piece of {piece_bytes / MB:g} MB: choose above 0 and below {MAX_PIECE // MB} MB"
        )
    if out.is_relative_to(folder):
        raise UserError(f"{out}: lies in the folder to be cut; choose another folder for it")
    with _faults(out):
        sizes = _files(folder)
        if not sizes:
            raise UserError(f"{folder}: no file is in it; correct the folder")
        _clear(out, folder)
        with room(out, sum(sizes.values())):
            manifest = _cut(folder, sizes, out, piece_bytes)
            write_manifest(out / MANIFEST, manifest)
    logger.info("%s: %d files in %d pieces", out, len(manifest.files), len(manifest.pieces))


def join(pieces: Path | str, out: Path | str) -> None:
    """Join the pieces that `cut` wrote to the folder `out`, which appears whole or not at all.

    Every piece and every file is checked. A folder `out` with the same files is left as it is.
    Raises UserError for one with others, for a manifest that `cut` would not write, for a missing,
    changed or foreign piece and for a full disk.
    """
    pieces, out = Path(pieces), Path(out).resolve()
    with _faults(out):
        manifest = read_manifest(pieces / MANIFEST)
        if out.exists() and not (out.is_dir() and not any(out.iterdir())):
            if difference := _difference(out, manifest.files):
                raise UserError(f"{out}: is there and {difference}; move it or choose another name")
            logger.info("%s: has these files already", out)
            return
        _check_pieces(pieces, manifest.pieces)
        need = sum(file.bytes for file in manifest.files)
        with atomic_folder(out) as part, room(out.parent, need):
            _join(pieces, manifest, part)
    logger.info("%s: %d files joined and checked", out, len(manifest.files))


class _Stream:
    """Files one after the other; `ended` gets name and SHA-256 of each at its end."""

    def __init__(
        self, folder: Path, sizes: dict[str, int], ended: Callable[[str, str], None]
    ) -> None:
        self._folder, self._sizes, self._ended = folder, sizes, ended
        self._chunks, self._rest = self._read(), memoryview(b"")

    def _read(self) -> Iterator[bytes]:
        for name, size in self._sizes.items():
            digest, count = hashlib.sha256(), 0
            with open(self._folder / name, "rb") as file:
                while count <= size and (data := file.read(CHUNK)):
                    digest.update(data)
                    count += len(data)
                    yield data
            if count != size:
                raise UserError(f"{self._folder / name}: changed while it was read; start again")
            self._ended(name, digest.hexdigest())

    def pour(self, file: BinaryIO, size: int) -> str:
        """Write the next `size` bytes to a file and flush them to the disk; returns their
        SHA-256."""
        digest = hashlib.sha256()
        while size:
            data = self._rest or memoryview(next(self._chunks))
            data, self._rest = data[:size], data[size:]
            digest.update(data)
            file.write(data)
            size -= len(data)
        file.flush()
        os.fsync(file.fileno())
        return digest.hexdigest()

    def end(self) -> None:
        """Read to the end of the last file, and of empty files after it."""
        for _ in self._chunks:
            pass


def _cut(folder: Path, sizes: dict[str, int], out: Path, piece_bytes: int) -> Manifest:
    files, pieces, left = [], [], sum(sizes.values())
    stream = _Stream(
        folder, sizes, lambda name, found: files.append(Part(name, sizes[name], found))
    )
    while left:
        name, size = piece_name(len(pieces)), min(piece_bytes, left)
        with atomic(out / name) as part, open(part, "wb") as file:
            pieces.append(Part(name, size, stream.pour(file, size)))
        left -= size
    stream.end()
    return Manifest(tuple(files), tuple(pieces))


def _join(pieces: Path, manifest: Manifest, folder: Path) -> None:
    expected = {piece.name: piece for piece in manifest.pieces}

    def check(name: str, found: str) -> None:
        if found != expected[name].sha256:
            raise UserError(
                f"{pieces / name}: its bytes are not those that were cut; copy it again"
            )

    stream = _Stream(pieces, {name: piece.bytes for name, piece in expected.items()}, check)
    found = {}
    for file in manifest.files:
        path = folder / file.name
        path.parent.mkdir(parents=True, exist_ok=True)
        # x: two names that this file system takes for one must not overwrite each other
        with open(path, "xb") as opened:
            found[file.name] = stream.pour(opened, file.bytes)
    stream.end()
    # only now, so that a damaged piece is named rather than the files in it
    for file in manifest.files:
        if found[file.name] != file.sha256:
            raise UserError(
                f"{pieces / MANIFEST}: sha256 of '{file.name}' is not that of the pieces; cut again"
            )


def _files(folder: Path) -> dict[str, int]:
    """Size in bytes of each file below a folder, by its path, sorted."""
    if not folder.is_dir():
        raise UserError(f"{folder}: is no folder; correct the path")
    found = {}
    for place, below, names in os.walk(folder, onerror=_raise):
        for path in (Path(place, name) for name in [*below, *names]):
            name, status = path.relative_to(folder).as_posix(), path.lstat()
            if stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                raise UserError(f"{path}: is a link, a pipe or a device; remove it from the folder")
            if why := fault_of_name(name):
                raise UserError(f"{str(path)!r}: {why}; rename it")
            found[name] = status.st_size
    return dict(sorted(found.items()))


def _raise(error: OSError) -> NoReturn:
    raise error


def _clear(out: Path, folder: Path) -> None:
    """Remove the pieces of an unfinished cut, or of a cut of the same files, from `out`."""
    names = [path.name for path in out.iterdir()] if out.exists() else []
    for name in names:
        if not OURS.fullmatch(name):
            raise UserError(f"{out}: holds '{name}', which is no piece; choose another folder")
    if MANIFEST in names and _difference(folder, read_manifest(out / MANIFEST).files):
        raise UserError(f"{out}: holds the pieces of other files; choose another folder")
    # the manifest first: without it nothing that is left counts
    for name in sorted(names, key=lambda name: name != MANIFEST):
        (out / name).unlink()


def _difference(folder: Path, files: Sequence[Part]) -> str:
    """The first difference between a folder and these files; "" where there is none."""
    sizes, expected = _files(folder), {file.name: file for file in files}
    for name in [*expected, *sizes]:
        if name not in sizes:
            return f"lacks '{name}'"
        if name not in expected:
            return f"also holds '{name}'"
        file = expected[name]
        if sizes[name] != file.bytes or sha256(folder / name) != file.sha256:
            return f"has another '{name}'"
    return ""


def _check_pieces(folder: Path, pieces: Sequence[Part]) -> None:
    """Compare names and sizes with the manifest's before anything is written."""
    expected = {piece.name: piece.bytes for piece in pieces}
    found = {path.name: path.lstat() for path in folder.iterdir() if path.name != MANIFEST}
    for name, size in expected.items():
        if name not in found:
            raise UserError(f"{folder / name}: is missing; copy it again")
        if not stat.S_ISREG(found[name].st_mode):
            raise UserError(f"{folder / name}: is not a plain file; copy it again")
        if found[name].st_size != size:
            raise UserError(
                f"{folder / name}: has {found[name].st_size:,} bytes instead of {size:,}; "
                "copy it again"
            )
    if extra := sorted(found.keys() - expected.keys()):
        raise UserError(f"{folder / extra[0]}: is not in {MANIFEST}; remove it from the folder")


@contextmanager
def _faults(path: Path) -> Iterator[None]:
    """Report errors of the operating system in one line; path: named where the error names none."""
    try:
        yield
    except OSError as error:
        where = error.filename or path
        raise UserError(f"{where}: {error.strerror}; check the path, its rights and room") from None
