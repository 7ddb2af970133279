"""A folder and its pieces, what is refused of them, and manifests that were tampered with."""

import json
from pathlib import Path

import pytest

from softbio.errors import UserError
from softbio.manifest import MANIFEST
from softbio.transfer import cut, join

CONTENT = {"images.npy": b"0123456789", "sub/deep/a": b"", "sub/b": b"x" * 15, "z": b""}


def fill(folder: Path, content: dict[str, bytes]) -> Path:
    for name, data in content.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    return folder


def content(folder: Path) -> dict[str, bytes]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def in_three(source: Path) -> Path:
    """The 25 bytes of `CONTENT` in three pieces beside their folder; the first piece holds all of
    one file and half of another."""
    pieces = source.parent / "pieces"
    cut(source, pieces, 12)
    return pieces


def refused(pieces: Path, message: str, out: str = "out") -> None:
    """Joining says so in one line and leaves nothing."""
    before = content(pieces.parent)
    with pytest.raises(UserError, match=message) as caught:
        join(pieces, pieces.parent / out)
    assert "\n" not in str(caught.value)
    assert content(pieces.parent) == before
    assert not list(pieces.parent.glob(".*.part"))


def hostile(pieces: Path, change) -> None:
    manifest = json.loads((pieces / MANIFEST).read_text())
    change(manifest)
    (pieces / MANIFEST).write_text(json.dumps(manifest))
