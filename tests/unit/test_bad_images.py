"""Bad images in good archives, through each data set's reader: read as Pillow does, or listed."""

import io
import struct
import tracemalloc
import zipfile
import zlib
from dataclasses import replace
from functools import lru_cache
from itertools import cycle, islice
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from softbio.data.fetching.archives import open_images
from softbio.data.packed import load_packed
from softbio.data.packing.pictures import decode
from softbio.data.prepare import prepare
from softbio.data.registry import Preparation
from softbio.errors import UserError
from tests import miniatures
from tests.layouts import SIZE, aligned_of, check_originals, check_pixels

DRAWN = miniatures.drawn
# 10.8 GB of pixels
WIDE = 60_000


def claiming_png() -> bytes:
    """A PNG of some bytes whose header tells of 60,000 x 60,000 pixels."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        checksum = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + checksum

    header = struct.pack(">IIBBBBB", WIDE, WIDE, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(1000))
    parts = chunk(b"IHDR", header), chunk(b"IDAT", pixels), chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def claiming_jpeg() -> bytes:
    """A JPEG of some hundred bytes whose header tells of as many."""
    content = bytearray(DRAWN(2)[0])
    frame = next(content.index(mark) for mark in (b"\xff\xc0", b"\xff\xc2") if mark in content)
    content[frame + 5 : frame + 9] = struct.pack(">HH", WIDE, WIDE)
    return bytes(content)


@lru_cache
def kinds() -> dict[str, tuple[bytes, str | None]]:
    """Each kind of image, and what its rejection tells; None where it is read."""
    whole = DRAWN(3)
    face = Image.open(io.BytesIO(whole[0])).convert("RGB")
    turn = Image.Exif()
    turn[0x0112] = 6
    return {
        "plain": (whole[2], None),
        "text": (b"<html>404 Not Found</html>", "no image of a kind that is read"),
        "cmyk": (miniatures.jpeg(face.convert("CMYK")), None),
        "claims": (claiming_png(), "3600000000 pixels"),
        "grey": (miniatures.jpeg(face.convert("L")), None),
        "cut": (whole[0][: len(whole[0]) // 2], "truncated"),
        "turned": (miniatures.jpeg(face.crop((0, 0, 64, 48)), exif=turn), None),
        "empty": (b"", "no image of a kind that is read"),
        "program": (b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n", "kind that is read"),
        "claims too": (claiming_jpeg(), "3600000000 pixels"),
    }


def several(number: int) -> list[bytes]:
    return list(islice(cycle(content for content, _ in kinds().values()), number))


@pytest.mark.parametrize("name", ["utkface", "afad", "cacd", "morph2", "celeba", "lfw", "muct"])
def test_bad_images_are_read_as_pillow_does_or_are_listed(tmp_path, monkeypatch, name):
    monkeypatch.setattr(miniatures, "drawn", several)
    images = getattr(miniatures, name)(tmp_path / "in")
    if name == "cacd":
        (tmp_path / "in/CACD2000.tar").write_bytes(miniatures.tarball(images))
    spec = miniatures.spec(name, tmp_path / "in")
    spec = replace(spec, prepare=Preparation(max_rejected=1))
    reasons = dict(kinds().values())
    good = {image: content for image, content in images.items() if reasons[content] is None}
    out = tmp_path / "out"
    if spec.ages:
        prepare(spec, SIZE, out, out / "raw")
        check_pixels(load_packed(out), good)
    else:
        check_originals(aligned_of(spec, out)[1], good)
    rejected = pd.read_csv(out / "rejected.csv").set_index("image")["reason"]
    assert sorted(rejected.index) == sorted(images.keys() - good.keys())
    assert len(rejected) >= 2
    for image, told in rejected.items():
        assert reasons[images[image]] in told, image


@pytest.mark.parametrize("made", [claiming_png, claiming_jpeg])
def test_an_image_that_claims_10_gb_costs_no_memory(made):
    content = made()
    assert len(content) < 10_000
    tracemalloc.start()
    with pytest.raises(ValueError, match="3600000000 pixels"):
        decode(content)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 2**20


@pytest.mark.parametrize("told", [10 * 10**9, 10])
def test_a_zip_whose_directory_lies_about_a_size_is_refused(tmp_path, told):
    path = tmp_path / "x.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("faces/a.jpg", DRAWN(2)[0])
        archive.filelist[0].file_size = told
    wanted = r"has 10,000,000,000 bytes, above the limit" if told > 10 else "truncated or damaged"
    with pytest.raises(UserError, match=wanted):
        source = open_images(path)
        dict(source.read(source.names()))


def leaving(folder: Path, kind: str) -> Path:
    """The archive of a miniature with a file in it that leaves its folder."""
    images = {f"UTKFace/{name}": b"x" for name in miniatures.UTKFACE}
    images["UTKFace/../../evil.jpg"] = b"x"
    path = folder / f"UTKFace{kind}"
    if kind == ".tar":
        path.write_bytes(miniatures.tarball(images))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            for name, content in images.items():
                archive.writestr(name, content)
    return path


@pytest.mark.parametrize("kind", [".tar", ".zip"])
def test_an_archive_with_a_file_that_leaves_it_stops_the_packing(tmp_path, kind):
    folder = tmp_path / "deep/down/in"
    folder.parent.mkdir(parents=True)
    miniatures.utkface(folder)
    (folder / "UTKFace.tar.gz").unlink()
    path = leaving(folder, kind)
    spec = miniatures.spec("utkface", folder)
    with pytest.raises(UserError, match=r"leaves the archive's folder.*authors again") as error:
        prepare(spec, SIZE, tmp_path / "out", tmp_path / "raw")
    assert str(path) in str(error.value)
    assert not list(tmp_path.rglob("evil.jpg"))
    assert not list(tmp_path.glob("out/*"))


def test_a_turned_image_is_packed_as_it_is_stored():
    content = kinds()["turned"][0]
    assert Image.open(io.BytesIO(content)).getexif()[0x0112] == 6
    assert decode(content).shape == (48, 64, 3)
    assert (decode(content) == np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))).all()
