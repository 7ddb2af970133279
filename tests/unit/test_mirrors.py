"""Several addresses of one file, servers that ask for rest, archives in parts, Google Drive."""

import lzma
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from urllib.parse import parse_qs, urlsplit

import pytest
import requests

from softbio.data.fetching import download as downloads
from softbio.data.fetching.archives import Tar
from softbio.data.fetching.locate import fetch, locate
from softbio.data.fetching.mirrors import download
from softbio.data.registry import DatasetSpec, FileSpec
from softbio.errors import UserError
from tests import miniatures
from tests.unit.test_fetch import digest

CONTENT = bytes(range(256)) * 1000
NUMBER = "0B7EVK8r0v71pZjFTYXZWM3FlRnM"
NOWHERE = "http://127.0.0.1:9/x"


class Handler(BaseHTTPRequestHandler):
    """What lies under each path: bytes, or a list of answers (status, Retry-After) before them."""

    files: dict[str, bytes] = {}  # noqa: RUF012
    busy: list[tuple[int, str]] = []  # noqa: RUF012
    asked: list[str] = []  # noqa: RUF012

    def log_message(self, *_):
        pass

    def do_GET(self):
        parts = urlsplit(self.path)
        self.asked.append(parts.path)
        if self.busy:
            status, rest = self.busy.pop(0)
            self.send_response(status)
            if rest:
                self.send_header("Retry-After", rest)
            self.end_headers()
            return
        content, kind = self.files.get(parts.path), "application/octet-stream"
        if parts.path == "/uc" and "confirm" not in parse_qs(parts.query):
            # Google's page before a large file
            content, kind = PAGE, "text/html; charset=utf-8"
        if content is None:
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", kind)
        if kind != "text/html; charset=utf-8":
            self.send_header("Content-Disposition", 'attachment; filename="faces.zip"')
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)


PAGE = f"""<!DOCTYPE html><html><head><title>Google Drive - Virus scan warning</title></head><body>
<p class="uc-warning-caption">Google Drive can't scan this file for viruses.</p>
<form id="download-form" action="https://drive.usercontent.google.com/download" method="get">
<input type="submit" value="Download anyway"/><input type="hidden" name="id" value="{NUMBER}">
<input type="hidden" name="export" value="download"><input type="hidden" name="confirm" value="t">
</form></body></html>""".encode()


