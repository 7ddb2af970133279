"""Image archives, hostile until checked: a folder, a tar or a zip read as a stream of files.

Nothing is ever extracted to disk, so that no member can leave its place; a member that tries to is
an error all the same, because an archive that holds one is not what its authors published.
"""

import gzip
import os
import re
import stat
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import BinaryIO, NoReturn

from softbio.errors import UserError

MAX_MEMBER = 64 * 2**20
# photographs hardly compress: a stream that grows this much beyond a free start is a bomb
MAX_RATIO = 100
FREE = 256 * 2**20
SUFFIXES = (".tar", ".tar.gz", ".tgz", ".zip")
BLOCK = tarfile.BLOCKSIZE
# what the standard library raises on bytes that are no archive
DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
)


def safe_name(name: str) -> str:
    """A member's name in plain form ("./a//b" is "a/b", "./" is "").

    Raises ValueError, saying why, for a name that is no relative path below the archive's root.
    """
    if re.search(r"[\x00-\x1f\x7f]", name):
        raise ValueError("has a control character in its name")
    if name.startswith("/"):
        raise ValueError("has an absolute path")
    parts = PurePosixPath(name).parts
    if "\\" in name or any(re.match(r"[A-Za-z]:", part) for part in parts):
        raise ValueError("has a Windows path")
    if ".." in parts:
        raise ValueError("leaves the archive's folder ('..')")
    return "/".join(parts)


