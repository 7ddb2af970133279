"""Archives are hostile until checked."""

import gzip
import io
import os
import tarfile
import zipfile
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from softbio.data.fetching import archives
from softbio.data.fetching.archives import open_images
from softbio.data.fetching.members import safe_name
from softbio.data.file_names import match
from softbio.errors import UserError

FILES = {"faces/b.jpg": b"B" * 700, "faces/a.jpg": b"A" * 512, "faces/deep/c.jpg": b""}


def pack_tar(path: Path, members: list[tarfile.TarInfo | str], mode: str = "w") -> Path:
    with tarfile.open(path, mode) as archive:
        for member in members:
            info = tarfile.TarInfo(member) if isinstance(member, str) else member
            content = FILES.get(info.name, b"x") if info.isreg() else b""
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def pack_zip(path: Path, members: list[zipfile.ZipInfo | str]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member in members:
            name = member if isinstance(member, str) else member.filename
            archive.writestr(member, FILES.get(name, b"x"))
    return path


def pack_folder(path: Path) -> Path:
    for name, content in FILES.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(content)
    return path


def read_all(path: Path) -> dict[str, bytes]:
    source = open_images(path)
    return dict(source.read(source.names()))


def link(name: str, kind: bytes) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, "/etc/passwd"
    return info


@pytest.mark.parametrize("suffix", ["", ".tar", ".tar.gz", ".tgz", ".zip"])
def test_every_kind_of_source_holds_the_same_files(tmp_path, suffix):
    path = tmp_path / f"source{suffix}"
    if suffix == "":
        pack_folder(path)
    elif suffix == ".zip":
        pack_zip(path, list(FILES))
    else:
        pack_tar(path, list(FILES), "w" if suffix == ".tar" else "w:gz")
    source = open_images(path)
    assert sorted(source.names()) == sorted(FILES)
    assert read_all(path) == FILES
    assert dict(source.read({"faces/a.jpg"})) == {"faces/a.jpg": FILES["faces/a.jpg"]}


def test_stored_order_is_kept(tmp_path):
    assert open_images(pack_tar(tmp_path / "a.tar", list(FILES))).names() == list(FILES)


def test_a_tar_of_the_current_folder_is_read(tmp_path):
    folder = pack_folder(tmp_path / "in")
    with tarfile.open(tmp_path / "dot.tar", "w") as archive:
        archive.add(folder, arcname=".")
    assert sorted(open_images(tmp_path / "dot.tar").names()) == sorted(FILES)


HOSTILE = [
    "/etc/passwd",
    "../x.jpg",
    "a/../../x.jpg",
    "C:/x.jpg",
    "c:x.jpg",
    "a\\..\\x.jpg",
    "a\nb",
]


@pytest.mark.parametrize("name", HOSTILE)
@pytest.mark.parametrize("pack", [pack_tar, pack_zip])
def test_a_name_that_leaves_its_folder_is_refused(tmp_path, name, pack):
    path = pack(tmp_path / ("x.tar" if pack is pack_tar else "x.zip"), ["faces/a.jpg", name])
    with pytest.raises(UserError, match="authors again") as error:
        open_images(path).names()
    assert str(path) in str(error.value)
    assert repr(name) in str(error.value)


def test_a_zip_name_is_judged_beyond_its_first_nul(tmp_path):
    path = pack_zip(tmp_path / "x.zip", ["ok.jpg#.exe"])
    path.write_bytes(path.read_bytes().replace(b"ok.jpg#", b"ok.jpg\0"))
    with pytest.raises(UserError, match="control character"):
        open_images(path).names()


@given(st.text(alphabet="ab./\\:C\0\n~ é", max_size=12))
@settings(max_examples=300)
def test_a_safe_name_stays_below_its_folder(name):
    try:
        plain = safe_name(name)
    except ValueError:
        return
    root = Path("/somewhere/archive")
    joined = Path(os.path.normpath(root / plain))
    assert joined == root or root in joined.parents
    assert safe_name(plain) == plain


@pytest.mark.parametrize("suffix", [".tar", ".zip"])
@given(
    name=st.lists(st.sampled_from(["..", ".", "/", "a", "\\", "C:", "é"]), min_size=1, max_size=6)
)
@settings(max_examples=100, deadline=None)
def test_a_member_is_below_its_folder_or_refused(tmp_path_factory, suffix, name):
    name = "".join(name) + ".jpg"
    path = tmp_path_factory.mktemp("hostile") / f"x{suffix}"
    _ = pack_tar(path, [name]) if suffix == ".tar" else pack_zip(path, [name])
    parts = name.split("/")
    drive = any(part.startswith("C:") for part in parts)
    hostile = name[0] == "/" or "\\" in name or drive or ".." in parts
    if hostile:
        with pytest.raises(UserError, match="authors again"):
            open_images(path).names()
    else:
        assert open_images(path).names() == [os.path.normpath(name)]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE,
                                  tarfile.BLKTYPE, tarfile.FIFOTYPE])  # fmt: skip
