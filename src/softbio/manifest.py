"""manifest.json of a folder of pieces, which is checked because an attacker may have written it.

It lists all files and pieces in the order of one stream of bytes; see `softbio.transfer`.
"""

import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path, PurePosixPath
from typing import Any

from softbio.data.fetching.members import safe_name
from softbio.errors import UserError
from softbio.files import atomic

FORMAT = "softbio pieces 1"
MANIFEST = "manifest.json"
MB = 10**6
MAX_PIECE = 50 * MB  # every piece stays below
MAX_MANIFEST = 16 * MB  # it is read as a whole


@dataclass(frozen=True)
class Part:
    """A file or a piece: path below its folder, size in bytes, SHA-256 in hexadecimal."""

    name: str
    bytes: int
    sha256: str


@dataclass(frozen=True)
class Manifest:
    """Files and pieces, each in the order of the stream; checked when read."""

    files: tuple[Part, ...]
    pieces: tuple[Part, ...]


def piece_name(number: int) -> str:
    """File name of a piece; number: from 0."""
    return f"piece-{number + 1:05d}"


def fault_of_name(name: str) -> str:
    """Why a path cannot be carried; "" where it can."""
    try:
        name.encode()
        return "" if name and safe_name(name) == name else "is not a plain relative path"
    except UnicodeEncodeError:
        return "has a name that is no UTF-8"
    except ValueError as error:
        return str(error)


def write_manifest(path: Path, manifest: Manifest) -> None:
    """Write a manifest; raises UserError for one that would be too large to read."""
    text = json.dumps({"format": FORMAT, **asdict(manifest)}, indent=1) + "\n"
    if len(text) > MAX_MANIFEST:
        raise UserError(
            f"{path.parent}: too many files to carry in pieces; pack them as an archive"
        )
    with atomic(path) as part:
        part.write_text(text)


def read_manifest(path: Path) -> Manifest:
    """Read and check a manifest that an attacker may have written; raises UserError, which says
    what is wrong."""
    remedy = "copy it again, or cut the folder again"
    if not path.is_file():
        raise UserError(f"{path}: is missing; {remedy}")
    try:
        if path.stat().st_size > MAX_MANIFEST:
            raise ValueError("is too large")
        return _checked(json.loads(path.read_bytes()))
    except json.JSONDecodeError:
        raise UserError(f"{path}: is not JSON; {remedy}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"{path}: {error}; {remedy}") from None


def _checked(data: Any) -> Manifest:
    """The manifest in plain data; raises ValueError for anything that `cut` would not write."""
    _check_keys(data, {"format", "files", "pieces"}, "the top level")
    if data["format"] != FORMAT:
        raise ValueError(f"format {data['format']!r:.40} is not {FORMAT!r}")
    files, pieces = _parts(data["files"], "files"), _parts(data["pieces"], "pieces")
    names = {file.name for file in files}
    if len(names) < len(files):
        raise ValueError("a file is listed twice")
    for name in names:
        if why := fault_of_name(name):
            raise ValueError(f"file {name!r:.80} {why}")
        if not names.isdisjoint(map(str, PurePosixPath(name).parents)):
            raise ValueError(f"file {name!r:.80} lies below another file")
    for number, piece in enumerate(pieces):
        if piece.name != piece_name(number) or not 0 < piece.bytes < MAX_PIECE:
            raise ValueError(f"{piece_name(number)} has a wrong name or size")
    if sum(file.bytes for file in files) != sum(piece.bytes for piece in pieces):
        raise ValueError("files and pieces differ in size")
    return Manifest(files, pieces)


def _parts(data: Any, where: str) -> tuple[Part, ...]:
    if not isinstance(data, list):
        raise ValueError(f"{where} is not a list")
    for item in data:
        _check_keys(item, {field.name for field in fields(Part)}, where)
        # a bool is an int to isinstance
        if type(item["bytes"]) is not int or item["bytes"] < 0:
            raise ValueError(f"{where}: bytes {item['bytes']!r:.40} is not a size")
        if not isinstance(item["name"], str):
            raise ValueError(f"{where}: name {item['name']!r:.40} is not text")
        checksum = item["sha256"]
        if not isinstance(checksum, str) or not re.fullmatch("[0-9a-f]{64}", checksum):
            raise ValueError(f"{where}: sha256 {checksum!r:.40} is not a checksum")
    return tuple(Part(**item) for item in data)


def _check_keys(data: Any, keys: set[str], where: str) -> None:
    if not isinstance(data, dict):
        raise ValueError(f"{where} is not a mapping")
    for key in data.keys() ^ keys:
        what = "lacks" if key in keys else "has the unknown key"
        raise ValueError(f"{where} {what} {key!r:.40}")
