"""Getting a data set's files: the user's own first, then those in raw/, then the network."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

from softbio.data.fetching.archives import ImageSource, Several, Tar, open_images
from softbio.data.fetching.members import Members, members_of
from softbio.data.fetching.mirrors import download, download_parts
from softbio.data.fetching.placed import names_of, note_downloads
from softbio.data.fetching.streams import name_of, opened_parts, parts_of
from softbio.data.registry import DatasetSpec, FileSpec, FoundFile
from softbio.errors import UserError
from softbio.files import sha256, write_json

RECEIPT = "sources.json"


@dataclass(frozen=True)
class Sources:
    """Where a data set's files are: images (archive or folder, None where they are drawn), the
    split lists by part, and each file as it was found.

    archives: all archives, where the images come in several; `images` is then the folder of the
    first. kept: the folder where the names in archives are kept.
    """

    images: Path | None = None
    lists: Mapping[str, Path] = field(default_factory=dict)
    files: tuple[FoundFile, ...] = ()
    archives: tuple[Path, ...] = ()
    kept: Path | None = None

    def open(self) -> ImageSource:
        """The images; raises UserError as `open_images` does."""
        opened = self.opened()
        return Several(opened) if self.archives else opened[0]

    def opened(self) -> list[ImageSource]:
        """Each archive, or the folder; none where images are drawn."""
        paths = self.archives or (() if self.images is None else (self.images,))
        return [open_images(path, self._members(path)) for path in paths]

    def _members(self, path: Path) -> Members | None:
        found = next((f.sha256 for f in self.files if f.name == path.name), None)
        if self.kept is None or found is None:
            return None
        return Members(members_of(self.kept, path.name), found)


def fetch(spec: DatasetSpec, raw: Path | str) -> Sources:
    """Download into `raw` what neither it nor `spec.source` holds; check all; write sources.json.

    A file that is there with the right checksum causes no network traffic. Raises UserError where a
    file cannot be fetched, with where to get it, or has the wrong checksum.
    """
    raw = Path(raw)
    _check_source(spec)
    raw.mkdir(parents=True, exist_ok=True)
    if _by_hand(spec):
        # first what only a person can get: no download for a run that cannot succeed
        _images(spec, raw)
    came: dict[str, list[Path]] = {}
    for file in spec.files:
        if file.addresses and _beside(spec, file.name) is None:
            # an archive given as the source, or repacked, takes the place of the authors'
            if file in spec.archives and (spec.source is not None or _anew(spec, file, raw)):
                continue
            came[file.name] = _download(spec, file, raw)
    sources = locate(spec, raw)
    opened = sources.opened()
    for source in opened:
        # listing an archive reads it to its end: damage is found while it can be fetched again
        fresh = came.get(source.path.name, [])
        if fresh or isinstance(source, Tar):
            with _set_aside(fresh):
                source.names()
    if sources.archives:
        Several(opened).names()
    write_json(raw / RECEIPT, [asdict(file) for file in sources.files])
    return sources


def locate(spec: DatasetSpec, raw: Path | str) -> Sources:
    """Find and check the files of a data set without touching the network.

    Raises UserError where one is missing or has the wrong checksum.
    """
    raw = Path(raw)
    _check_source(spec)
    known = {file.name: file for file in spec.files}
    found = []
    images = _images(spec, raw)
    found.extend(_check_images(spec, path) for path in images)
    lists = {}
    for part, name in spec.lists.items():
        path = _beside(spec, name) or raw / name
        if not path.is_file():
            raise UserError(_missing(spec, name))
        lists[part] = path
        found.append(_check(path, known.get(name)))
    if len(images) > 1:
        return Sources(images[0].parent, lists, tuple(found), images, raw)
    return Sources(next(iter(images), None), lists, tuple(found), kept=raw)


def lacking(spec: DatasetSpec, raw: Path | str) -> str | None:
    """One line on a file that is not on this machine and cannot be downloaded, with the remedy;
    None where there is none. Reads no file and touches no network."""
    raw = Path(raw)
    try:
        _check_source(spec)
        if _by_hand(spec):
            _images(spec, raw)
        offered = {file.name for file in spec.files if file.addresses}
        for name in spec.lists.values():
            if name not in offered and not (_beside(spec, name) or raw / name).is_file():
                return _missing(spec, name)
    except UserError as error:
        return str(error)
    return None


def _by_hand(spec: DatasetSpec) -> bool:
    """Whether its images have no address to fetch them from."""
    return spec.archive is None or not spec.archive.addresses


def own_files(spec: DatasetSpec) -> list[Path]:
    """The user's source, and the lists and archive in or next to it, which can change alone.

    Empty where the source is missing or not readable: `fetch` says so.
    """
    try:
        _check_source(spec)
        names = [*(file.name for file in spec.files), *spec.lists.values()]
        found = [spec.source, *(_beside(spec, name) for name in names)]
        paths = [p for path in found if path is not None for p in _on_disk(path)]
    except UserError:
        return []
    return list(dict.fromkeys(paths))


def _on_disk(path: Path) -> list[Path]:
    """A folder or file, or the parts of an archive."""
    return [path] if path.is_dir() else parts_of(path)


def _beside(spec: DatasetSpec, name: str) -> Path | None:
    """The file of that name in the source folder, or next to the source archive."""
    if spec.source is None:
        return None
    path = (spec.source if spec.source.is_dir() else spec.source.parent) / name
    return path if parts_of(path) else None


def _images(spec: DatasetSpec, raw: Path) -> tuple[Path, ...]:
    """The archives, or the folder of the images; none where they are drawn."""
    if spec.source is not None and not spec.source.is_dir():
        return (name_of(spec.source),)
    found = [_archive(spec, file.name, raw) for file in spec.archives]
    if found and None not in found:
        return tuple(found)
    if spec.source is not None and not any(found):
        return (spec.source,)
    if spec.access == "generated":
        return ()
    lacking = next((f.name for f, path in zip(spec.archives, found, strict=True) if not path), None)
    raise UserError(_missing(spec, lacking or "the image archive"))


def _archive(spec: DatasetSpec, name: str, raw: Path) -> Path | None:
    # it may have been repacked: only the stem counts
    for known in names_of(name):
        for path in (_beside(spec, known), raw / known):
            if path is not None and parts_of(path):
                return path
    return None


def _anew(spec: DatasetSpec, file: FileSpec, raw: Path) -> bool:
    """Whether the archive is there under another name than its authors gave it."""
    found = _archive(spec, file.name, raw)
    return found is not None and name_of(found).name != file.name


def _check_source(spec: DatasetSpec) -> None:
    """Raise UserError for a source that is missing, not readable, or neither folder nor file."""
    source, remedy = spec.source, f"correct datasets.{spec.name}.source"
    if source is None:
        return
    try:
        mode = source.stat().st_mode
    except FileNotFoundError:
        if parts_of(source):
            return
        raise UserError(f"{source}: no such folder or archive; {remedy}") from None
    except OSError as error:
        raise UserError(f"{source}: cannot be read ({error.strerror}); {remedy}") from None
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        raise UserError(f"{source}: neither a folder nor a file; {remedy}")
    if not os.access(source, os.R_OK | (os.X_OK if stat.S_ISDIR(mode) else 0)):
        raise UserError(f"{source}: cannot be read; change its permissions")


def _missing(spec: DatasetSpec, name: str) -> str:
    remedy = spec.obtain or f"name its folder as datasets.{spec.name}.source"
    return f"data set '{spec.name}': {name} is not there; {remedy}"


def _check_images(spec: DatasetSpec, images: Path) -> FoundFile:
    if images.is_dir():
        if spec.source_sha256 is not None:
            raise UserError(
                f"datasets.{spec.name}.source_sha256: {images} is a folder, which has no checksum; "
                "take the key out"
            )
        return FoundFile(images.name + "/", None, None)
    expected = next((file for file in spec.archives if file.name == images.name), None)
    if spec.source_sha256 is not None:
        expected = FileSpec(images.name, None, spec.source_sha256, None)
    return _check(images, expected)


def _check(path: Path, expected: FileSpec | None) -> FoundFile:
    try:
        found = _found(path)
    except OSError as error:
        raise UserError(f"{path}: cannot be read ({error.strerror})") from None
    if expected is not None and expected.sha256 not in (None, found.sha256):
        raise UserError(
            f"{path}: sha256 {found.sha256} is not the expected {expected.sha256}; "
            "it is another version or damaged, get it again"
        )
    if expected is not None and expected.sha256 is None and expected.md5 is not None:
        _check_md5(path, expected.md5)
    return found


def _check_md5(path: Path, expected: str) -> None:
    """Raise UserError for another MD5: some authors publish no better checksum."""
    with opened_parts(parts_of(path) or [path]) as file:
        found = hashlib.file_digest(file, "md5").hexdigest()
    if found != expected:
        raise UserError(
            f"{path}: MD5 {found} is not the expected {expected}; "
            "it is another version or damaged, get it again"
        )


def _found(path: Path) -> FoundFile:
    """A file's name, checksum and size; those of the joined file for an archive in parts."""
    parts = parts_of(path)
    if parts in ([], [path]):
        return FoundFile(path.name, sha256(path), path.stat().st_size)
    with opened_parts(parts) as file:
        joined = hashlib.file_digest(file, "sha256").hexdigest()
    return FoundFile(path.name, joined, sum(part.stat().st_size for part in parts))


def _download(spec: DatasetSpec, file: FileSpec, raw: Path) -> list[Path]:
    """Fetch a file or its parts; returns the new ones that have no published checksum."""
    remedy = f"put it in a folder that you name as datasets.{spec.name}.source, or in {raw}"
    fetched = download_parts if file.in_parts else download
    came = fetched(file, raw, f"data set '{spec.name}'", remedy)
    came = [] if file.sha256 or file.md5 else came
    note_downloads(raw, came)
    with _set_aside(came):
        parts_of(raw / file.name)
    return came


@contextmanager
def _set_aside(came: Sequence[Path]) -> Iterator[None]:
    """Where an archive is found damaged, rename the files that just came without a checksum:
    otherwise no later run would fetch them again."""
    try:
        yield
    except UserError as error:
        aside = [path.replace(path.with_name(f"{path.name}.rejected")).name for path in came]
        if not aside:
            raise
        kept = f"what came is kept as {', '.join(aside)}, and the next run fetches it again"
        raise UserError(f"{error}; {kept}") from None
