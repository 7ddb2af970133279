"""What lies in raw/ by a user's hand is told from what was downloaded there."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from softbio.data.fetching.locate import fetch
from softbio.data.fetching.placed import DOWNLOADED, placed
from softbio.data.registry import DatasetSpec, FileSpec
from softbio.errors import UserError
from tests import miniatures
from tests.unit.test_fetch import digest
from tests.unit.test_mirrors import Handler, parts, server

__all__ = ["parts", "server"]  # fixtures

GOOD = miniatures.tarball({"a.jpg": b"a face"})
OTHER = miniatures.tarball({"a.jpg": b"another face"})


def spec_of(server: str, **more) -> DatasetSpec:
    files = (FileSpec("Set.tar.gz", f"{server}/set", None, None, **more),)
    return DatasetSpec("set", "A set", "utkface", (1, 9), files=files)


def put(path: Path, content: bytes, time: int) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (time, time))


def test_a_download_is_no_change_and_what_takes_its_place_is(tmp_path, server):
    spec = spec_of(server)
    Handler.files["/set"] = GOOD
    assert placed(spec, tmp_path) == [], "as Snakemake plans the first run"
    fetch(spec, tmp_path)
    assert placed(spec, tmp_path) == []
    put(tmp_path / "Set.tar.gz", OTHER, 99)
    found = placed(spec, tmp_path)
    assert found == [("Set.tar.gz", len(OTHER), 99)]
    fetch(spec, tmp_path)
    assert placed(spec, tmp_path) == found, "another run is no change"
    (tmp_path / "Set.tar.gz").unlink()
    assert placed(spec, tmp_path) == []
    fetch(spec, tmp_path)
    assert placed(spec, tmp_path) == []


def test_what_was_there_before_the_first_run_stays_the_users(tmp_path, server):
    spec = spec_of(server)
    for name in ("Set.tar.gz", "Set.tar"):
        put(tmp_path / name / name, GOOD, 7)
        assert placed(spec, tmp_path / name) == [(name, len(GOOD), 7)], "also packed anew"
        fetch(spec, tmp_path / name)
        assert placed(spec, tmp_path / name) == [(name, len(GOOD), 7)]
    assert Handler.asked == []


def test_parts_and_lists(tmp_path, parts):
    raw = tmp_path / "raw"
    spec = replace(parts, lists={"test": "list.csv"})
    put(raw / "list.csv", b"a", 5)
    assert placed(spec, raw) == [("list.csv", 1, 5)]
    fetch(spec, raw)
    assert placed(spec, raw) == [("list.csv", 1, 5)]
    last = raw / "Set.tar.xzac"
    put(last, last.read_bytes(), 9)
    assert [name for name, *_ in placed(spec, raw)] == ["Set.tar.xzac", "list.csv"]
    (raw / "Set.tar.xzab").unlink()
    assert placed(spec, raw) == [("list.csv", 1, 5)], "fetch tells what is lacking"


def test_a_checksum_speaks_for_itself(tmp_path, server):
    put(tmp_path / "Set.tar.gz", GOOD, 5)
    assert placed(replace(spec_of(server, md5="0" * 32)), tmp_path) == []
    files = (FileSpec("Set.tar.gz", f"{server}/set", digest(GOOD), None),)
    assert placed(replace(spec_of(server), files=files), tmp_path) == []


@pytest.mark.parametrize("note", ["", "{", "7", "[[1]]", "{}"])
def test_a_note_that_is_broken_costs_one_run(tmp_path, server, note):
    Handler.files["/set"] = GOOD
    fetch(spec_of(server), tmp_path)
    (tmp_path / DOWNLOADED).write_text(note)
    assert [name for name, *_ in placed(spec_of(server), tmp_path)] == ["Set.tar.gz"]


def test_what_is_set_aside_is_no_change(tmp_path, server):
    Handler.files["/set"] = b"a page"
    with pytest.raises(UserError, match="rejected"):
        fetch(spec_of(server), tmp_path)
    assert placed(spec_of(server), tmp_path) == []