class ImageSource(ABC):
    """A folder or archive of images. Its errors name the archive, the member and the remedy."""

    remedy = "get the archive from its authors again"

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def names(self) -> list[str]:
        """Names of all files, in stored order; raises UserError for what must not be in there."""

    @abstractmethod
    def read(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """(name, content) of the wanted files, in stored order, one at a time."""

    def refuse(self, member: str, why: str) -> UserError:
        """The error that a member gives rise to."""
        return UserError(f"{self.path}: member {member!r} {why}; {self.remedy}")

    def plain(self, name: str) -> str:
        """`safe_name`, with a UserError."""
        try:
            return safe_name(name)
        except ValueError as error:
            raise self.refuse(name, str(error)) from None

    def checker(self) -> Callable[[str, int], str]:
        """A function (name, bytes) -> plain name, for one pass over the files."""
        seen = set()

        def check(name: str, size: int) -> str:
            plain = self.plain(name)
            if not plain:
                raise self.refuse(name, "has no name")
            if plain in seen:
                raise self.refuse(name, "is in there twice")
            if size > MAX_MEMBER:
                raise self.refuse(name, f"has {size:,} bytes, above the limit of {MAX_MEMBER:,}")
            seen.add(plain)
            return plain

        return check


class Folder(ImageSource):
    """The files below a folder, sorted by name."""

    remedy = "take it out of the folder"

    def names(self) -> list[str]:
        root = self.path.resolve()
        found = []
        check = self.checker()
        for folder, below, files in os.walk(root, onerror=self._unreadable):
            for name in [*below, *files]:
                path = Path(folder, name)
                relative = path.relative_to(root).as_posix()
                if path.is_symlink() and not path.resolve().is_relative_to(root):
                    raise self.refuse(relative, "is a link that leaves the folder")
                if name in below:
                    continue
                if not path.is_file():
                    raise self.refuse(relative, "is a broken link, a pipe or a device")
                found.append(check(relative, path.stat().st_size))
        return sorted(found)

    def read(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for name in sorted(wanted):
            try:
                content = (self.path / name).read_bytes()
            except OSError as error:
                self._unreadable(error)
            yield name, content

    def _unreadable(self, error: OSError) -> NoReturn:
        raise UserError(
            f"{error.filename}: can not be read ({error.strerror}); change its permissions"
        ) from None


class _Forward:
    """A binary stream that only goes forward, and not beyond what its archive can honestly hold."""

    def __init__(self, stream: BinaryIO, limit: int) -> None:
        self._stream, self._limit, self._position = stream, limit, 0
        self.last = b""  # what was read last

    def read(self, size: int) -> bytes:
        if not 0 <= size <= MAX_MEMBER:
            raise tarfile.ReadError(f"a header asks for {size:,} bytes")
        data = self.last = self._stream.read(size)
        self._position += len(data)
        if self._position > self._limit:
            raise tarfile.ReadError("it unpacks to far more than photographs do")
        return data

    def seek(self, offset: int) -> None:
        # a negative size in a header would make tarfile turn in a circle
        if offset < self._position:
            raise tarfile.ReadError("a header points backwards")
        while self._position < offset:
            if not self.read(min(offset - self._position, 2**20)):
                raise tarfile.ReadError("unexpected end of data")

    def tell(self) -> int:
        return self._position


class Tar(ImageSource):
    """A tar archive, plain or gzip-compressed."""

    def names(self) -> list[str]:
        return [name for name, _ in self._members(None)]

    def read(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        return self._members(set(wanted))

    def _members(self, wanted: set[str] | None) -> Iterator[tuple[str, bytes]]:
        check = self.checker()
        with self._open() as (stream, archive):
            for member in archive:
                if member.isdir():
                    self.plain(member.name)
                    continue
                if not member.isreg() or member.issparse():
                    raise self.refuse(member.name, "is a link or a device, not a plain file")
                name = check(member.name, member.size)
                if wanted is None:
                    yield name, b""
                elif name in wanted:
                    stream.seek(member.offset_data)
                    content = stream.read(member.size)
                    if len(content) < member.size:
                        raise tarfile.ReadError(f"it ends within {name!r}")
                    yield name, content
            # tarfile takes a broken header for the end; the real end is two blocks of zeros
            if stream.last + stream.read(BLOCK) != bytes(2 * BLOCK):
                raise tarfile.ReadError("it has no end mark")
            while stream.read(2**20):
                pass

    @contextmanager
    def _open(self) -> Iterator[tuple[_Forward, tarfile.TarFile]]:
        size = self.path.stat().st_size
        try:
            with open(self.path, "rb") as file:
                packed = file.read(2) == b"\x1f\x8b"
                file.seek(0)
                content = gzip.GzipFile(fileobj=file) if packed else file
                stream = _Forward(content, FREE + MAX_RATIO * size)
                with tarfile.open(fileobj=stream, mode="r:") as archive:
                    yield stream, archive
        except DAMAGE as error:
            raise UserError(f"{self.path}: truncated or damaged ({error}); {self.remedy}") from None


class Zip(ImageSource):
    """A zip archive."""

    def names(self) -> list[str]:
        with self._open() as archive:
            return [name for name, _ in self._checked(archive)]

    def read(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        wanted = set(wanted)
        with self._open() as archive:
            for name, member in self._checked(archive):
                if name in wanted:
                    yield name, archive.read(member)

    def _checked(self, archive: zipfile.ZipFile) -> list[tuple[str, zipfile.ZipInfo]]:
        check = self.checker()
        members = []
        for member in archive.infolist():
            # zipfile cuts a name at its first NUL; the whole name is what is judged
            name = member.orig_filename
            kind = stat.S_IFMT(member.external_attr >> 16)
            if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise self.refuse(name, "is a link or a device, not a plain file")
            if member.flag_bits & 0x1:
                raise self.refuse(name, "is encrypted")
            if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
                raise self.refuse(name, "is neither stored nor deflated")
            if name.endswith("/"):
                self.plain(name)
            else:
                members.append((check(name, member.file_size), member))
        total = sum(member.file_size for _, member in members)
        if total > FREE + MAX_RATIO * self.path.stat().st_size:
            raise UserError(
                f"{self.path}: it unpacks to far more than photographs do; {self.remedy}"
            )
        return members

    @contextmanager
    def _open(self) -> Iterator[zipfile.ZipFile]:
        try:
            with zipfile.ZipFile(self.path) as archive:
                yield archive
        except DAMAGE as error:
            raise UserError(f"{self.path}: truncated or damaged ({error}); {self.remedy}") from None


def open_images(source: Path | str) -> ImageSource:
    """Open a folder or an archive (.tar, .tar.gz, .tgz, .zip) of images.

    Raises UserError where it is missing or of another kind.
    """
    source = Path(source)
    if source.is_dir():
        return Folder(source)
    if not source.is_file():
        raise UserError(f"{source}: no such folder or archive; correct `source`")
    if not source.name.endswith(SUFFIXES):
        raise UserError(f"{source}: neither a folder nor one of {', '.join(SUFFIXES)}")
    return Zip(source) if source.suffix == ".zip" else Tar(source)


def match(images: Collection[str], source: ImageSource) -> dict[str, str]:
    """Which file holds which image: file name -> image.

    An image is a file of that path at any depth ("a.jpg" is "UTKFace/a.jpg"). Images without a file
    are left out; raises UserError where two files could be one image.
    """
    images = set(images)
    found: dict[str, str] = {}
    for name in source.names():
        parts = name.split("/")
        ends = ("/".join(parts[i:]) for i in range(len(parts)))
        image = next((end for end in ends if end in images), None)
        if image is None:
            continue
        if image in found:
            raise UserError(
                f"{source.path}: '{found[image]}' and '{name}' could both be '{image}'; "
                "keep one of them"
            )
        found[image] = name
    return {name: image for image, name in found.items()}
