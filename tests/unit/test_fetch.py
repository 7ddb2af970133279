"""Files from the user's disk, from raw/, from the network: in this order, and checked."""

import hashlib
import json
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from softbio.data.fetching.locate import RECEIPT, fetch, locate, own_files
from softbio.data.fetching.mirrors import download
from softbio.data.registry import DatasetSpec, FileSpec, FoundFile
from softbio.errors import UserError
from tests.miniatures import tarball

LISTED = ".Set.tar.gz.members.json"
LIST = b",file,age\n0,a.jpg,1\n"
ARCHIVE = tarball({"a.jpg": b"a face"})


def digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


class Handler(SimpleHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *_):
        self.asked.append(self.path)


@pytest.fixture
def served(tmp_path, monkeypatch) -> Iterator[str]:
    """A web server of one list; its address."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    (tmp_path / "web").mkdir()
    (tmp_path / "web/list.csv").write_bytes(LIST)
    Handler.asked = []
    handler = partial(Handler, directory=str(tmp_path / "web"))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def make_spec(url: str = "http://127.0.0.1:9", **changes) -> DatasetSpec:
    known = {
        "files": (
            FileSpec("Set.tar.gz", None, None, None),
            FileSpec("list.csv", f"{url}/list.csv", digest(LIST), len(LIST)),
        ),
        "lists": {"test": "list.csv"},
        "obtain": "ask its authors",
    }
    return DatasetSpec("set", "A set", "utkface", (1, 9), **{**known, **changes})


def with_archive(raw: Path) -> Path:
    """The folder with what only a person can get already in it."""
    raw.mkdir()
    (raw / "Set.tar.gz").write_bytes(ARCHIVE)
    return raw


def test_what_has_a_url_is_downloaded_once(tmp_path, served):
    raw = with_archive(tmp_path / "raw")
    spec = make_spec(served)
    sources = fetch(spec, raw)
    assert sources.lists["test"].read_bytes() == LIST
    assert sources.images == raw / "Set.tar.gz"
    assert sources.files == (
        FoundFile("Set.tar.gz", digest(ARCHIVE), len(ARCHIVE)),
        FoundFile("list.csv", digest(LIST), len(LIST)),
    )
    assert fetch(spec, raw) == sources == locate(spec, raw)
    assert len(Handler.asked) == 1
    assert {path.name for path in raw.iterdir()} == {"Set.tar.gz", "list.csv", RECEIPT, LISTED}


def test_a_damaged_download_is_fetched_again(tmp_path, served):
    (tmp_path / "list.csv").write_bytes(b"damaged")
    (tmp_path / "Set.tar.gz").write_bytes(ARCHIVE)
    assert fetch(make_spec(served), tmp_path).lists["test"].read_bytes() == LIST


@pytest.mark.parametrize("layout", ["folder", "archive"])
def test_the_users_own_files_come_first_and_need_no_network(tmp_path, layout):
    own = tmp_path / "own"
    own.mkdir()
    (own / "Set.zip").write_bytes(ARCHIVE)  # packed anew
    (own / "list.csv").write_bytes(LIST)
    source = own if layout == "folder" else own / "Set.zip"
    sources = fetch(make_spec(source=source), tmp_path / "raw")
    assert sources.images == own / "Set.zip"
    assert sources.lists["test"] == own / "list.csv"
    assert [path.name for path in (tmp_path / "raw").iterdir()] == [RECEIPT]


def test_a_folder_of_images_is_a_source(tmp_path):
    (tmp_path / "list.csv").write_bytes(LIST)
    sources = fetch(make_spec(source=tmp_path), tmp_path / "raw")
    assert sources.images == tmp_path
    assert sources.files[0] == FoundFile(tmp_path.name + "/", None, None)


def test_a_drawn_set_needs_no_file(tmp_path):
    spec = make_spec(files=(), lists={}, access="generated")
    assert fetch(spec, tmp_path).images is None


def test_an_archive_without_url_is_asked_for(tmp_path, served):
    with pytest.raises(UserError, match=r"'set': Set.tar.gz is not there; ask its authors"):
        fetch(make_spec(served), tmp_path)
    with pytest.raises(UserError, match=r"'own': the image archive .* datasets.own.source"):
        fetch(DatasetSpec("own", "Own", "table", (1, 9)), tmp_path)


def test_offline_says_where_to_put_the_file(tmp_path, monkeypatch):
    # a proxy would answer for it
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with pytest.raises(UserError, match=r"list.csv can not be fetched .*no connection.*source"):
        fetch(make_spec(), with_archive(tmp_path / "raw"))
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["Set.tar.gz"]


def test_nothing_is_downloaded_for_a_run_that_can_not_go_on(tmp_path, served):
    with pytest.raises(UserError, match=r"Set.tar.gz is not there"):
        fetch(make_spec(served), tmp_path / "raw")
    assert Handler.asked == []


def test_a_file_that_is_gone_from_the_web(tmp_path, served):
    (tmp_path / "web/list.csv").unlink()
    with pytest.raises(UserError, match=r"list.csv can not be fetched .*404"):
        fetch(make_spec(served), with_archive(tmp_path / "raw"))


def test_a_download_of_the_wrong_checksum_is_not_kept(tmp_path, served):
    (tmp_path / "web/list.csv").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"list.csv can not be fetched .*hash"):
        fetch(make_spec(served), with_archive(tmp_path / "raw"))
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["Set.tar.gz"]


def test_a_source_that_is_missing(tmp_path):
    with pytest.raises(UserError, match=r"none.tar: no such .* correct datasets.set.source"):
        fetch(make_spec(source=tmp_path / "none.tar", files=()), tmp_path)


def test_a_source_of_the_wrong_checksum(tmp_path):
    (tmp_path / "list.csv").write_bytes(LIST)
    archive = tmp_path / "mine.tar"
    archive.write_bytes(ARCHIVE)
    assert fetch(make_spec(source=archive, source_sha256=digest(ARCHIVE)), tmp_path / "raw")
    with pytest.raises(UserError, match=r"mine.tar: sha256 .* is not the expected 0000"):
        fetch(make_spec(source=archive, source_sha256="0" * 64), tmp_path / "raw")
    with pytest.raises(UserError, match=r"source_sha256: .* is a folder"):
        fetch(make_spec(source=tmp_path, source_sha256="0" * 64), tmp_path / "raw")


def test_a_list_of_the_wrong_checksum_in_the_source(tmp_path):
    (tmp_path / "list.csv").write_bytes(b"edited")
    with pytest.raises(UserError, match=r"list.csv: sha256 .* get it again"):
        fetch(make_spec(source=Path(tmp_path)), tmp_path / "raw")


def test_own_files_are_the_source_and_its_lists(tmp_path):
    for name in ("faces.tar", "list.csv"):
        (tmp_path / name).touch()
    spec = DatasetSpec("own", "Own", "table", (18, 70), lists={"all": "list.csv"})
    assert own_files(spec) == []
    for source in (tmp_path, tmp_path / "faces.tar"):
        assert own_files(replace(spec, source=source)) == [source, tmp_path / "list.csv"]
    assert own_files(replace(spec, source=tmp_path / "nowhere")) == []


def test_a_source_that_never_ends_or_is_closed_to_us(tmp_path, monkeypatch):
    os.mkfifo(tmp_path / "faces.tar")
    for source in (tmp_path / "faces.tar", Path("/dev/zero")):
        with pytest.raises(UserError, match="neither a folder nor a file; correct datasets"):
            fetch(make_spec(source=source), tmp_path / "raw")
    (tmp_path / "closed").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)  # as anyone but root would find it
    with pytest.raises(UserError, match=r"closed: can not be read; change its permissions"):
        fetch(make_spec(source=tmp_path / "closed"), tmp_path / "raw")


BIG = bytes(range(256)) * 4096


class Rough(SimpleHTTPRequestHandler):
    """A server of one file that can do ranges, and goes wrong as told: `faults` holds, for each
    request to come, what is wrong with the answer."""

    faults: list[str] = []  # noqa: RUF012
    asked: list[str | None] = []  # noqa: RUF012
    content, tag = BIG, '"one"'

    def log_message(self, *_):
        pass

    def do_GET(self):
        self.asked.append(self.headers["Range"])
        fault = self.faults.pop(0) if self.faults else ""
        if self.path == "/moved":
            self.send_response(302)
            self.send_header("Location", "/file.bin")
            self.end_headers()
            return
        if fault == "busy":
            self.send_response(503)
            self.send_header("Retry-After", "0")
            self.end_headers()
            return
        asked = self.headers["Range"]
        start = 0
        if asked and fault != "no ranges" and self.headers["If-Range"] == self.tag:
            start = int(asked.removeprefix("bytes=").removesuffix("-"))
        rest = self.content[start:]
        self.send_response(206 if start else 200)
        if start:
            end = len(self.content)
            self.send_header("Content-Range", f"bytes {start}-{end - 1}/{end}")
        if fault != "no version":
            self.send_header("ETag", self.tag)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if fault in ("cut", "no version"):
            rest = rest[: len(rest) // 3]
        self.wfile.write(rest)


@pytest.fixture
def rough(monkeypatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr("softbio.data.fetching.download.PAUSE", 0.0)
    Rough.faults, Rough.asked, Rough.content, Rough.tag = [], [], BIG, '"one"'
    with ThreadingHTTPServer(("127.0.0.1", 0), Rough) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def fetched(url: str, raw: Path, path: str = "file.bin", checksum: str | None = None) -> bytes:
    download(FileSpec("file.bin", f"{url}/{path}", checksum, None), raw, "it", "do something")
    assert [found.name for found in raw.iterdir()] == ["file.bin"], "nothing else is left"
    return (raw / "file.bin").read_bytes()


@pytest.mark.parametrize(
    ("faults", "from_start"),
    [
        ([], 1),
        (["cut"], 1),
        (["cut", "cut", "cut"], 1),
        # a server that ignores the range sends all of it again, and what was there is not kept
        (["cut", "no ranges"], 1),
        (["cut", "no ranges", "cut"], 1),
        # without a version there is nothing to go on from
        (["no version"], 2),
        (["busy", "cut", "busy"], 2),
    ],
)
def test_a_download_goes_on_where_it_was_cut(tmp_path, rough, faults, from_start):
    Rough.faults = [*faults]
    assert fetched(rough, tmp_path, checksum=digest(BIG)) == BIG
    assert Rough.asked.count(None) == from_start
    ranges = [asked for asked in Rough.asked if asked]
    if faults[:1] == ["cut"]:
        assert 0 < int(ranges[0][6:-1]) <= len(BIG) // 3


def test_a_file_that_changed_on_the_way_is_not_patched_together(tmp_path, rough):
    Rough.faults = ["cut"] * 5
    with pytest.raises(UserError, match=r"file.bin can not be fetched"):
        fetched(rough, tmp_path)
    Rough.content, Rough.tag, Rough.asked = BIG[::-1], '"two"', []
    assert fetched(rough, tmp_path) == BIG[::-1]
    assert Rough.asked[0] is not None, "the later run did not try to go on"


def test_a_later_run_goes_on(tmp_path, rough):
    Rough.faults = ["cut"] * 5
    with pytest.raises(UserError, match="do something"):
        fetched(rough, tmp_path)
    Rough.asked = []
    assert fetched(rough, tmp_path) == BIG
    (asked,) = Rough.asked
    assert int(asked[6:-1]) > len(BIG) / 2, "five cuts had left more than half"


def test_a_redirect_is_followed(tmp_path, rough):
    assert fetched(rough, tmp_path, "moved", digest(BIG)) == BIG


def test_a_server_that_is_always_busy(tmp_path, rough):
    Rough.faults = ["busy"] * 9
    with pytest.raises(UserError, match=r"file.bin can not be fetched .*: do something"):
        fetched(rough, tmp_path)
    assert len(Rough.asked) == 5


def test_what_came_with_the_wrong_checksum_is_not_gone_on_with(tmp_path, rough):
    with pytest.raises(UserError, match="hash"):
        fetched(rough, tmp_path, checksum=digest(b"other"))
    assert list(tmp_path.iterdir()) == []
    assert fetched(rough, tmp_path, checksum=digest(BIG)) == BIG


def test_a_file_without_known_checksum_is_recorded_and_not_fetched_again(tmp_path, rough):
    raw = with_archive(tmp_path / "raw")
    files = (
        FileSpec("Set.tar.gz", None, None, None),
        FileSpec("list.csv", f"{rough}/x", None, None),
    )
    spec = make_spec(files=files)
    assert fetch(spec, raw).files[1] == FoundFile("list.csv", digest(BIG), len(BIG))
    assert json.loads((raw / RECEIPT).read_text())[1]["sha256"] == digest(BIG)
    Rough.content = b"other"
    assert fetch(spec, raw).files[1].sha256 == digest(BIG)
    assert len(Rough.asked) == 1
