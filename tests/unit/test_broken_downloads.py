"""Downloads that break off, are answered wrongly or change on the way."""

import json
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from softbio.data.fetching.locate import RECEIPT, fetch
from softbio.data.fetching.mirrors import download
from softbio.data.registry import FileSpec, FoundFile
from softbio.errors import UserError
from tests.unit.test_fetch import digest, make_spec, with_archive

BIG = bytes(range(256)) * 4096


class Rough(SimpleHTTPRequestHandler):
    """A server of one file that supports ranges; `faults`: what goes wrong in each answer."""

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
    with pytest.raises(UserError, match=r"file.bin cannot be fetched"):
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
    with pytest.raises(UserError, match=r"file.bin cannot be fetched .*: do something"):
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
