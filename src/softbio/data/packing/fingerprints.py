"""How equal images are found: a checksum of their pixels, and a perceptual hash.

Both are taken of the decoded image at its own size, before it is resized for packing: two images
that clearly differ can coincide at a small size.
"""

from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from PIL import Image

from softbio.errors import UserError
from softbio.files import atomic

# The hash is pHash (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions,
# 2010): the signs, about their median, of the lowest spatial frequencies of a small grey image.
# Its usual 8 x 8 frequencies do not separate aligned faces, which are all alike at that scale: on
# UTKFace the 64 bits of 1,568 pairs differ in 6 places, and only 21 of them show one photograph.
GREY, FREQUENCIES = 64, 16
BITS = FREQUENCIES**2
# Measured on the 16,434 images of the UTKFace split (135 million pairs): JPEG at quality 20 moves
# 14 bits at most, halving the resolution 6, 30 % more brightness or a crop of 1 % on each side 34
# (822 images each). Few pairs are between 28 and 46. Of the 671 pairs up to 32 the 7 that look
# least alike (correlation below 0.93) still show one photograph each; the nearest two photographs
# found are 42 apart. So 32 of 256 bits, with room for larger sets, in which chance comes nearer.
# Drawn faces stay apart too: the nearest of a million pairs differ in 38 bits.
NEAR = 32
# pairs compared at a time: some 50 MB
PAIRS = 4_000_000

SCHEMA = pa.schema([("image", pa.string()), ("pixels", pa.binary(32)), ("phash", pa.binary(32))])


def _cosines() -> np.ndarray:
    """The lowest rows of the DCT-II of `GREY` samples, (FREQUENCIES, GREY), up to a factor."""
    place = (2 * np.arange(GREY) + 1) * np.pi / (2 * GREY)
    return np.cos(np.arange(FREQUENCIES)[:, None] * place)


_COSINES = _cosines()


def perceptual_hash(image: Image.Image) -> bytes:
    """The 256 bits of an image that survive compression, resizing and a change of brightness.

    Not a mirrored copy or a crop of more than about 2 % on a side: those count as other images.
    """
    small = image.convert("L").resize((GREY, GREY), Image.Resampling.LANCZOS)
    waves = _COSINES @ np.asarray(small, np.float64) @ _COSINES.T
    return np.packbits(waves > np.median(waves)).tobytes()


def near_pairs(hashes: np.ndarray, limit: int = NEAR) -> np.ndarray:
    """Pairs of rows whose hashes differ in at most `limit` bits: int64 (M, 2), first < second.

    hashes: uint64 (N, 4). Compares all pairs: 1 s for 16,000 images, two minutes for 160,000.
    """
    pairs = [np.empty((0, 2), np.int64)]
    rows = max(PAIRS // max(len(hashes), 1), 1)
    for start in range(0, len(hashes), rows):
        block, others = hashes[start : start + rows], hashes[start:]
        distance = np.zeros((len(block), len(others)), np.uint16)
        for word in range(hashes.shape[1]):
            distance += np.bitwise_count(block[:, word, None] ^ others[None, :, word])
        first, second = np.nonzero(distance <= limit)
        pairs.append(np.stack([first, second], axis=1)[first < second] + start)
    return np.concatenate(pairs)


def write_fingerprints(path: Path, images: list[str], prints: list[tuple[bytes, bytes]]) -> None:
    """fingerprints.parquet: name, SHA-256 of the pixels and perceptual hash of each image."""
    pixels, hashes = [pixels for pixels, _ in prints], [phash for _, phash in prints]
    with atomic(path) as part:
        pq.write_table(pa.table([images, pixels, hashes], schema=SCHEMA), part)


def read_fingerprints(path: Path, images: pd.Series) -> tuple[np.ndarray, np.ndarray]:
    """The number of each image's group of identical images, int (N,), and its hash, uint64 (N, 4).

    Raises UserError where the file is absent or is not about these images.
    """
    try:
        frame = pq.read_table(path, schema=SCHEMA).to_pandas()
    except (OSError, pa.ArrowException) as error:
        reason = str(error).splitlines()[0]
        raise UserError(f"{path}: cannot be read ({reason}); prepare the data set again") from None
    if list(frame["image"]) != list(images):
        raise UserError(
            f"{path}: is not about the images of index.parquet; prepare the data set again"
        )
    hashes = np.frombuffer(b"".join(frame["phash"]), np.uint64).reshape(len(frame), BITS // 64)
    return pd.factorize(frame["pixels"])[0], hashes
