"""Archives in parts and in xz: read as one stream in bounded memory, or refused."""

import io
import lzma
import os
import tarfile
import tracemalloc
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from softbio.data.fetching import archives, streams
from softbio.data.fetching.archives import Several, open_images
from softbio.data.fetching.locate import fetch
from softbio.data.fetching.streams import Xz, parts_of, unpacked
from softbio.data.file_names import match
from softbio.data.packing.pictures import decode
from softbio.data.prepare import prepare
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from tests import miniatures

# bytes that do not compress, so that the parts hold different things
FILES = {
    f"faces/{number}.jpg": np.random.default_rng(number).bytes(700 + 97 * number)
    for number in range(12)
}


def packed(files: dict[str, bytes] = FILES) -> bytes:
    return lzma.compress(miniatures.tarball(files))


def read_all(path: Path) -> dict[str, bytes]:
    source = open_images(path)
    return dict(source.read(source.names()))


@pytest.mark.parametrize("parts", [1, 2, 3, 8, 30])  # 30: from "aa" to "bd"
@pytest.mark.parametrize("suffix", [".tar", ".tar.xz"])
def test_parts_hold_what_the_whole_holds(tmp_path, parts, suffix):
    content = miniatures.tarball(FILES) if suffix == ".tar" else packed()
    paths = miniatures.cut(content, tmp_path / f"x{suffix}", parts)
    assert read_all(tmp_path / f"x{suffix}") == FILES
    assert read_all(paths[-1]) == FILES
    assert list(tmp_path.iterdir()) != [tmp_path / f"x{suffix}"]
    assert not (tmp_path / f"x{suffix}").exists(), "the joined file is never written"


@pytest.mark.parametrize("missing", range(4))
def test_a_missing_part_is_named_or_the_end_is_missed(tmp_path, missing):
    paths = miniatures.cut(packed(), tmp_path / "x.tar.xz", 4)
    paths[missing].unlink()
    if missing < 3:
        letter = "abcd"[missing]
        wanted = rf"x.tar.xza{letter}: this part of the archive is missing, 3 are there"
    else:
        wanted = r"x.tar.xz: truncated or damaged \(it ends within its xz stream\)"
    with pytest.raises(UserError, match=wanted):
        open_images(tmp_path / "x.tar.xz").names()


def test_a_missing_part_behind_az_is_named(tmp_path):
    paths = miniatures.cut(packed(), tmp_path / "x.tar.xz", 30)
    paths[26].unlink()
    with pytest.raises(UserError, match=r"x.tar.xzba: this part .* is missing, 29 are there"):
        open_images(tmp_path / "x.tar.xz").names()


@pytest.mark.parametrize("short", range(4))
@pytest.mark.parametrize("left", [0, 1, 100])
def test_a_truncated_part_is_named(tmp_path, short, left):
    paths = miniatures.cut(packed(), tmp_path / "x.tar.xz", 4)
    paths[short].write_bytes(paths[short].read_bytes()[:left])
    # the last may be shorter than the others: that it ends too early is found by unpacking
    named = short < 3 or left == 0
    wanted = (
        rf"x.tar.xza{'abcd'[short]}: has .* get this part again"
        if named
        else "truncated or damaged"
    )
    with pytest.raises(UserError, match=wanted):
        open_images(tmp_path / "x.tar.xz").names()


