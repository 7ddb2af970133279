"""The names in an archive: which are allowed, and all of one, kept in a file.

To list a gigabyte of xz it must be unpacked, which takes a minute each time: half a millisecond an
image of 9 kB, a third of the CPU time from an archive to the first packed array. So the names are
kept, and a new archive is unpacked twice: to list it when it is fetched, to read it when it is
packed. Each further size takes one pass.

One pass for both would not do. The rows and their places in the array depend on all names: AFAD
trains on the images that no list names, and whether "a.jpg" is "x/a.jpg" is known only when there
is no "y/a.jpg". Images without a place would have to wait in memory, which is bounded, or on the
disk, as large as the archive. And a truncated archive, or one that lacks an image, is reported
while it is fetched, before the first image is packed.
"""

import json
import logging
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from softbio.files import atomic

log = logging.getLogger(__name__)


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


def members_of(raw: Path, name: str) -> Path:
    """Where the names in an archive are kept."""
    return raw / f".{name}.members.json"


@dataclass(frozen=True)
class Members:
    """Where the names of the archive of that checksum are kept."""

    path: Path
    sha256: str

    def read(self) -> list[str] | None:
        """The names in stored order; None where none are kept, or another archive's."""
        try:
            kept = json.loads(self.path.read_text())
            names = kept["names"] if kept["archive"] == self.sha256 else None
        except (OSError, ValueError, TypeError, KeyError):
            return None
        return names if isinstance(names, list) and all(map(_is_text, names)) else None

    def write(self, names: Sequence[str]) -> None:
        """Keep the names; a folder that cannot be written to costs time, nothing else."""
        try:
            with atomic(self.path) as part:
                part.write_text(json.dumps({"archive": self.sha256, "names": list(names)}))
        except OSError as error:
            log.warning("%s: not kept (%s)", self.path, error.strerror)


def _is_text(name: object) -> bool:
    return isinstance(name, str)