@pytest.fixture
def server(monkeypatch) -> Iterator[str]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(downloads, "PAUSE", 0.0)
    Handler.files, Handler.busy, Handler.asked = {"/good": CONTENT}, [], []
    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as served:
        Thread(target=served.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{served.server_port}"
        served.shutdown()


def fetched(raw: Path, *urls: str, checksum: str | None = None, **more: str) -> bytes:
    file = FileSpec("file.bin", urls[0], checksum, None, tuple(urls[1:]), **more)
    download(file, raw, "it", "do something")
    assert [found.name for found in raw.iterdir()] == ["file.bin"], "nothing else is left"
    return (raw / "file.bin").read_bytes()


def test_the_next_mirror_is_asked_where_one_has_nothing(tmp_path, server):
    Handler.files["/bad"] = b"another version"
    urls = [NOWHERE, f"{server}/none", f"{server}/bad", f"{server}/good", f"{server}/never"]
    assert fetched(tmp_path, *urls, checksum=digest(CONTENT)) == CONTENT
    assert Handler.asked == ["/none", "/bad", "/good"]


def test_a_name_may_have_folders_in_it(tmp_path, server):
    file = FileSpec("logs/seed0/p.log", f"{server}/good", digest(CONTENT), None)
    download(file, tmp_path, "it", "do something")
    assert (tmp_path / "logs/seed0/p.log").read_bytes() == CONTENT


def test_the_last_error_names_every_mirror_and_why(tmp_path, server):
    Handler.files["/bad"] = b"another version"
    with pytest.raises(UserError) as error:
        fetched(tmp_path, NOWHERE, f"{server}/none", f"{server}/bad", checksum=digest(CONTENT))
    text = str(error.value)
    assert "\n" not in text
    assert f"it: file.bin cannot be fetched from {NOWHERE} (no connection), nor from " in text
    assert f"{server}/none (404" in text
    assert f"{server}/bad (" in text
    assert "hash" in text
    assert text.endswith("do something")
    assert list(tmp_path.iterdir()) == []


def test_a_part_of_one_mirror_is_not_gone_on_with_from_another(tmp_path):
    one = downloads.Resuming(tmp_path, "file.bin")
    one.version.write_text('http://one/x\n"tag"')
    assert one._read_version("http://one/x") == '"tag"'
    assert one._read_version("http://two/x") == ""


def test_a_published_md5_is_checked(tmp_path, server):
    with pytest.raises(UserError, match="hash"):
        fetched(tmp_path, f"{server}/good", md5="0" * 32)
    spec = DatasetSpec("set", "A set", "utkface", (1, 9), files=(
        FileSpec("Set.tar", None, None, None, md5="0" * 32),))  # fmt: skip
    (tmp_path / "Set.tar").write_bytes(miniatures.tarball({"a.jpg": b"a"}))
    with pytest.raises(UserError, match=r"Set.tar: MD5 \w+ is not the expected 0000.*get it again"):
        locate(spec, tmp_path)


@pytest.fixture
def slept(monkeypatch) -> list[float]:
    times = []
    monkeypatch.setattr(downloads, "PAUSE", 1.0)
    monkeypatch.setattr(downloads.time, "sleep", times.append)
    return times


def test_waits_are_doubled_and_a_servers_own_come_first(tmp_path, server, slept):
    later = datetime.now(UTC) + timedelta(seconds=100)
    Handler.busy = [(503, ""), (500, "later"), (429, "7"), (429, format_datetime(later, True))]
    assert fetched(tmp_path, f"{server}/good") == CONTENT
    assert slept[:3] == [1, 2, 7]
    assert 90 < slept[3] <= 100


def test_a_server_that_wants_a_long_rest_is_left_alone(tmp_path, server, slept):
    Handler.busy = [(429, "86400")]
    assert fetched(tmp_path, f"{server}/other", f"{server}/good") == CONTENT
    assert Handler.asked == ["/other", "/good"]
    (tmp_path / "file.bin").unlink()
    Handler.busy = [(429, "86400")]
    with pytest.raises(UserError, match=r"it answers 429 and asks to wait 86,400 s"):
        fetched(tmp_path, f"{server}/good")
    assert slept == []


@pytest.fixture
def parts(tmp_path, server) -> DatasetSpec:
    """A data set that is handed out in three parts, at the second address."""
    packed = lzma.compress(miniatures.tarball({"a.jpg": b"a face" * 99, "b.jpg": b"another"}))
    (tmp_path / "web").mkdir()
    for path in miniatures.cut(packed, tmp_path / "web/Set.tar.xz"):
        Handler.files[f"/{path.name}"] = path.read_bytes()
    urls = f"{server}/gone/Set.tar.xz", (f"{server}/Set.tar.xz",)
    files = (FileSpec("Set.tar.xz", urls[0], None, None, urls[1], in_parts=True),)
    return DatasetSpec("set", "A set", "utkface", (1, 9), files=files)


def test_parts_are_fetched_until_there_are_no_more(tmp_path, parts):
    raw = tmp_path / "raw"
    sources = fetch(parts, raw)
    assert sorted(sources.open().names()) == ["a.jpg", "b.jpg"]
    assert {"Set.tar.xzaa", "Set.tar.xzab", "Set.tar.xzac"} < {path.name for path in raw.iterdir()}
    assert not (raw / "Set.tar.xz").exists()
    asked = len(Handler.asked)
    assert fetch(parts, raw) == sources
    assert len(Handler.asked) == asked, "an archive that is whole causes no traffic"


def test_a_part_that_can_not_be_had_is_told(tmp_path, parts, slept):
    Handler.files.pop("/Set.tar.xzac")
    with pytest.raises(UserError, match=r"Set.tar.xz: truncated or damaged .*ends within its xz"):
        fetch(parts, tmp_path / "raw")
    Handler.files.clear()
    with pytest.raises(UserError, match=r"'set': Set.tar.xzaa cannot be fetched .*404"):
        fetch(parts, tmp_path / "none")
    offline = replace(parts.files[0], url=NOWHERE, mirrors=())
    with pytest.raises(UserError, match=r"'set': Set.tar.xzaa cannot be fetched .*no connection"):
        fetch(replace(parts, files=(offline,)), tmp_path / "other")


def test_an_archive_is_listed_once_and_again_when_it_changed(tmp_path, parts, monkeypatch):
    raw, listed = tmp_path / "raw", []
    original = Tar._listed

    def counted(self: Tar) -> list[str]:
        listed.append(self.path.name)
        return original(self)

    monkeypatch.setattr(Tar, "_listed", counted)
    names = fetch(parts, raw).open().names()
    assert locate(parts, raw).open().names() == names
    assert len(listed) == 1
    kept = raw / ".Set.tar.xz.members.json"
    good = kept.read_text()
    for bad in (good[:-9], "[]", "null", '{"archive": 1}', good.replace('"a.jpg"', "7"),
                good.replace(good[13:60], "0" * 47)):  # fmt: skip
        kept.write_text(bad)
        assert locate(parts, raw).open().names() == names
        assert kept.read_text() == good
    assert len(listed) == 7


def test_google_drive_is_asked_by_number_alone(tmp_path, monkeypatch):
    calls = []

    class Refused(Exception):
        pass

    def fake(**settings):
        calls.append(settings)
        if len(calls) == 1:
            raise Refused("Too many users have viewed\nor downloaded this file recently")
        Path(settings["output"]).write_bytes(CONTENT)

    library = types.SimpleNamespace(download=fake, DownloadError=Refused)
    monkeypatch.setitem(sys.modules, "gdown", library)
    with pytest.raises(UserError, match=rf"gdrive:{NUMBER} \(Too many users have viewed or"):
        fetched(tmp_path, f"gdrive:{NUMBER}")
    assert fetched(tmp_path, f"gdrive:{NUMBER}") == CONTENT
    assert {(call["id"], call["use_cookies"], call["resume"]) for call in calls} == {
        (NUMBER, False, True)
    }
    for bad in ("gdrive:", "gdrive:../../x", f"gdrive:{NUMBER};ls", f"gdrive:{NUMBER}\n"):
        with pytest.raises(UserError, match="no file number of Google Drive"):
            fetched(tmp_path / "bad", bad)
    assert len(calls) == 2


def test_without_gdown_it_says_so(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "gdown", None)
    with pytest.raises(UserError, match="gdown is not installed"):
        fetched(tmp_path, f"gdrive:{NUMBER}")


class Rerouted(requests.adapters.HTTPAdapter):
    """Google's hosts are the server of this test."""

    server = ""

    def send(self, request, **settings):
        request.url = f"{self.server}{request.path_url}"
        return super().send(request, **settings)


def test_gdown_passes_googles_page_before_a_large_file(tmp_path, server, monkeypatch):
    gdown = pytest.importorskip("gdown", reason="gdown is not installed")
    session = requests.session
    Handler.files["/download"] = CONTENT

    def rerouted() -> requests.Session:
        opened = session()
        opened.mount("https://", Rerouted())
        return opened

    monkeypatch.setattr(Rerouted, "server", server)
    monkeypatch.setattr(sys.modules[gdown.download.__module__].requests, "session", rerouted)
    assert fetched(tmp_path, f"gdrive:{NUMBER}", checksum=digest(CONTENT)) == CONTENT
    assert Handler.asked == ["/uc", "/download"]


def test_an_archive_that_was_packed_anew_is_not_fetched(tmp_path, server):
    files = (FileSpec("Set.tar.gz", f"{server}/good", None, None),)
    spec = DatasetSpec("set", "A set", "utkface", (1, 9), files=files)
    (tmp_path / "Set.tar").write_bytes(miniatures.tarball({"a.jpg": b"a"}))
    assert fetch(spec, tmp_path).images == tmp_path / "Set.tar"
    assert Handler.asked == []
