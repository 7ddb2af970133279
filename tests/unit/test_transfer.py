"""Pieces: the same folder at the other end or none, whatever happened on the way."""

import errno
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio import files, transfer
from softbio.errors import UserError
from softbio.files import sibling
from softbio.manifest import MANIFEST, MAX_PIECE, MB
from softbio.transfer import cut, join
from tests.conftest import ROOT
from tests.pieces import CONTENT, content, fill, in_three, refused


@pytest.fixture
def source(tmp_path) -> Path:
    return fill(tmp_path / "source", CONTENT)


@pytest.fixture
def pieces(source) -> Path:
    return in_three(source)


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 40) | st.integers(2**20 - 2, 2**20 + 2), min_size=1, max_size=6),
    piece=st.integers(1, 50) | st.integers(2**20 - 1, 2**21),
)
def test_what_was_cut_is_joined(tmp_path_factory, sizes, piece):
    folder = tmp_path_factory.mktemp("round")
    # a million pieces of one byte would show nothing more
    piece = max(piece, sum(sizes) // 100)
    made = {f"f{i}": os.urandom(size) for i, size in enumerate(sizes)}
    cut(fill(folder / "in", made), folder / "pieces", piece)
    join(folder / "pieces", folder / "out")
    assert content(folder / "out") == made
    found = [len(data) for name, data in content(folder / "pieces").items() if name != MANIFEST]
    assert len(found) == -(-sum(sizes) // piece)
    assert max(found, default=0) <= piece
    shutil.rmtree(folder)


def test_the_manifest_names_all_and_comes_last(tmp_path, source, monkeypatch):
    seen = []
    replace = Path.replace
    monkeypatch.setattr(Path, "replace", lambda a, b: (seen.append(b.name), replace(a, b))[1])
    cut(source, tmp_path / "pieces", 12)
    assert seen == ["piece-00001", "piece-00002", "piece-00003", MANIFEST]
    manifest = json.loads((tmp_path / "pieces" / MANIFEST).read_text())
    for part, folder in (("files", source), ("pieces", tmp_path / "pieces")):
        for item in manifest[part]:
            path = folder / item["name"]
            assert (path.stat().st_size, files.sha256(path)) == (item["bytes"], item["sha256"])


def test_the_command_line_needs_the_standard_library_alone(tmp_path, source):
    def softbio(*arguments: object) -> subprocess.CompletedProcess:
        # -S: no site-packages
        command = [sys.executable, "-S", "-m", "softbio", *map(str, arguments)]
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
        return subprocess.run(command, capture_output=True, text=True, env=environment)

    pieces, out = tmp_path / "pieces", tmp_path / "out"
    done = softbio("cut", "--folder", source, "--out", pieces, "--piece-mb", 50)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    assert "a piece of 50 MB: choose above 0 and below 50 MB" in done.stderr
    assert not pieces.exists()
    assert softbio("cut", "--folder", source, "--out", pieces).returncode == 0
    done = softbio("join", "--pieces", pieces, "--out", out)
    assert done.returncode == 0, done.stderr
    assert content(out) == CONTENT


@pytest.mark.parametrize("size", [0, -1, MAX_PIECE])
def test_a_piece_size_out_of_range(tmp_path, source, size):
    with pytest.raises(UserError, match="above 0 and below 50 MB"):
        cut(source, tmp_path / "pieces", size)


def test_memory_does_not_grow_with_the_files(tmp_path):
    fill(tmp_path / "in", {"a": bytes(30 * MB), "b": bytes(10 * MB)})
    tracemalloc.start()
    cut(tmp_path / "in", tmp_path / "pieces", 20 * MB)
    join(tmp_path / "pieces", tmp_path / "out")
    assert tracemalloc.get_traced_memory()[1] < 5 * MB
    tracemalloc.stop()


# --- what may not be cut


def test_a_folder_that_is_not_there_or_empty(tmp_path):
    with pytest.raises(UserError, match="is no folder"):
        cut(tmp_path / "nowhere", tmp_path / "pieces")
    (tmp_path / "empty/sub").mkdir(parents=True)
    with pytest.raises(UserError, match="no file is in it"):
        cut(tmp_path / "empty", tmp_path / "pieces")


@pytest.mark.parametrize("kind", ["link", "folder link", "pipe", "back\\slash", b"\xff", "a\nb"])
def test_what_is_no_plain_file_is_not_cut(tmp_path, source, kind):
    if kind == "link":
        (source / "link").symlink_to("images.npy")
    elif kind == "folder link":
        (source / "link").symlink_to("sub")
    elif kind == "pipe":
        os.mkfifo(source / "pipe")
    else:
        (source / os.fsdecode(kind)).touch()
    with pytest.raises(UserError, match=r"remove it from the folder|rename it") as caught:
        cut(source, tmp_path / "pieces")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "pieces").exists()


def test_pieces_within_the_folder_or_among_other_things(tmp_path, source):
    with pytest.raises(UserError, match="lies in the folder to be cut"):
        cut(source, source / "pieces")
    fill(tmp_path / "full", {"thesis.tex": b"years"})
    with pytest.raises(UserError, match=r"holds 'thesis.tex', which is no piece"):
        cut(source, tmp_path / "full")
    assert content(tmp_path / "full") == {"thesis.tex": b"years"}


@pytest.mark.parametrize("grown", [b"", b"0123456789+"])
def test_a_file_that_changes_while_it_is_read(tmp_path, source, monkeypatch, grown):
    listed = transfer._files(source)
    (source / "images.npy").write_bytes(grown)
    monkeypatch.setattr(transfer, "_files", lambda _: listed)
    with pytest.raises(UserError, match=r"images.npy: changed while it was read"):
        cut(source, tmp_path / "pieces", 12)
    assert not (tmp_path / "pieces" / MANIFEST).exists()


@pytest.mark.parametrize("last", [b"", b"zz"])
def test_the_last_file_changes_while_it_is_read(tmp_path, monkeypatch, last):
    source = fill(tmp_path / "one", {"a": b"z"})
    monkeypatch.setattr(transfer, "_files", lambda _: {"a": 1})
    (source / "a").write_bytes(last)
    with pytest.raises(UserError, match="changed while it was read"):
        cut(source, tmp_path / "pieces", 12)


# --- interruptions and full disks


def test_an_interrupted_cut_is_cut_again(tmp_path, source, monkeypatch):
    out, pour = tmp_path / "pieces", transfer._Stream.pour

    def stop(stream, file, size):
        if size < 12:
            raise KeyboardInterrupt
        return pour(stream, file, size)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(transfer._Stream, "pour", stop)
        cut(source, out, 12)
    (out / ".piece-00003.host-12.part").write_bytes(b"left by a killed one")
    assert not (out / MANIFEST).exists()
    with pytest.raises(UserError, match=r"manifest.json: is missing; copy it again, or cut"):
        join(out, tmp_path / "out")
    cut(source, out, 20)
    assert len(content(out)) == 3
    join(out, tmp_path / "out")
    assert content(tmp_path / "out") == CONTENT


def test_pieces_of_the_same_files_are_made_anew_and_others_kept(tmp_path, source, pieces):
    (pieces / "piece-00002").write_bytes(b"damaged")
    cut(source, pieces, 12)
    join(pieces, tmp_path / "out")
    (source / "z").write_bytes(b"changed")
    before = content(pieces)
    with pytest.raises(UserError, match="holds the pieces of other files"):
        cut(source, pieces, 12)
    assert content(pieces) == before


def test_an_interrupted_join_is_joined_again(tmp_path, pieces, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(transfer._Stream, "end", stop)
        join(pieces, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    # a killed one could not tidy up
    gone = subprocess.Popen(["true"])
    gone.wait()
    left = fill(sibling(tmp_path / "out", gone.pid), {"images.npy": b"half", "other": b""})
    join(pieces, tmp_path / "out")
    assert content(tmp_path / "out") == CONTENT
    assert not left.exists()


def test_a_full_disk_is_one_line(tmp_path, source, pieces, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(transfer._Stream, "pour", full)
        refused(pieces, "disk full, 25 bytes are needed")
        with pytest.raises(UserError, match="disk full, 25 bytes are needed"):
            cut(source, tmp_path / "new")
    assert content(tmp_path / "new") == {}
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(9, 9, 24))
    refused(pieces, "disk full, 25 bytes are needed")


def test_what_the_system_refuses_is_one_line(tmp_path, pieces, monkeypatch):
    fill(tmp_path, {"file": b""})
    with pytest.raises(UserError, match="check the path"):
        join(pieces, tmp_path / "file/out")


# --- what is there already


def test_joining_twice_changes_nothing(tmp_path, pieces):
    (tmp_path / "out").mkdir()  # an empty folder is no obstacle
    join(pieces, tmp_path / "out")
    # not the time of access: comparing reads it
    stats = [(tmp_path / "out/images.npy").stat()]
    join(pieces, tmp_path / "out")
    stats.append((tmp_path / "out/images.npy").stat())
    assert stats[0].st_ino == stats[1].st_ino
    assert stats[0].st_mtime_ns == stats[1].st_mtime_ns


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda out: (out / "z").unlink(), "is there and lacks 'z'; move it"),
        (lambda out: (out / "new").touch(), "is there and also holds 'new'"),
        (lambda out: (out / "sub/b").write_bytes(b"y" * 15), "is there and has another 'sub/b'"),
        (lambda out: (out / "z").write_bytes(b"y"), "is there and has another 'z'"),
        (lambda out: (out / "l").symlink_to("z"), "is a link"),
    ],
)
def test_a_folder_that_differs_is_left_alone(tmp_path, pieces, change, message):
    join(pieces, tmp_path / "out")
    change(tmp_path / "out")
    refused(pieces, message)


def test_a_file_in_the_place_of_the_folder(tmp_path, pieces):
    (tmp_path / "out").write_bytes(b"mine")
    refused(pieces, "out: is no folder")
