"""Image archives, hostile until checked: a folder, a tar or a zip read as a stream of files.

Nothing is ever extracted to disk, so that no member can leave its place; a member that tries to is
an error all the same, because an archive that holds one is not what its authors published.
"""

import hashlib
import lzma
import os
import stat
import tarfile
import zipfile
import zlib
from abc import ABC, abstractmethod
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NoReturn

from softbio.data.fetching.members import Members, safe_name
from softbio.data.fetching.streams import Forward, name_of, parts_of, unpacked
from softbio.errors import UserError

MAX_MEMBER = 64 * 2**20
# photographs hardly compress: a stream that grows this much beyond a free start is a bomb
MAX_RATIO = 100
FREE = 256 * 2**20
SUFFIXES = (".tar", ".tar.gz", ".tgz", ".tar.xz", ".txz", ".zip")
BLOCK = tarfile.BLOCKSIZE
# what the standard library raises on bytes that are no archive
DAMAGE = (
    tarfile.TarError,
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    ValueError,
    RuntimeError,
)


class ImageSource(ABC):
    """A folder or archive of images. Its errors name the archive, the member and the remedy."""

    remedy = "get the archive from its authors again"

    def __init__(self, path: Path) -> None:
        self.path = path

    @abstractmethod
    def names(self) -> list[str]:
        """Names of all files, in stored order; raises UserError for what must not be in it."""

    @abstractmethod
    def read(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        """Yield (name, content) of the wanted files, in stored order."""

    def version(self, _names: Collection[str]) -> str:
        """A text that changes with these files where the source has no checksum."""
        return ""

    def refuse(self, member: str, why: str) -> UserError:
        """The error for a member."""
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
                # realpath: up to Python 3.12 Path.resolve() raises where links lead in a circle
                if path.is_symlink() and not Path(os.path.realpath(path)).is_relative_to(root):
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

    def version(self, names: Collection[str]) -> str:
        """A hash of sizes and times of change: to read all files takes as long as packing them."""
        digest = hashlib.sha256()
        for name in sorted(names):
            found = (self.path / name).stat()
            line = f"{name} {found.st_size} {found.st_mtime_ns}\n"
            digest.update(line.encode(errors="surrogateescape"))
        return digest.hexdigest()

    def _unreadable(self, error: OSError) -> NoReturn:
        raise UserError(
            f"{error.filename}: cannot be read ({error.strerror}); change its permissions"
        ) from None


class Tar(ImageSource):
    """A tar archive, plain or packed with gzip or xz, in one file or in parts.

    kept: where its names are kept, None where they are not.
    """

    def __init__(self, path: Path, kept: Members | None = None) -> None:
        super().__init__(path)
        self._kept = kept

    def names(self) -> list[str]:
        kept = self._kept.read() if self._kept else None
        if kept is None:
            kept = self._listed()
            if self._kept:
                self._kept.write(kept)
        return kept

    def _listed(self) -> list[str]:
        files = [(part, part.stat()) for part in parts_of(self.path)]
        version = tuple((part, stat.st_size, stat.st_mtime_ns, stat.st_ino) for part, stat in files)
        return list(_names(self.path, version))

    def read(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        return self.members(set(wanted))

    def members(self, wanted: set[str] | None) -> Iterator[tuple[str, bytes]]:
        """Yield (name, content) of the wanted files; for None, all names without content."""
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
    def _open(self) -> Iterator[tuple[Forward, tarfile.TarFile]]:
        try:
            with unpacked(self.path) as (content, size):
                stream = Forward(content, FREE + MAX_RATIO * size, MAX_MEMBER)
                with tarfile.open(fileobj=stream, mode="r:") as archive:
                    yield stream, archive
        except DAMAGE as error:
            raise UserError(f"{self.path}: truncated or damaged ({error}); {self.remedy}") from None


@lru_cache(maxsize=4)
def _names(path: Path, version: tuple) -> tuple[str, ...]:
    """Names in a tar of that version: the reader and the packing both need them, and a gigabyte of
    xz takes a minute to unpack."""
    return tuple(name for name, _ in Tar(path).members(None))


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
            if not member.flag_bits & 0x800:
                name = _utf8(name)
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


def _utf8(name: str) -> str:
    """A name that a zip does not mark as UTF-8, though most are today."""
    try:
        return name.encode("cp437").decode()
    except UnicodeError:
        return name


def open_images(source: Path | str, kept: Members | None = None) -> ImageSource:
    """Open a folder or an archive (.tar, .tar.gz, .tgz, .tar.xz, .txz, .zip) of images.

    A tar may be in parts (x.tar.xzaa, x.tar.xzab, ..): name it, or one of them; it is listed once
    where `kept` says where to keep the names. Raises UserError where it is missing, lacks a part or
    is of another kind.
    """
    source = Path(source)
    if source.is_dir():
        return Folder(source)
    source = name_of(source)
    if not parts_of(source):
        raise UserError(f"{source}: no such folder or archive; correct `source`")
    if not source.name.endswith(SUFFIXES):
        raise UserError(f"{source}: neither a folder nor one of {', '.join(SUFFIXES)}")
    return Zip(source) if source.suffix == ".zip" else Tar(source, kept)


class Several(ImageSource):
    """Archives that together hold a data set, one after the other."""

    def __init__(self, sources: Sequence[ImageSource]) -> None:
        super().__init__(sources[0].path.parent)
        self._sources = sources

    def names(self) -> list[str]:
        # each has checked the sizes; that no name is in two of them is checked here
        check = self.checker()
        return [check(name, 0) for source in self._sources for name in source.names()]

    def read(self, wanted: Collection[str]) -> Iterator[tuple[str, bytes]]:
        for source in self._sources:
            yield from source.read(wanted)
