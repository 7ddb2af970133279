"""From an encoded image, or a face to be drawn, to the pixels that are packed."""

import hashlib
import io
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import version
from itertools import islice
from typing import Any

import cv2
import numpy as np
import PIL
import simplejpeg
from joblib import Parallel, delayed
from PIL import Image, ImageOps, UnidentifiedImageError

from softbio.data.packing.fingerprints import perceptual_hash
from softbio.data.packing.journal import bytes_of, text_of

# a face archive holds no larger ones; a few bytes can claim any size
MAX_PIXELS = 50_000_000
# Of all that Pillow knows: for EPS it would start Ghostscript on what the file says.
FORMATS = ("JPEG", "PNG", "GIF", "BMP", "TIFF", "WEBP", "PPM")
# Pillow's modes of grey images of 16 and 32 bits: converted to 8 they are cut off at 255
DEEP = ("I", "F")
# faces that are drawn at a time
CHUNK = 256
# files that a thread decodes at a time, fewer where they are large: those waiting are in memory
BATCH, BATCH_BYTES = 32, 8 * 2**20
# drawn faces are images of this side, whatever size they are packed at
DRAWN_SIDE = 128


def libraries() -> list[str]:
    """Versions of the libraries that decode and cut."""
    return [np.__version__, PIL.__version__, version("simplejpeg"), cv2.__version__]


@dataclass(frozen=True)
class Picture:
    """pixels: uint8 (size, size, 3) RGB, or None and the reason why; landmarks: float32 (136,),
    x0, y0, x1, .. in fractions of the side, or None where unknown; prints: SHA-256 of the pixels
    and perceptual hash of the image before it was resized."""

    pixels: np.ndarray | None
    landmarks: np.ndarray | None = None
    reason: str = ""
    prints: tuple[bytes, bytes] = (b"", b"")


@dataclass(frozen=True)
class Note:
    """What is known of a picture besides its pixels, for the journal of its packing."""

    reason: str
    landmarks: np.ndarray | None
    prints: tuple[bytes, bytes]

    @classmethod
    def of(cls, picture: Picture) -> "Note":
        """The note of a picture."""
        return cls(picture.reason, picture.landmarks, picture.prints)

    def plain(self) -> list[Any]:
        """The note as values for JSON."""
        landmarks = None
        if self.landmarks is not None:
            landmarks = text_of(np.asarray(self.landmarks, "<f4").tobytes())
        return [self.reason, landmarks, *map(text_of, self.prints)]

    @classmethod
    def read(cls, reason: str, landmarks: str | None, pixels: str, phash: str) -> "Note":
        """The note that `plain` made these values of."""
        points = None
        if landmarks is not None:
            points = np.frombuffer(bytes_of(landmarks), "<f4").astype(np.float32)
        return cls(reason, points, (bytes_of(pixels), bytes_of(phash)))


def decode(content: bytes, upright: bool = False) -> np.ndarray:
    """Decode an image file to uint8 (height, width, 3) RGB, as Pillow does.

    upright: turn it as its EXIF orientation says; else it is as stored, which is Pillow's default,
    and so the published one. Raises ValueError, saying why, for what is no image, has more than
    `MAX_PIXELS`, or is grey with more than 8 bits.
    """
    if content[:2] == b"\xff\xd8" and not upright:
        try:
            height, width, colours, _ = simplejpeg.decode_jpeg_header(content)
            if colours in ("YCbCr", "Gray") and height * width <= MAX_PIXELS:
                return simplejpeg.decode_jpeg(content, "RGB", fastdct=False, fastupsample=False)
        except ValueError:
            pass  # damaged or in rare colours: Pillow decides what still counts as an image
    try:
        with Image.open(io.BytesIO(content), formats=FORMATS) as image:
            if image.width * image.height > MAX_PIXELS:
                raise ValueError(f"has {image.width} x {image.height} pixels, too many")
            if image.mode.startswith(DEEP):
                raise ValueError("has more than 8 bits a channel; save it with 8")
            image.load()
            if upright:
                with suppress(Exception):  # a damaged EXIF block does not spoil the pixels
                    ImageOps.exif_transpose(image, in_place=True)
            return np.asarray(image.convert("RGB"))
    except UnidentifiedImageError:
        # its own words hold an address in memory, another one each time
        raise ValueError("is no image of a kind that is read") from None
    except Exception as error:  # Pillow's decoders raise nearly anything on hostile bytes
        raise ValueError(" ".join(str(error).split()) or type(error).__name__) from None


def resized(image: Image.Image, size: int) -> np.ndarray:
    """A square, as torchvision's Resize((size, size)) makes it of a PIL image."""
    return np.asarray(image.resize((size, size), Image.Resampling.BILINEAR))


