"""The files that a user put into a data set's folder in raw/, without those downloaded there.

Snakemake runs `fetch` again where they change. Downloads are left out: otherwise the first download
would be a change, and everything made from it would be made a second time.
"""

import json
import re
from collections.abc import Sequence
from pathlib import Path

from softbio.data.fetching.archives import SUFFIXES
from softbio.data.fetching.streams import parts_of
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.files import write_json

DOWNLOADED = ".downloaded.json"

# its name, bytes and time of change in whole seconds, which every way of copying keeps
State = tuple[str, int, int]


def names_of(name: str) -> list[str]:
    """Names that an archive may have: its own first, then those of one that was repacked."""
    stem = re.sub(r"\.(tar|tar\.gz|tgz|tar\.xz|txz|zip)$", "", name)
    return [name, *(stem + end for end in SUFFIXES)]


def placed(spec: DatasetSpec, raw: Path | str) -> list[State]:
    """The files of a data set in `raw` that have no published checksum and are not as they were
    downloaded, sorted."""
    raw, checked = Path(raw), {file.name for file in spec.files if file.sha256 or file.md5}
    names = [name for file in spec.archives for name in names_of(file.name)]
    names += spec.lists.values()
    found = {path for name in names if name not in checked for path in _there(raw / name)}
    return sorted({_state(path) for path in found} - _downloaded(raw))


def note_downloads(raw: Path, came: Sequence[Path]) -> None:
    """Keep the state of files that were downloaded into `raw` just now."""
    if came:
        write_json(raw / DOWNLOADED, sorted(_downloaded(raw) | {_state(path) for path in came}))


def _there(path: Path) -> list[Path]:
    """The file or its parts; none where they are no whole archive, which `fetch` reports."""
    try:
        return parts_of(path)
    except UserError:
        return []


def _state(path: Path) -> State:
    found = path.stat()
    return path.name, found.st_size, int(found.st_mtime)


def _downloaded(raw: Path) -> set[State]:
    try:
        return {
            (name, size, time) for name, size, time in json.loads((raw / DOWNLOADED).read_text())
        }
    except (OSError, ValueError, TypeError):
        return set()
