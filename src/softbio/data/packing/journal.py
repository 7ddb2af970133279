"""What a run that was killed has left for the next one: lines, each behind its own checksum.

A later run believes the lines up to the first that is damaged or half written, and only those of
the same identity: one hash of all that the result depends on.
"""

import fcntl
import hashlib
import json
import logging
import os
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

import pandas as pd

from softbio.errors import UserError

log = logging.getLogger(__name__)

# Raise it when the meaning of a line changes: an older journal is then not gone on with.
FORMAT = 1


class Journal:
    """A file of lines under way; what a line says is a mapping that JSON knows."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._start, self.kept = file, 0, False

    def resume(self, identity: str, take: Callable[[dict[str, Any]], bool]) -> None:
        """Give `take` what each line of the same identity says, until one is damaged or it returns
        False; cut off the rest."""
        head = _line({"identity": identity, "format": FORMAT})
        self._file.seek(0)
        first, end = self._file.readline(), 0
        if first == head:
            end = len(head)
            for line in self._file:
                content = _content(line)
                if content is None or not take(content):
                    break
                end += len(line)
        elif first:
            log.info("the source or the recipe changed: the work starts anew")
        self._file.seek(end)
        self._file.truncate()
        if not end:
            self._file.write(head)
        self._file.flush()
        self._start = len(head)

    def add(self, content: dict[str, Any]) -> None:
        """One more line, behind the others."""
        self._file.write(_line(content))
        self._file.flush()

    def keep(self) -> None:
        """All is done: an error in what is made of it must not cost the work."""
        self.kept = True

    def contents(self) -> Iterator[dict[str, Any]]:
        """What each line says, from the first; to be read to the end."""
        self._file.seek(self._start)
        yield from map(json.loads, (line.partition(b" ")[2] for line in self._file))


@contextmanager
def journal(path: Path, busy: str) -> Iterator[Journal]:
    """The journal at `path`: left to a later run where this one is killed or interrupted, removed
    at the end and on any error, but on none after `Journal.keep`. Raises UserError, saying `busy`,
    where another process has it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with open(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "rb+") as file:
        _lock(file, busy)
        lines = Journal(file)
        try:
            yield lines
        except Exception:
            if not lines.kept:
                path.unlink(missing_ok=True)
            raise
        path.unlink()


def identity_of(*parts: Any) -> str:
    """One hash of all that the result depends on: values that JSON knows, and paths."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()


def table_sha256(frame: pd.DataFrame) -> str:
    """One hash of a table's rows."""
    rows = frame.to_csv(index=False)
    return hashlib.sha256(rows.encode(errors="surrogateescape")).hexdigest()


def text_of(content: bytes) -> str:
    """Bytes as JSON knows them."""
    return b64encode(content).decode()


def bytes_of(text: str) -> bytes:
    """Those of `text_of`."""
    return b64decode(text)


def _lock(file: BinaryIO, busy: str) -> None:
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UserError(busy) from None
    except OSError:  # a file system without locks
        log.debug("no locks on %s", file.name)


def _line(content: dict[str, Any]) -> bytes:
    text = json.dumps(content, separators=(",", ":")).encode()
    return hashlib.sha256(text).hexdigest().encode() + b" " + text + b"\n"


def _content(line: bytes) -> dict[str, Any] | None:
    """What a line says; None where it is damaged or half written."""
    digest, _, text = line.removesuffix(b"\n").partition(b" ")
    if not line.endswith(b"\n") or hashlib.sha256(text).hexdigest().encode() != digest:
        return None
    with suppress(ValueError):
        return json.loads(text)
    return None
