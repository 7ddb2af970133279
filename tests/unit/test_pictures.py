"""Decoding: upright where asked, of 8 bits alone; in order, with a bounded number in memory."""

import io

import cv2
import numpy as np
import pytest
from PIL import Image

from softbio.data.alignment.points import find_points
from softbio.data.packing.pictures import BATCH, BATCH_BYTES, Picture, decode, pictures
from tests.layouts import SIZE, Shown, aligned_of, packed_of
from tests.unit.test_prepare import own_faces


def job(content: bytes, size: int) -> Picture:
    return Picture(None, reason=f"{content[:9].decode()} at {size}")


@pytest.mark.parametrize("workers", [1, 3])
@pytest.mark.parametrize(("length", "a_batch"), [(9, BATCH), (BATCH_BYTES // 4, 5)])
def test_in_order_and_a_bounded_number_at_a_time(workers, length, a_batch):
    read, most, given = [], 0, 0
    block = bytes(length - 9)

    def tasks():
        for row in range(12 * a_batch + 1):
            read.append(row)
            yield row, f"{row:09d}".encode() + block

    for row, picture in pictures(tasks(), job, 7, workers):
        most = max(most, len(read) - given)
        assert (row, picture.reason) == (given, f"{given:09d} at 7")
        given += 1
    assert given == len(read) == 12 * a_batch + 1
    assert most <= (2 * workers + 2) * a_batch


def test_an_error_of_the_archive_comes_through_and_ends_it():
    def tasks():
        yield 0, b"000000000"
        raise OSError("cut")

    with pytest.raises(OSError, match="cut"):
        list(pictures(tasks(), job, 7, 2))


def blotches(seed: int) -> np.ndarray:
    """A smooth image of 90 x 60 px with no symmetry."""
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 9, 3), np.uint8)
    return cv2.resize(coarse, (90, 60), interpolation=cv2.INTER_CUBIC)


def turned(orientation: int, kind: str = "JPEG", seed: int = 0) -> bytes:
    exif, content = Image.Exif(), io.BytesIO()
    exif[0x0112] = orientation
    Image.fromarray(blotches(seed)).save(content, kind, exif=exif)
    return content.getvalue()


def opencv(content: bytes) -> np.ndarray:
    """The image as OpenCV reads it, which applies EXIF's orientation."""
    return cv2.imdecode(np.frombuffer(content, np.uint8), cv2.IMREAD_COLOR)[..., ::-1]


@pytest.mark.parametrize("orientation", range(1, 9))
@pytest.mark.parametrize("kind", ["JPEG", "PNG", "TIFF", "WEBP"])
def test_an_image_is_turned_as_its_exif_orientation_says(orientation, kind):
    content = turned(orientation, kind)
    assert np.array_equal(decode(content, upright=True), opencv(content))


def test_a_damaged_exif_block_does_not_spoil_an_image():
    content = io.BytesIO()
    Image.fromarray(blotches(0)).save(content, "JPEG", exif=b"Exif\0\0of another kind")
    content = content.getvalue()
    assert np.array_equal(decode(content, upright=True), decode(content))
    with pytest.raises(ValueError, match="truncated"):
        decode(content[: len(content) // 2], upright=True)


def test_a_users_own_photographs_are_packed_aligned_and_searched_upright(tmp_path):
    contents = {f"{i}.jpg": turned(orientation, seed=i) for i, orientation in enumerate((6, 1, 3))}
    spec = own_faces(tmp_path / "own", contents)
    seen = {name: opencv(content) for name, content in contents.items()}
    packed = packed_of(spec, tmp_path / "packed")
    for pixels, name in zip(packed.images, packed.index["image"], strict=True):
        wanted = Image.fromarray(seen[name]).resize((SIZE, SIZE), Image.Resampling.BILINEAR)
        assert np.array_equal(pixels, np.asarray(wanted)), name
    for name, image in aligned_of(spec, tmp_path / "aligned")[1].items():
        assert np.array_equal(image, seen[name]), name
    find = Shown()
    find_points(spec, tmp_path / "points.parquet", tmp_path / "raw", find)
    assert [image.shape for image in find.images] == [(90, 60, 3), (60, 90, 3), (60, 90, 3)]


@pytest.mark.parametrize("kind", [".png", ".tiff", ".pgm"])
def test_a_grey_image_of_16_bits_is_refused_and_not_made_white(kind):
    deep = blotches(0)[..., 0].astype(np.uint16) * 257
    with pytest.raises(ValueError, match="has more than 8 bits a channel; save it with 8"):
        decode(cv2.imencode(kind, deep)[1].tobytes())


@pytest.mark.parametrize("kind", [".png", ".tiff", ".ppm"])
def test_a_colour_image_of_16_bits_keeps_the_upper_8(kind):
    deep = blotches(0).astype(np.uint16) * 257
    content = cv2.imencode(kind, deep[..., ::-1])[1].tobytes()
    assert np.array_equal(decode(content), blotches(0))