def test_links_and_devices_in_a_tar_are_refused(tmp_path, kind):
    path = pack_tar(tmp_path / "x.tar", ["faces/a.jpg", link("faces/evil.jpg", kind)])
    with pytest.raises(UserError, match=r"'faces/evil.jpg' is a link or a device"):
        open_images(path).names()


def test_a_link_in_a_zip_is_refused(tmp_path):
    info = zipfile.ZipInfo("evil.jpg")
    info.external_attr = 0o120777 << 16
    with pytest.raises(UserError, match=r"'evil.jpg' is a link or a device"):
        open_images(pack_zip(tmp_path / "x.zip", [info])).names()


def test_a_link_out_of_a_folder_is_refused_and_one_within_is_followed(tmp_path):
    folder = pack_folder(tmp_path / "in")
    (folder / "within.jpg").symlink_to(folder / "faces/a.jpg")
    assert read_all(folder)["within.jpg"] == FILES["faces/a.jpg"]
    (tmp_path / "secret").write_text("secret")
    (folder / "out.jpg").symlink_to(tmp_path / "secret")
    with pytest.raises(UserError, match=r"'out.jpg' is a link that leaves"):
        open_images(folder).names()
    (folder / "out.jpg").unlink()
    (folder / "up").symlink_to(tmp_path)
    with pytest.raises(UserError, match="'up' is a link that leaves"):
        open_images(folder).names()


def test_a_pipe_in_a_folder_is_refused(tmp_path):
    os.mkfifo(pack_folder(tmp_path / "in") / "pipe.jpg")
    with pytest.raises(UserError, match=r"'pipe.jpg' is a broken link, a pipe"):
        open_images(tmp_path / "in").names()


def test_links_that_lead_in_a_circle_are_refused(tmp_path):
    folder = pack_folder(tmp_path / "in")
    (folder / "one.jpg").symlink_to(folder / "two.jpg")
    (folder / "two.jpg").symlink_to(folder / "one.jpg")
    with pytest.raises(UserError, match=r"'(one|two).jpg' is a broken link.*out of the folder$"):
        open_images(folder).names()


@pytest.mark.filterwarnings("ignore:Duplicate name")
@pytest.mark.parametrize("pack", [pack_tar, pack_zip])
def test_a_name_that_stands_twice_is_refused(tmp_path, pack):
    names = ["faces/a.jpg", "faces/./a.jpg"]
    path = pack(tmp_path / ("x.tar" if pack is pack_tar else "x.zip"), names)
    with pytest.raises(UserError, match="twice"):
        open_images(path).names()


