"""Downloads that no checksum speaks for: none is patched together, none that is broken stays."""

import sys
import types
from pathlib import Path

import pytest

from softbio.data.fetching import download as downloads
from softbio.data.fetching.locate import fetch
from softbio.data.registry import DatasetSpec, FileSpec
from softbio.errors import UserError
from tests import miniatures
from tests.unit.test_broken_downloads import BIG, Rough, fetched, rough
from tests.unit.test_mirrors import CONTENT, NUMBER, Handler, parts, server
from tests.unit.test_mirrors import fetched as from_mirrors

__all__ = ["parts", "rough", "server"]  # fixtures

GOOD = miniatures.tarball({"a.jpg": b"a face"})
# what a server may send in place of a file, and call it a success
PAGE = b"<html>too many people asked for it today</html>"
OTHER = "1hYIZadxcPG27Fo7mQln0Ey7uqw1DoBvM"


def spec_of(*files: FileSpec) -> DatasetSpec:
    return DatasetSpec("set", "A set", "utkface", (1, 9), files=files)


@pytest.mark.parametrize("name", ["Set.tar.gz", "Set.zip"])
@pytest.mark.parametrize("sent", [PAGE, GOOD[:700]])
def test_a_damaged_archive_is_set_aside_and_asked_for_again(tmp_path, server, name, sent):
    good = spec_of(FileSpec("Set.tar.gz", f"{server}/set", None, None))
    spec = spec_of(FileSpec(name, f"{server}/set", None, None))
    Handler.files["/set"] = sent
    for _ in range(2):
        with pytest.raises(
            UserError, match=rf"{name}: truncated .*is kept as {name}.rejected, and"
        ):
            fetch(spec, tmp_path)
        assert [path.name for path in tmp_path.glob("[!.]*")] == [f"{name}.rejected"]
    assert Handler.asked == ["/set", "/set"]
    Handler.files["/set"] = GOOD
    assert fetch(good, tmp_path).open().names() == ["a.jpg"]


def test_of_several_archives_the_damaged_one_is_set_aside(tmp_path, server):
    names = ("One.tar", "Two.tar")
    spec = spec_of(*(FileSpec(name, f"{server}/{name}", None, None) for name in names))
    Handler.files |= {"/One.tar": GOOD, "/Two.tar": PAGE}
    with pytest.raises(UserError, match=r"Two.tar.rejected, and the next"):
        fetch(spec, tmp_path)
    assert sorted(path.name for path in tmp_path.glob("[!.]*")) == ["One.tar", "Two.tar.rejected"]
    Handler.files["/Two.tar"] = miniatures.tarball({"b.jpg": b"another"})
    assert fetch(spec, tmp_path).open().names() == ["a.jpg", "b.jpg"]
    assert Handler.asked == ["/One.tar", "/Two.tar", "/Two.tar"]


def test_a_page_in_place_of_a_part(tmp_path, parts):
    """It is shorter than the others, which is told before the archive is listed."""
    raw, good = tmp_path / "raw", Handler.files["/Set.tar.xzab"]
    Handler.files["/Set.tar.xzab"] = b"<html>"
    with pytest.raises(UserError, match=r"Set.tar.xzab.rejected.* fetches it again"):
        fetch(parts, raw)
    Handler.files["/Set.tar.xzab"] = good
    assert fetch(parts, raw).open().names() == ["a.jpg", "b.jpg"]


def test_what_the_user_put_there_is_never_moved(tmp_path, server, parts):
    """Of a damaged archive only what came in this call."""
    (tmp_path / "Set.tar.gz").write_bytes(PAGE)
    with pytest.raises(UserError, match="truncated or damaged") as error:
        fetch(spec_of(FileSpec("Set.tar.gz", f"{server}/set", None, None)), tmp_path)
    assert "rejected" not in str(error.value)
    raw = tmp_path / "raw"
    raw.mkdir()
    (raw / "Set.tar.xzaa").write_bytes(b"x" * len(Handler.files["/Set.tar.xzaa"]))
    with pytest.raises(UserError, match=r"kept as Set.tar.xzab.rejected, Set.tar.xzac.rejected"):
        fetch(parts, raw)
    assert (raw / "Set.tar.xzaa").exists()


def test_killed_before_the_first_byte_of_another_version(tmp_path, rough, monkeypatch):
    """What is here must never stand beside the name of a version that it is not of."""
    Rough.faults = ["cut"] * 5
    with pytest.raises(UserError):
        fetched(rough, tmp_path)
    Rough.content, Rough.tag = BIG[::-1], '"two"'

    def killed(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(downloads.Resuming, "_receive", killed)
        with pytest.raises(KeyboardInterrupt):
            fetched(rough, tmp_path)
    assert fetched(rough, tmp_path) == BIG[::-1]


def test_a_part_from_google_drive_is_not_gone_on_with_from_its_mirror(tmp_path, monkeypatch):
    class Refused(Exception):
        pass

    def fake(**settings):
        """As gdown goes on: with whatever is there, by its size."""
        part, whole = Path(settings["output"] + "x1y2"), CONTENT
        if settings["id"] == NUMBER:
            part.write_bytes(b"another version" * 9)
            raise Refused("cut")
        with open(part, "ab") as file:
            file.write(whole[file.tell() :])
        part.replace(settings["output"])

    library = types.SimpleNamespace(download=fake, DownloadError=Refused)
    monkeypatch.setitem(sys.modules, "gdown", library)
    assert from_mirrors(tmp_path, f"gdrive:{NUMBER}", f"gdrive:{OTHER}") == CONTENT
