"""Files that are either complete or absent, and their checksums."""

import errno
import hashlib
import json
import math
import os
import re
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from softbio.errors import UserError

if TYPE_CHECKING:
    import numpy as np


@contextmanager
def atomic(path: Path | str) -> Iterator[Path]:
    """Give a temporary sibling to write to; rename it to `path` on success, remove it on failure.

    The sibling's name has the writer's host and process: if a cluster restarts a job while its
    first process still runs, the two do not write to one file. The file of a killed writer is
    removed by the next one on the same host.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = sibling(path, os.getpid())
    _remove_strays(path)
    try:
        yield part
        with open(part, "rb") as written:
            os.fsync(written.fileno())
        part.replace(path)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def sibling(path: Path, process: int | str) -> Path:
    """The temporary file that a process of this host writes before it takes the place of `path`."""
    # the suffix stays last: numpy and matplotlib choose the format by it
    return path.with_name(f".{path.stem}.{socket.gethostname()}-{process}.part{path.suffix}")


def _remove_strays(path: Path) -> None:
    """Remove temporary siblings of `path`, files or folders, whose writers on this host have
    ended."""
    whole = re.escape(sibling(path, "PROCESS").name).replace("PROCESS", r"(\d+)")
    for stray in path.parent.glob(".*.part*"):
        found = re.fullmatch(whole, stray.name)
        if not found or _alive(int(found[1])):
            continue
        if stray.is_dir():
            shutil.rmtree(stray, ignore_errors=True)
        else:
            stray.unlink(missing_ok=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is somebody else's
        return True
    return True


@contextmanager
def atomic_folder(path: Path) -> Iterator[Path]:
    """`atomic` for a folder that is absent or empty: a temporary sibling to fill."""
    part = sibling(path, os.getpid())
    _remove_strays(path)
    shutil.rmtree(part, ignore_errors=True)
    try:
        part.mkdir(parents=True)
        yield part
        part.replace(path)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise


def sha256(path: Path | str) -> str:
    """The SHA-256 of a file in hexadecimal."""
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


@contextmanager
def room(folder: Path | str, need: int) -> Iterator[None]:
    """Make a folder and check that its disk has `need` bytes free, before and during work.

    Raises UserError, with the space that is needed, for a full disk.
    """
    folder = Path(folder)
    error = UserError(f"{folder}: disk full, {need:,} bytes are needed there; make room")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < need:
            raise error
        yield
    except OSError as full:
        if full.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise error from None


def write_json(path: Path | str, record: object) -> None:
    """Nested dicts, lists and tuples of numbers and text, NumPy's included, as JSON; NaN as null,
    which JSON has no word for."""
    with atomic(path) as part:
        part.write_text(json.dumps(_plain(record), indent=1) + "\n")


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if hasattr(value, "item"):  # a NumPy number, without importing NumPy
        value = value.item()
    return None if isinstance(value, float) and math.isnan(value) else value


def read_arrays(path: Path | str) -> dict[str, "np.ndarray"]:
    """All arrays of an .npz file, by name.

    Raises ValueError for a file that is not an .npz file or is damaged, for which zipfile and NumPy
    raise errors of a dozen kinds, and OSError where it cannot be read at all.
    """
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except OSError:
        raise
    except Exception as error:
        raise ValueError(f"no whole .npz file: {str(error) or repr(error)}") from None
