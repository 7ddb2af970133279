"""Which file of an archive is which image of a list, whatever program made the archive."""

import unicodedata
from collections.abc import Collection, Mapping, Sequence

from softbio.data.fetching.archives import ImageSource
from softbio.data.splitlists import check_present
from softbio.errors import UserError


def match(images: Collection[str], source: ImageSource) -> dict[str, str]:
    """Which file holds which image: file name -> image.

    An image is a file of that path at any depth ("a.jpg" is "UTKFace/a.jpg"), with its suffix in
    capitals or not, in any encoding of the archive. Images without a file are left out; raises
    UserError where two files could be one image.
    """
    known: dict[str, list[str]] = {}
    for image in images:
        known.setdefault(_key(image), []).append(image)
    found: dict[str, str] = {}
    for name in source.names():
        parts = name.split("/")
        ends = ("/".join(parts[i:]) for i in range(len(parts)))
        image = next(filter(None, (_image(end, known) for end in ends)), None)
        if image is None:
            continue
        if image in found:
            raise UserError(
                f"{source.path}: {found[image]!r} and {name!r} could both be {image!r}; "
                "keep one of them"
            )
        found[image] = name
    return {name: image for image, name in found.items()}


def rows_of(images: Sequence[str], source: ImageSource) -> dict[str, int]:
    """`match` all images of a list: file name -> the image's place in it. Raises UserError also
    where an image has no file."""
    files = match(images, source)
    check_present(images, files.values(), source.path)
    place = {image: row for row, image in enumerate(images)}
    return {name: place[image] for name, image in files.items()}


def _image(end: str, known: Mapping[str, list[str]]) -> str | None:
    """The image of a path: one of exactly that name before one that differs in encoding."""
    images = known.get(_key(end), [])
    return end if end in images else images[0] if len(images) == 1 else None


def _key(name: str) -> str:
    """A name without differences between programs: bytes that are no UTF-8 are read as Latin-1,
    accents are composed (macOS takes them apart), the suffix is in small letters."""
    stem, dot, suffix = name.rpartition(".")
    name = stem + dot + suffix.lower() if dot else name
    if name.isascii():
        return name
    try:
        name.encode()
    except UnicodeEncodeError:
        name = name.encode(errors="surrogateescape").decode("latin-1")
    return unicodedata.normalize("NFC", name)
