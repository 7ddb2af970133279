"""Fingerprints: copies stay near, other images do not."""

import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image, ImageEnhance

from softbio.data.faces import draw_population, render
from softbio.data.packing.fingerprints import (
    NEAR,
    near_pairs,
    perceptual_hash,
    read_fingerprints,
    write_fingerprints,
)
from softbio.data.packing.pictures import Decoded, fingerprints
from softbio.errors import UserError


@pytest.fixture(scope="module")
def faces() -> list[Image.Image]:
    _, faces = draw_population(12, 1, (18, 70), 3)
    return [Image.fromarray(render(face, 128)[0]) for face in faces]


def words(images: list[Image.Image]) -> np.ndarray:
    return np.array([np.frombuffer(perceptual_hash(image), np.uint64) for image in images])


def apart(one: Image.Image, two: Image.Image) -> int:
    first, second = words([one, two])
    return int(np.bitwise_count(first ^ second).sum())


def jpeg(image: Image.Image, quality: int) -> Image.Image:
    content = io.BytesIO()
    image.save(content, "jpeg", quality=quality)
    return Image.open(content)


CHANGES = {
    "jpeg": lambda image: jpeg(image, 50),
    "half": lambda image: image.resize((64, 64), Image.Resampling.BILINEAR),
    "brighter": lambda image: ImageEnhance.Brightness(image).enhance(1.1),
    "grey": lambda image: image.convert("L"),
    "cropped": lambda image: image.crop((1, 1, 127, 127)),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_copy_stays_near(faces, change):
    assert max(apart(face, CHANGES[change](face)) for face in faces) <= NEAR


def test_other_faces_are_not_near(faces):
    assert len(near_pairs(words(faces))) == 0
    # documented: a mirrored copy is another image
    assert apart(faces[0], faces[0].transpose(Image.Transpose.FLIP_LEFT_RIGHT)) > NEAR


def test_all_pairs_are_found_across_blocks(monkeypatch):
    monkeypatch.setattr("softbio.data.packing.fingerprints.PAIRS", 100_000)
    generator = np.random.default_rng(0)
    hashes = generator.integers(0, 2**63, (700, 4), dtype=np.uint64)
    hashes[650] = hashes[3]
    hashes[699] = hashes[3] ^ np.array([2**NEAR - 1, 0, 0, 0], np.uint64)
    hashes[300] = hashes[20] ^ np.array([2 ** (NEAR + 1) - 1, 0, 0, 0], np.uint64)
    assert near_pairs(hashes).tolist() == [[3, 650], [3, 699], [650, 699]]
    assert near_pairs(hashes[:0]).shape == (0, 2)


def test_identity_is_that_of_the_original_pixels():
    """Two images that are the same once resized are still two."""
    generator = np.random.default_rng(0)
    one = generator.integers(0, 256, (40, 40, 3), dtype=np.uint8)
    two = one.copy()
    two[0, 0, 0] ^= 1
    flat = np.zeros((20, 30, 3), np.uint8)
    contents = []
    for pixels in (one, two, flat, flat.reshape(30, 20, 3)):
        content = io.BytesIO()
        Image.fromarray(pixels).save(content, "png")
        contents.append(content.getvalue())
    pictures = [Decoded()(content, 4) for content in contents]
    assert (pictures[0].pixels == pictures[1].pixels).all()
    assert len({picture.prints[0] for picture in pictures}) == 4
    assert pictures[0].prints == fingerprints(one, Image.fromarray(one))


def test_the_file_is_about_its_images(tmp_path):
    path = tmp_path / "fingerprints.parquet"
    names = ["a", "b", "c"]
    digests = [bytes([n]) * 32 for n in (1, 2, 1)]
    write_fingerprints(path, names, list(zip(digests, digests, strict=True)))
    identical, hashes = read_fingerprints(path, pd.Series(names))
    assert identical.tolist() == [0, 1, 0]
    assert hashes.shape == (3, 4)
    assert near_pairs(hashes, 0).tolist() == [[0, 2]]
    with pytest.raises(UserError, match="not about the images"):
        read_fingerprints(path, pd.Series(["a", "c", "b"]))
    for content in (None, b"nonsense", b""):
        path.unlink(missing_ok=True)
        if content is not None:
            path.write_bytes(content)
        with pytest.raises(UserError, match=r"fingerprints.parquet: cannot be read .*prepare"):
            read_fingerprints(path, pd.Series(names))
