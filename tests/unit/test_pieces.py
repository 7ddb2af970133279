"""Pieces that did not travel well, and manifests that somebody wrote to do harm."""

import os
from pathlib import Path

import pytest

from softbio import transfer
from softbio.errors import UserError
from softbio.manifest import MANIFEST, MB
from softbio.transfer import join
from tests.pieces import CONTENT, fill, hostile, in_three, refused


@pytest.fixture
def pieces(tmp_path) -> Path:
    return in_three(fill(tmp_path / "source", CONTENT))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda p: p.unlink(), "piece-00002: is missing; copy it again"),
        (lambda p: p.write_bytes(b"?" * 12), "piece-00002: its bytes are not .*; copy it again"),
        (lambda p: p.write_bytes(b"?" * 11), "piece-00002: has 11 bytes instead of 12; copy"),
        (lambda p: (p.parent / "piece-00004").touch(), "piece-00004: is not in manifest.json"),
        (lambda p: (p.unlink(), p.symlink_to("piece-00001")), "piece-00002: is not a plain file"),
        (lambda p: (p.unlink(), os.mkfifo(p)), "piece-00002: is not a plain file"),
        (lambda p: (p.parent / MANIFEST).unlink(), "manifest.json: is missing"),
    ],
)  # fmt: skip
def test_a_damaged_piece_is_named(pieces, change, message):
    change(pieces / "piece-00002")
    before = sorted(pieces.iterdir())
    with pytest.raises(UserError, match=message) as caught:
        join(pieces, pieces.parent / "out")
    assert "\n" not in str(caught.value)
    assert sorted(pieces.iterdir()) == before
    assert not (pieces.parent / "out").exists()
    assert not list(pieces.parent.glob(".*.part"))


@pytest.mark.parametrize(
    "name",
    ["../evil", "/evil", "sub/../../evil", "", ".", "./a", "a//b", "a\\b", "C:evil", "a\0b", "a\nb",
     "\ud800", "x" * 300],
)  # fmt: skip
def test_no_path_leaves_the_folder(pieces, name):
    hostile(pieces, lambda manifest: manifest["files"][0].update(name=name))
    refused(pieces, "manifest.json: file|File name too long")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda m: m.update(more=1), "the top level has the unknown key 'more'"),
        (lambda m: m.pop("pieces"), "the top level lacks 'pieces'"),
        (lambda m: m.update(format="softbio pieces 2"), "format 'softbio pieces 2' is not"),
        (lambda m: m.update(files={}), "files is not a list"),
        (lambda m: m["files"].append(7), "files is not a mapping"),
        (lambda m: m["files"][0].update(mode=0o777), "files has the unknown key 'mode'"),
        (lambda m: m["files"][0].update(name=7), "files: name 7 is not text"),
        (lambda m: m["files"][0].update(bytes=-1), "files: bytes -1 is not a size"),
        (lambda m: m["files"][0].update(bytes=True), "files: bytes True is not a size"),
        (lambda m: m["files"][0].update(bytes=1e9), "files: bytes 1000000000.0 is not a size"),
        (lambda m: m["files"][0].update(bytes=10**15), "files and pieces differ in size"),
        (lambda m: m["files"][0].update(sha256="X" * 64), "is not a checksum"),
        (lambda m: m["files"][0].update(sha256=int("1" * 64)), "is not a checksum"),
        (lambda m: m["files"][0].update(sha256="0" * 64), "sha256 of 'images.npy' is not that of"),
        (lambda m: m["files"].append(m["files"][1]), "a file is listed twice"),
        (lambda m: m["files"][1].update(name="images.npy/a"), "lies below another file"),
        (lambda m: m["pieces"][0].update(name="../piece-00001"), "piece-00001 has a wrong name"),
        (lambda m: m["pieces"][0].update(name="/etc/passwd"), "piece-00001 has a wrong name"),
        (lambda m: m["pieces"].append(m["pieces"][0]), "piece-00004 has a wrong name"),
        (lambda m: m["pieces"][0].update(bytes=50 * MB), "piece-00001 has a wrong name or size"),
        (lambda m: m["pieces"][0].update(bytes=0), "piece-00001 has a wrong name or size"),
    ],
)  # fmt: skip
def test_a_hostile_manifest_writes_nothing(pieces, change, message):
    hostile(pieces, change)
    refused(pieces, message)


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b"[" * 100_000, b"\xff", b"[1]", b"null", b"9" * 5000, b" " * (16 * MB + 1),
     b'{"format": NaN, "files": [], "pieces": []}'],
)  # fmt: skip
def test_a_manifest_that_is_none(pieces, text):
    (pieces / MANIFEST).write_bytes(text)
    refused(pieces, r"manifest.json: .*copy it again, or cut the folder again")


def test_two_names_that_a_file_system_takes_for_one(pieces, monkeypatch):
    """Stands for a file system that knows no capitals."""
    real = transfer.open if hasattr(transfer, "open") else open
    monkeypatch.setattr(
        transfer, "open", lambda path, mode: real(str(path).lower(), mode), raising=False
    )
    hostile(pieces, lambda manifest: manifest["files"][3].update(name="IMAGES.npy"))
    refused(pieces, "File exists")