@pytest.mark.parametrize("suffix", [".tar", ".zip", ""])
def test_a_large_member_is_refused(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(archives, "MAX_MEMBER", 600)
    path = tmp_path / f"x{suffix}"
    if suffix:
        (pack_zip if suffix == ".zip" else pack_tar)(path, list(FILES))
    else:
        pack_folder(path)
    with pytest.raises(UserError, match=r"'faces/b.jpg' has 700 bytes|asks for"):
        open_images(path).names()


@pytest.mark.parametrize("suffix", [".tar.gz", ".zip"])
def test_a_decompression_bomb_is_refused(tmp_path, monkeypatch, suffix):
    monkeypatch.setattr(archives, "FREE", 2**20)
    monkeypatch.setitem(FILES, "bomb.bmp", bytes(8 * 2**20))
    path = tmp_path / f"x{suffix}"
    _ = pack_zip(path, ["bomb.bmp"]) if suffix == ".zip" else pack_tar(path, ["bomb.bmp"], "w:gz")
    with pytest.raises(UserError, match="far more than photographs"):
        read_all(path)


def test_a_header_that_lies_about_its_size_is_refused(tmp_path):
    path = pack_tar(tmp_path / "x.tar", list(FILES))
    info = tarfile.TarInfo("x")
    info.size = -1024
    with tarfile.open(path, "w") as archive:
        archive.fileobj.write(info.tobuf(tarfile.GNU_FORMAT))
        archive.offset += 512
    with pytest.raises(UserError, match="truncated or damaged"):
        open_images(path).names()


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".zip"])
@pytest.mark.parametrize("share", [0.0, 0.02, 0.3, 0.6, 0.9])
def test_a_truncated_archive_is_refused(tmp_path, suffix, share):
    path = tmp_path / f"x{suffix}"
    names = [*FILES, *(f"more/{i}.jpg" for i in range(20))]
    if suffix == ".zip":
        pack_zip(path, names)
    else:
        pack_tar(path, names, "w" if suffix == ".tar" else "w:gz")
    content = path.read_bytes()
    if suffix == ".tar":  # without the zeros at the end, and cut where a member ends too
        content = content[: 24 * 1024]
    for cut in {int(share * len(content)), int(share * len(content)) // 512 * 512}:
        path.write_bytes(content[:cut])
        with pytest.raises(UserError, match="truncated or damaged"):
            open_images(path).names()


def test_a_damaged_gzip_is_refused_by_its_checksum(tmp_path):
    path = pack_tar(tmp_path / "x.tgz", list(FILES), "w:gz")
    content = bytearray(path.read_bytes())
    content[-8] ^= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match="truncated or damaged"):
        open_images(path).names()


def test_an_encrypted_zip_is_refused(tmp_path):
    path = pack_zip(tmp_path / "x.zip", ["faces/a.jpg"])
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"'faces/a.jpg' is encrypted"):
        open_images(path).names()


def test_a_missing_source_and_a_foreign_kind(tmp_path):
    with pytest.raises(UserError, match="no such folder or archive"):
        open_images(tmp_path / "none.tar")
    (tmp_path / "x.rar").write_bytes(b"Rar!")
    with pytest.raises(UserError, match="neither a folder nor one of"):
        open_images(tmp_path / "x.rar")


@pytest.mark.parametrize("suffix", [".tar", ".tar.gz", ".zip"])
@given(damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=150, deadline=None)
def test_a_damaged_archive_is_read_or_refused_but_never_crashes(tmp_path_factory, suffix, damage):
    path = tmp_path_factory.mktemp("damaged") / f"x{suffix}"
    if suffix == ".zip":
        pack_zip(path, list(FILES))
    else:
        pack_tar(path, list(FILES), "w")
    content = bytearray(path.read_bytes()[:6144])
    for place, value in damage:
        content[int(place * (len(content) - 1))] = value
    path.write_bytes(gzip.compress(content) if suffix == ".tar.gz" else content)
    with suppress(UserError):
        read_all(path)


def test_an_image_is_found_at_any_depth_but_only_once(tmp_path):
    source = open_images(pack_tar(tmp_path / "x.tar", list(FILES)))
    assert match(["a.jpg", "deep/c.jpg", "none.jpg"], source) == {
        "faces/a.jpg": "a.jpg",
        "faces/deep/c.jpg": "deep/c.jpg",
    }
    twice = open_images(pack_tar(tmp_path / "y.tar", ["x/a.jpg", "y/a.jpg"]))
    with pytest.raises(UserError, match=r"'x/a.jpg' and 'y/a.jpg' could both be 'a.jpg'"):
        match(["a.jpg"], twice)