def fingerprints(pixels: np.ndarray, image: Image.Image) -> tuple[bytes, bytes]:
    """SHA-256 of the pixels with their shape, and perceptual hash, of one image given twice."""
    digest = hashlib.sha256(str(pixels.shape).encode())
    digest.update(np.ascontiguousarray(pixels))
    return digest.digest(), perceptual_hash(image)


def centre(image: Image.Image) -> Image.Image:
    """An image's largest square, as torchvision's CenterCrop of the shorter side cuts it."""
    side = min(image.size)
    left, top = (round((length - side) / 2) for length in image.size)
    return image.crop((left, top, left + side, top + side))


@dataclass(frozen=True)
class Decoded:
    """Decode an image file, crop it ("none", "centre") and resize it to a square; upright: as
    `decode` takes it."""

    crop: str = "none"
    upright: bool = False

    def __call__(self, content: bytes, size: int) -> Picture:
        try:
            pixels = decode(content, self.upright)
        except ValueError as error:
            return Picture(None, reason=str(error))
        image = Image.fromarray(pixels)
        part = centre(image) if self.crop == "centre" else image
        return Picture(resized(part, size), prints=fingerprints(pixels, image))


@dataclass(frozen=True)
class Drawn:
    """Draw a face: a reader's `draw` as a job for another process."""

    draw: Callable[[Any, int], tuple[np.ndarray, np.ndarray]]

    def __call__(self, face: Any, size: int) -> Picture:
        pixels, landmarks = self.draw(face, DRAWN_SIDE)
        image = Image.fromarray(pixels)
        return Picture(
            resized(image, size),
            (np.asarray(landmarks, np.float32) / DRAWN_SIDE).reshape(-1),
            prints=fingerprints(pixels, image),
        )


@dataclass(frozen=True)
class Cropped:
    """Decode an image file, cut out its face and resize that.

    cut: image and its five points -> a square; ValueError where they are not those of a face;
    upright: as `decode` takes it. The prints are those of the whole image.
    """

    cut: Callable[[np.ndarray, np.ndarray], np.ndarray]
    upright: bool = False

    def __call__(self, task: tuple[bytes, np.ndarray | str], size: int) -> Picture:
        content, five = task
        if isinstance(five, str):
            return Picture(None, reason=five)
        try:
            pixels = decode(content, self.upright)
            square = self.cut(pixels, five)
        except ValueError as error:
            return Picture(None, reason=str(error))
        prints = fingerprints(pixels, Image.fromarray(pixels))
        return Picture(resized(Image.fromarray(square), size), prints=prints)


def pictures(
    tasks: Iterable[tuple[int, Any]],
    job: Callable[[Any, int], Picture],
    size: int,
    workers: int,
) -> Iterator[tuple[int, Picture]]:
    """Run job(payload, size) for each (row, payload); give (row, picture) in order.

    Decoding releases the GIL and runs in threads, while the next files are read; drawing needs
    processes. A bounded number of payloads and pictures is in memory.
    """
    if isinstance(job, Drawn):
        return _in_processes(tasks, job, size, workers)
    return _in_threads(tasks, job, size, workers)


def _in_processes(
    tasks: Iterable[tuple[int, Any]], job: Drawn, size: int, workers: int
) -> Iterator[tuple[int, Picture]]:
    tasks = iter(tasks)
    with Parallel(n_jobs=workers, backend="loky") as pool:
        while chunk := list(islice(tasks, CHUNK)):
            done = pool(delayed(job)(payload, size) for _, payload in chunk)
            yield from zip((row for row, _ in chunk), done, strict=True)


def _in_threads(
    tasks: Iterable[tuple[int, bytes]],
    job: Callable[[bytes, int], Picture],
    size: int,
    workers: int,
) -> Iterator[tuple[int, Picture]]:
    def run(batch: list[tuple[int, bytes]]) -> list[tuple[int, Picture]]:
        return [(row, job(content, size)) for row, content in batch]

    waiting: deque[Future[list[tuple[int, Picture]]]] = deque()
    pool = ThreadPoolExecutor(workers)
    try:
        for batch in _batches(tasks):
            waiting.append(pool.submit(run, batch))
            if len(waiting) > 2 * workers:
                yield from waiting.popleft().result()
        while waiting:
            yield from waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)


def _batches(tasks: Iterable[tuple[int, bytes]]) -> Iterator[list[tuple[int, bytes]]]:
    batch, held = [], 0
    for row, content in tasks:
        batch.append((row, content))
        held += len(content)
        if len(batch) == BATCH or held > BATCH_BYTES:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch
