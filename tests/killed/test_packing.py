"""Packing that is killed, at any moment: the next run goes on, and gives the same bytes."""

import json
import os
import random
import signal
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from softbio.data import prepare, work
from softbio.data.alignment.points import find_points
from softbio.data.packing import filling, journal, pictures
from softbio.data.packing.filling import ARRAY, JOURNAL, Packing
from softbio.data.packing.pictures import Note, decode
from softbio.data.registry import DatasetSpec, Expected
from softbio.errors import UserError
from tests.unit.test_points import archive, entry
from tests.unit.test_prepare import SIZE, lenient, own_faces, pack, photo

Change = Callable[[pytest.MonkeyPatch, Path], None]
RESULTS = ("images.npy", "index.parquet", "fingerprints.parquet", "rejected.csv", "card.json")


@pytest.fixture
def spec(tmp_path, monkeypatch) -> DatasetSpec:
    """Eleven images, the third of them no image, packed two at a time."""
    monkeypatch.setattr(filling, "CHUNK_ROWS", 2)
    monkeypatch.setattr(prepare, "on_disk", lambda _: 0)
    contents = {f"{number:02d}.jpg": photo(number) for number in range(11)}
    return lenient(own_faces(tmp_path / "own", contents | {"02.jpg": b"none"}), 0.2)


def whole(spec: DatasetSpec, folder: Path, points: Path | None = None) -> dict[str, bytes]:
    pack(spec, folder, points=points)
    return {name: (folder / name).read_bytes() for name in RESULTS}


def kill(*_: Any, **__: Any) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_in(work: Callable[[], None], folder: Path, change: Change) -> None:
    """Work in a process of its own that is changed so that it is killed."""
    child = os.fork()
    if child == 0:
        try:
            with pytest.MonkeyPatch.context() as patch:
                change(patch, folder)
                work()
        finally:  # whatever was raised: it must not go on with the tests of its parent
            os._exit(1)
    assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, "it was not killed"


def killed(spec: DatasetSpec, folder: Path, change: Change, points: Path | None = None) -> None:
    """Killed while it packs."""
    killed_in(lambda: pack(spec, folder, points=points), folder, change)


def at_line(number: int, written: float) -> Change:
    """Killed with so much of a line of the journal on disk; line 0 is the head."""

    def change(patch: pytest.MonkeyPatch, folder: Path) -> None:
        lines = []

        def line(content: dict[str, Any]) -> bytes:
            lines.append(content)
            text = original(content)
            if len(lines) == number + 1:
                with open(folder / JOURNAL, "ab") as file:
                    file.write(text[: int(len(text) * written)])
                kill()
            return text

        original = journal._line
        patch.setattr(journal, "_line", line)

    return change


def in_finish(patch: pytest.MonkeyPatch, _: Path) -> None:
    """Killed when the rows behind a rejected one have moved, before the array is cut."""
    moved = []
    original = Packing._pixels

    def pixels(self: Packing, row: int) -> bytes:
        moved.append(row)
        if len(moved) == 4:
            self._array.flush()
            kill()
        return original(self, row)

    patch.setattr(Packing, "_pixels", pixels)


MOMENTS = {
    "before the head": (at_line(0, 0.0), 0),
    "half a head": (at_line(0, 0.5), 0),
    "before the first line": (at_line(1, 0.0), 0),
    "half a line": (at_line(3, 0.5), 4),
    "a line without its end": (at_line(3, 0.999), 4),
    "a line": (at_line(4, 1.0), 8),
    "rows are moved": (in_finish, 1),
    "before the array is named": (lambda patch, _: patch.setattr(Packing, "finish", kill), 11),
    "before the index": (lambda patch, _: patch.setattr(prepare, "_write_tables", kill), 0),
    "before the card": (lambda patch, _: patch.setattr(prepare, "make_card", kill), 0),
}


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_killed_run_is_gone_on_with_and_gives_the_same_bytes(tmp_path, spec, monkeypatch, moment):
    change, least = MOMENTS[moment]
    expected = whole(spec, tmp_path / "whole")
    out = tmp_path / "out"
    killed(spec, out, change)
    again = decodings(monkeypatch)
    assert whole(spec, out) == expected
    assert len(again) <= 11 - least, "what was done is not done again"
    assert {path.name for path in out.iterdir()} == {*RESULTS}


def test_killed_again_and_again(tmp_path, spec):
    expected = whole(spec, tmp_path / "whole")
    out = tmp_path / "out"
    for written in (0.5, 0.0, 0.9, 0.1):
        killed(spec, out, at_line(2, written))
    assert whole(spec, out) == expected


def change_file(spec: DatasetSpec, _: pytest.MonkeyPatch) -> DatasetSpec:
    """Other pixels in a file of the same length."""
    path = spec.source / "05.jpg"
    size, content = path.stat().st_size, photo(77)
    path.write_bytes(content[:size].ljust(size, b"\0"))
    return spec


def change_labels(spec: DatasetSpec, _: pytest.MonkeyPatch) -> DatasetSpec:
    path = spec.source / "labels.csv"
    path.write_text(path.read_text().replace("05.jpg,22", "05.jpg,21"))
    return spec


def change_code(spec: DatasetSpec, patch: pytest.MonkeyPatch) -> DatasetSpec:
    patch.setattr(work, "modules_sha256", lambda *_: "another")
    return spec


@pytest.mark.parametrize("change", [change_file, change_labels, change_code])
def test_what_was_done_of_another_source_or_by_other_code_is_not_believed(
    tmp_path, spec, monkeypatch, change
):
    out = tmp_path / "out"
    killed(spec, out, at_line(4, 1.0))
    spec = change(spec, monkeypatch)
    again = decodings(monkeypatch)
    assert whole(spec, out) == whole(spec, tmp_path / "whole")
    assert len(again) == 2 * 11


def decodings(patch: pytest.MonkeyPatch) -> list[bytes]:
    """The files that are decoded from here on."""
    files = []

    def counted(content: bytes, upright: bool):
        files.append(content)
        return decode(content, upright)

    patch.setattr(pictures, "decode", counted)
    return files


@pytest.mark.parametrize("name", ["morph2", "cacd"])
def test_an_aligned_data_set_is_gone_on_with(tmp_path, monkeypatch, name):
    _, find = archive(name, tmp_path / name)
    spec = replace(entry(name, tmp_path / name), expected=Expected(images=77))
    points = tmp_path / "points.parquet"
    find_points(spec, points, tmp_path / "raw", find)
    monkeypatch.setattr(filling, "CHUNK_ROWS", 2)
    monkeypatch.setattr(prepare, "on_disk", lambda _: 0)
    expected = whole(spec, tmp_path / "whole", points)
    card = json.loads(expected["card.json"])
    listed = card["reconciled"]["listed"]
    assert card["differences"] == [f"images: 77 expected, {listed - 1} packed"]
    for moved, left in ((0, listed - 5), (5, listed - 1)):
        killed(spec, tmp_path / "out", at_line(2, 1.0), points)
        # the points are found again: the same, or all of them elsewhere
        again = tmp_path / f"again{moved}.parquet"
        find_points(spec, again, tmp_path / "raw", lambda image, by=moved: shifted(find(image), by))
        with monkeypatch.context() as patch:
            files = decodings(patch)
            result = whole(spec, tmp_path / "out", again)
        assert len(files) == left, "four were done; one of the listed has no face"
        assert (result == expected) == (moved == 0)


def shifted(five: np.ndarray | None, by: int) -> np.ndarray | None:
    return five if five is None else five + by * np.array([1, 2])


@pytest.mark.parametrize("name", [ARRAY, JOURNAL])
def test_damaged_work_is_done_again(tmp_path, spec, name):
    expected, chance = whole(spec, tmp_path / "whole"), random.Random(5)
    out = tmp_path / "out"
    killed(spec, out, at_line(5, 1.0))
    good = {path.name: path.read_bytes() for path in out.iterdir()}
    for _ in range(8):
        for other, content in good.items():
            (out / other).write_bytes(content)
        content = bytearray(good[name])
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
        (out / name).write_bytes(content[: chance.randrange(len(content) // 2, len(content))])
        assert whole(spec, out) == expected


def test_two_processes_do_not_pack_into_one_folder(tmp_path, spec):
    out = tmp_path / "out"
    out.mkdir()
    with filling.packing(out, 3, SIZE, "somebody's", Note):
        before = (out / JOURNAL).read_bytes()
        with pytest.raises(UserError, match=r"out: another process packs .*; wait for it, or end"):
            pack(spec, out)
        assert (out / JOURNAL).read_bytes() == before
        assert (out / ARRAY).exists()
