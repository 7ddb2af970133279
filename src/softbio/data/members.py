"""The names in an archive, kept in a file: to list a gigabyte of xz it must be unpacked, a minute
each time."""

import json
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from softbio.files import atomic

log = logging.getLogger(__name__)


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
        """Keep the names; a folder that can not be written to costs time, nothing else."""
        try:
            with atomic(self.path) as part:
                part.write_text(json.dumps({"archive": self.sha256, "names": list(names)}))
        except OSError as error:
            log.warning("%s: not kept (%s)", self.path, error.strerror)


def _is_text(name: object) -> bool:
    return isinstance(name, str)
