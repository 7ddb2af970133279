"""The work of packing: where each image comes from, how it becomes a picture, and one hash of
everything that the packed bytes depend on."""

from collections.abc import Callable, Collection, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import pandas as pd

from softbio.data.alignment.crops import CROPS
from softbio.data.alignment.points import Points, images_in, read_points
from softbio.data.fetching.archives import ImageSource
from softbio.data.fetching.locate import Sources
from softbio.data.file_names import rows_of
from softbio.data.packing.journal import identity_of, table_sha256
from softbio.data.packing.pictures import Cropped, Decoded, Drawn, Picture, libraries
from softbio.data.readers import COLUMNS, OPTIONAL, Records
from softbio.data.registry import DatasetSpec, Reconciled
from softbio.errors import UserError
from softbio.files import sha256
from softbio.sources import modules_sha256


@dataclass(frozen=True)
class Work:
    """The images to be packed.

    tasks: rows that are done -> (row, payload) of all others; job: payload and size -> picture;
    version: the identity of the payloads, as values for JSON; unlisted: the images of the archive
    that no list has, None where images are drawn; preparation: what the card says was done before
    packing; found: the points of all images, None where they are not aligned.
    """

    tasks: Callable[[Collection[int]], Iterator[tuple[int, Any]]]
    job: Callable[[Any, int], Picture]
    version: tuple[Any, ...] = ()
    unlisted: tuple[str, ...] | None = None
    preparation: tuple[str, ...] = ()
    found: Points | None = None

    def reconciled(self, listed: int, produced: int) -> Reconciled | None:
        """The lists compared with the archive; None where images are drawn."""
        if self.unlisted is None:
            return None
        faces = None
        if self.found is not None:
            faces = sum(not isinstance(self.found.of(name), str) for name in self.unlisted)
        return Reconciled(listed, produced, len(self.unlisted), faces)


def work_of(
    spec: DatasetSpec,
    frame: pd.DataFrame,
    records: Records,
    sources: Sources,
    points: Path | str | None,
) -> Work:
    """The work on the rows of `frame`, column `row` of which is the place in `records`.

    points: the file of `find_points`, None where there is none. Raises UserError where an image is
    missing, and where the points are missing or those of another archive.
    """
    if records.draw is not None:
        return _drawn(spec, frame, records)
    source = sources.open()
    rows = rows_of(list(frame["image"]), source)
    unlisted = tuple(name for name in images_in(source) if name not in rows)
    content = (*map(asdict, sources.files), source.version(rows))
    read = _reading(source, rows)
    if spec.prepare.align == "none":
        job = Decoded(spec.prepare.crop, spec.upright)
        return Work(read, job, content, unlisted, _steps(spec))
    crop, found = CROPS[spec.prepare.align], _found(spec, points)
    if lacking := [name for name in (*rows, *unlisted) if name not in found.rows]:
        raise UserError(
            f"{points}: not made from {source.path}, '{lacking[0]}' is not in it; delete it, so "
            "that faces are searched for again"
        )
    five = {row: found.of(name) for name, row in rows.items()}

    def with_points(done: Collection[int]) -> Iterator[tuple[int, Any]]:
        return ((row, (data, five[row])) for row, data in read(done))

    job = Cropped(crop.fit(found), spec.upright)
    return Work(with_points, job, (*content, sha256(points)), unlisted, _steps(spec), found)


def identity(spec: DatasetSpec, size: int, frame: pd.DataFrame, work: Work) -> str:
    """One hash of everything that the packed bytes depend on: the entry, with its crop, the rows of
    the reader, the images and their points, and the code."""
    table = frame[[*COLUMNS, *OPTIONAL, "label", "row"]]
    return identity_of(size, asdict(spec), work.version, table_sha256(table), _code())


def _code() -> list[str]:
    """Hash of this package's code, and versions of the libraries that decode and cut."""
    own = modules_sha256((), *sorted(Path(__file__).parent.rglob("*.py")))
    return [own, *libraries()]


def _drawn(spec: DatasetSpec, frame: pd.DataFrame, records: Records) -> Work:
    if spec.prepare.align != "none":
        raise UserError(f"datasets.{spec.name}.prepare.align: drawn faces need none; take it out")

    def faces(done: Collection[int]) -> Iterator[tuple[int, Any]]:
        rows = enumerate(frame["row"])
        return ((row, records.faces[number]) for row, number in rows if row not in done)

    return Work(faces, Drawn(records.draw))


def _steps(spec: DatasetSpec) -> tuple[str, ...]:
    """What the card says was done before packing."""
    crop = CROPS.get(spec.prepare.align)
    if crop is None and spec.prepare.crop == "centre":
        return ("The largest square around the centre of each image.",)
    return (f"{crop.title}.", *crop.deviations) if crop else ()


def _reading(
    source: ImageSource, rows: dict[str, int]
) -> Callable[[Collection[int]], Iterator[tuple[int, bytes]]]:
    """rows: file -> its row."""

    def read(done: Collection[int]) -> Iterator[tuple[int, bytes]]:
        wanted = [name for name, row in rows.items() if row not in done]
        return ((rows[name], content) for name, content in source.read(wanted))

    return read


def _found(spec: DatasetSpec, points: Path | str | None) -> Points:
    if points is None:
        raise UserError(
            f"data set '{spec.name}' is aligned by its faces, and they were not searched for; pack "
            f"it by `snakemake`, which does so, or set datasets.{spec.name}.prepare.align to none"
        )
    return read_points(points)
