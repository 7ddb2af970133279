"""Files from the user's disk, from raw/, from the network: in this order, and checked."""

import hashlib
import os
import threading
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from softbio.data.fetching.locate import RECEIPT, fetch, locate, own_files
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
    with pytest.raises(UserError, match=r"list.csv cannot be fetched .*no connection.*source"):
        fetch(make_spec(), with_archive(tmp_path / "raw"))
    assert [path.name for path in (tmp_path / "raw").iterdir()] == ["Set.tar.gz"]


def test_nothing_is_downloaded_for_a_run_that_can_not_go_on(tmp_path, served):
    with pytest.raises(UserError, match=r"Set.tar.gz is not there"):
        fetch(make_spec(served), tmp_path / "raw")
    assert Handler.asked == []


def test_a_file_that_is_gone_from_the_web(tmp_path, served):
    (tmp_path / "web/list.csv").unlink()
    with pytest.raises(UserError, match=r"list.csv cannot be fetched .*404"):
        fetch(make_spec(served), with_archive(tmp_path / "raw"))


def test_a_download_of_the_wrong_checksum_is_not_kept(tmp_path, served):
    (tmp_path / "web/list.csv").write_bytes(b"something else")
    with pytest.raises(UserError, match=r"list.csv cannot be fetched .*hash"):
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
    with pytest.raises(UserError, match=r"closed: cannot be read; change its permissions"):
        fetch(make_spec(source=tmp_path / "closed"), tmp_path / "raw")
