"""Archives as streams that only go forward: in one file or in parts, packed with gzip, xz or not.

Parts (NAMEaa, NAMEab, .. as `split` names them) are read one after the other; the joined file is
never written, and memory does not grow with its size.
"""

import gzip
import io
import lzma
import re
import tarfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from softbio.errors import UserError

# `xz -9` needs 65 MiB to unpack; a header can ask for 4 GiB
XZ_MEMORY = 128 * 2**20
STEP = 2**20
SUFFIX = re.compile(r"[a-z]{2,4}")


class Forward:
    """A binary stream that only goes forward, and not beyond what its archive can honestly hold.

    limit: most bytes in all; most: most bytes that one header may ask for.
    """

    def __init__(self, stream: BinaryIO, limit: int, most: int) -> None:
        self._stream, self._limit, self._most, self._position = stream, limit, most, 0
        self.last = b""  # what was read last

    def read(self, size: int) -> bytes:
        if not 0 <= size <= self._most:
            raise tarfile.ReadError(f"a header asks for {size:,} bytes")
        data = self.last = self._stream.read(size)
        self._position += len(data)
        if self._position > self._limit:
            raise tarfile.ReadError("it unpacks to far more than photographs do")
        return data

    def seek(self, offset: int) -> None:
        # a negative size in a header would make tarfile loop forever
        if offset < self._position:
            raise tarfile.ReadError("a header points backwards")
        while self._position < offset:
            if not self.read(min(offset - self._position, STEP)):
                raise tarfile.ReadError("unexpected end of data")

    def tell(self) -> int:
        return self._position


class Xz:
    """The unpacked content of one xz stream. Raises LZMAError, EOFError or ValueError for a damaged
    or truncated one, one that needs more than `XZ_MEMORY`, and for bytes after its end."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed = packed
        self._unpacker = lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=XZ_MEMORY)

    def read(self, size: int) -> bytes:
        pieces, missing = [], size
        while missing and not self._unpacker.eof:
            packed = b""
            if self._unpacker.needs_input:
                packed = self._packed.read(STEP)
                if not packed:
                    raise EOFError("it ends within its xz stream")
            pieces.append(self._unpacker.decompress(packed, missing))
            missing -= len(pieces[-1])
        if missing and (self._unpacker.unused_data.strip(b"\0") or self._packed.read(STEP)):
            raise ValueError("more follows after the end of its xz stream")
        return b"".join(pieces)


class Parts(io.RawIOBase):
    """Files one after the other as a single stream; one of them is open at a time."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths, self._file = list(paths), None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:
        while True:
            if self._file is None:
                if not self._paths:
                    return 0
                self._file = open(self._paths.pop(0), "rb")  # noqa: SIM115
            if count := self._file.readinto(buffer):
                return count
            self._file.close()
            self._file = None

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        super().close()


def parts_of(path: Path) -> list[Path]:
    """The files that make up an archive: itself, or its parts in order; none where neither is.

    path: the archive (NAME.tar.xz), or any of its parts (NAME.tar.xzab). Raises UserError, naming
    the part, where one is missing or shorter than the others.
    """
    if path.is_file() and _whole(path) is None:
        return [path]
    whole = path if _whole(path) is None else _whole(path)
    start = len(whole.name)
    found = sorted(
        other
        for other in (whole.parent.iterdir() if whole.parent.is_dir() else ())
        if other.name.startswith(whole.name) and SUFFIX.fullmatch(other.name[start:])
    )
    if not found:
        return []
    _check_names(whole, [part.name[start:] for part in found])
    sizes = [part.stat().st_size for part in found]
    for part, size in zip(found, sizes, strict=True):
        if size == 0 or (size < max(sizes) and part is not found[-1]):
            raise UserError(
                f"{part}: has {size:,} bytes, other parts {max(sizes):,}; get this part again"
            )
    return found


def name_of(path: Path) -> Path:
    """The archive that a part belongs to; any other path as it is."""
    return _whole(path) or path


def _whole(path: Path) -> Path | None:
    found = re.fullmatch(r"(.+\.(?:tar|tar\.gz|tgz|tar\.xz|txz))[a-z]{2,4}", path.name)
    # ".tar.xz" alone is no part of ".tar"
    return path.with_name(found[1]) if found else None


def _check_names(whole: Path, suffixes: list[str]) -> None:
    """Raise UserError where the parts do not follow each other from "aa" on."""
    digits = len(suffixes[0])
    expected = suffix(0, digits)
    numbers = [_number(suffix) if len(suffix) == digits else -1 for suffix in suffixes]
    gap = next((a + 1 for a, b in pairwise(numbers) if b != a + 1), None)
    if numbers[0] != 0:
        missing = expected
    elif gap is not None:
        missing = suffix(gap, digits)
    else:
        return
    raise UserError(
        f"{whole}{missing}: this part of the archive is missing, {len(suffixes)} are there; "
        "get it from its authors too"
    )


def _number(suffix: str) -> int:
    number = 0
    for letter in suffix:
        number = number * 26 + ord(letter) - ord("a")
    return number


def suffix(number: int, digits: int = 2) -> str:
    """The ending that `split` gives the part of that number: 0 is "aa"."""
    letters = ""
    for _ in range(digits):
        number, letter = divmod(number, 26)
        letters = chr(ord("a") + letter) + letters
    return letters


def opened_parts(paths: Sequence[Path]) -> BinaryIO:
    """The files as one buffered stream, to be closed by the caller."""
    return io.BufferedReader(Parts(paths), STEP)


@contextmanager
def unpacked(path: Path) -> Iterator[tuple[BinaryIO, int]]:
    """The unpacked content of a tar archive, and its packed size in bytes; gzip and xz are
    recognised by their first bytes, not by the name."""
    paths = parts_of(path)
    if not paths:
        raise FileNotFoundError(f"no such file: {path}")
    with opened_parts(paths) as file:
        start = file.peek(6)
        content: BinaryIO = file
        if start[:2] == b"\x1f\x8b":
            content = gzip.GzipFile(fileobj=file)
        elif start[:6] == b"\xfd7zXZ\0":
            content = Xz(file)
        yield content, sum(part.stat().st_size for part in paths)