@pytest.mark.parametrize("swapped", [(0, 1), (1, 2), (0, 2)])
def test_parts_in_another_order_are_refused(tmp_path, swapped):
    content = packed()
    paths = miniatures.cut(content[: len(content) // 4 * 4], tmp_path / "x.tar.xz", 4)
    paths[3].write_bytes(paths[3].read_bytes() + content[len(content) // 4 * 4 :])
    one, two = (paths[i].read_bytes() for i in swapped)
    paths[swapped[0]].write_bytes(two)
    paths[swapped[1]].write_bytes(one)
    with pytest.raises(UserError, match=r"truncated or damaged|get this part again"):
        read_all(tmp_path / "x.tar.xz")


def test_other_files_beside_the_parts_are_no_parts(tmp_path):
    miniatures.cut(packed(), tmp_path / "x.tar.xz")
    for name in ("x.tar.xz.md5", "restore.sh", "x.tar.xzaa.part", "y.tar.xzab"):
        (tmp_path / name).write_text("no part")
    assert [path.name for path in parts_of(tmp_path / "x.tar.xz")] == [
        f"x.tar.xza{letter}" for letter in "abc"
    ]
    assert parts_of(tmp_path / "none.tar.xz") == parts_of(tmp_path / "nowhere/x.tar") == []


def test_a_name_that_leaves_its_folder_in_xz(tmp_path):
    path = tmp_path / "x.tar.xz"
    path.write_bytes(packed({"faces/a.jpg": b"a", "faces/../../x.jpg": b"x"}))
    with pytest.raises(UserError, match=r"'faces/../../x.jpg' leaves the archive's folder"):
        open_images(path).names()


@pytest.mark.parametrize("kind", [tarfile.REGTYPE, tarfile.XHDTYPE, tarfile.GNUTYPE_LONGNAME])
def test_a_header_that_claims_10_gb_is_refused_without_the_memory(tmp_path, kind):
    info = tarfile.TarInfo("faces/a.jpg")
    info.size, info.type = 10 * 10**9, kind
    path = tmp_path / "x.tar.xz"
    path.write_bytes(lzma.compress(info.tobuf(tarfile.GNU_FORMAT) + bytes(4096)))
    tracemalloc.start()
    with pytest.raises(UserError, match=r"10,000,000,000 bytes|a header asks for 10,000,"):
        open_images(path).names()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 20 * 2**20


def test_an_xz_bomb_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(archives, "FREE", 2**20)
    path = tmp_path / "x.tar.xz"
    path.write_bytes(packed({"bomb.bmp": bytes(8 * 2**20)}))
    with pytest.raises(UserError, match="far more than photographs"):
        read_all(path)


def test_an_archive_is_unpacked_to_be_listed_once_and_once_a_size(tmp_path, monkeypatch):
    miniatures.afad(tmp_path / "afad")
    spec, begun = miniatures.spec("afad", tmp_path / "afad"), []

    def counted(path: Path):
        begun.append(path.name)
        return unpacked(path)

    monkeypatch.setattr(archives, "unpacked", counted)
    for step, passes in ((fetch, 1), (pack(16), 2), (pack(24), 3)):
        # what is remembered within a process is not what spares a pass
        archives._names.cache_clear()
        step(spec, tmp_path / "raw")
        assert begun == ["AFAD-Full.tar.xz"] * passes


def pack(size: int) -> Callable[[DatasetSpec, Path], None]:
    return lambda spec, raw: prepare(spec, size, raw.parent / str(size), raw)


def test_an_xz_stream_that_wants_much_memory_to_unpack_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "x.tar.xz"
    path.write_bytes(packed())
    monkeypatch.setattr(streams, "XZ_MEMORY", 2**20)  # its dictionary has 8 MiB
    with pytest.raises(UserError, match=r"truncated or damaged \(Memory usage limit"):
        open_images(path).names()


@pytest.mark.parametrize("tail", [b"x", packed({"faces/more.jpg": b"x"})])
def test_what_follows_behind_an_xz_stream_is_refused(tmp_path, tail):
    path = tmp_path / "x.tar.xz"
    path.write_bytes(packed() + tail)
    with pytest.raises(UserError, match="more follows after the end"):
        open_images(path).names()


def test_zeros_behind_an_xz_stream_are_its_padding(tmp_path):
    path = tmp_path / "x.tar.xz"
    path.write_bytes(packed() + bytes(512))
    assert read_all(path) == FILES


@given(damage=st.lists(st.tuples(st.floats(0, 1), st.integers(0, 255)), min_size=1, max_size=6))
@settings(max_examples=100, deadline=None)
def test_damaged_parts_are_read_or_refused_but_never_crash(tmp_path_factory, damage):
    path = tmp_path_factory.mktemp("damaged") / "x.tar.xz"
    content = bytearray(packed())
    for place, value in damage:
        content[int(place * (len(content) - 1))] = value
    miniatures.cut(bytes(content), path)
    with suppress(UserError):
        # xz carries checksums: what is read at all is what was packed
        assert read_all(path) == FILES


def test_memory_does_not_grow_with_the_archive(tmp_path):
    peaks = []
    for number in (4, 64):
        content = {f"{i}.jpg": np.random.default_rng(i).bytes(2**18) for i in range(number)}
        path = tmp_path / f"{number}.tar.xz"
        miniatures.cut(lzma.compress(miniatures.tarball(content), preset=0), path, 4)
        source = open_images(path)
        tracemalloc.start()
        assert sum(len(data) for _, data in source.read(content)) == number * 2**18
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + 2 * 2**20


def test_small_reads_of_xz_give_the_same_bytes():
    content = os.urandom(5000) + bytes(5000)
    stream = Xz(io.BytesIO(lzma.compress(content)))
    assert b"".join(iter(lambda: stream.read(7), b"")) == content


def test_several_archives_are_one_source_but_no_name_stands_in_two(tmp_path):
    names = list(FILES)
    for number, part in enumerate((names[:5], names[5:])):
        data = miniatures.tarball({name: FILES[name] for name in part})
        (tmp_path / f"{number}.tar").write_bytes(data)
    source = Several([open_images(tmp_path / "0.tar"), open_images(tmp_path / "1.tar")])
    assert source.names() == names
    assert dict(source.read(names[3:7])) == {name: FILES[name] for name in names[3:7]}
    with pytest.raises(UserError, match=r"'faces/0.jpg' is in there twice"):
        Several([open_images(tmp_path / "0.tar")] * 2).names()


def test_a_name_in_no_known_encoding_is_no_listed_image_and_no_crash(tmp_path):
    path = tmp_path / "x.tar"
    path.write_bytes(miniatures.tarball({"faces/\udcff\udcfe.jpg": b"x", "faces/a.jpg": b"y"}))
    assert match(["a.jpg", "é.jpg"], open_images(path)) == {"faces/a.jpg": "a.jpg"}
    # as an error, it can be printed
    twice = miniatures.tarball({"a/\udcff.jpg": b"x", "b/\udcff.jpg": b"y"})
    path.write_bytes(twice)
    with pytest.raises(UserError, match="could both be") as error:
        match(["ÿ.jpg"], open_images(path))
    str(error.value).encode()


def test_cmyk_grey_and_turned_images_out_of_an_archive(tmp_path):
    face = Image.open(io.BytesIO(miniatures.drawn(3)[0])).crop((0, 0, 64, 40))
    turn = Image.Exif()
    turn[0x0112] = 6
    files = {
        "cmyk.jpg": miniatures.jpeg(face.convert("CMYK")),
        "grey.jpg": miniatures.jpeg(face.convert("L")),
        "turned.jpg": miniatures.jpeg(face, exif=turn),
    }
    miniatures.cut(lzma.compress(miniatures.tarball(files)), tmp_path / "x.tar.xz")
    decoded = {name: decode(data) for name, data in read_all(tmp_path / "x.tar.xz").items()}
    for name, data in files.items():
        assert (decoded[name] == np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))).all()
        assert decoded[name].shape == (40, 64, 3)
    assert (decoded["grey.jpg"][..., 0] == decoded["grey.jpg"][..., 2]).all()
    difference = abs(decoded["turned.jpg"].astype(int) - np.asarray(face))
    assert difference.mean() < 5, "EXIF's orientation is not applied, as published"
