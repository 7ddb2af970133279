"""From an archive of images to one packed array, its index and its data card."""

import json
import logging
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from softbio.data.card import make_card
from softbio.data.crops import CROPS
from softbio.data.fetch import Sources, locate
from softbio.data.fingerprints import write_fingerprints
from softbio.data.matching import match
from softbio.data.packed import write_header
from softbio.data.pictures import Cropped, Decoded, Drawn, Picture, pictures
from softbio.data.points import Points, images_in, read_points
from softbio.data.readers import Records, read
from softbio.data.registry import DatasetSpec, Reconciled
from softbio.data.splitlists import PARTS, check_present, check_records
from softbio.errors import UserError
from softbio.files import atomic, room
from softbio.progress import told
from softbio.traits import GENDERS

log = logging.getLogger(__name__)

SCHEMA = pa.schema([
    ("image", pa.string()), ("label", pa.int32()), ("age", pa.int32()), ("split", pa.string()),
    ("gender", pa.string()), ("race", pa.string()), ("subject", pa.string()),
    ("age_group", pa.string()),
    ("landmarks", pa.list_(pa.float32())),
])  # fmt: skip
# room for the index, its temporary copy and the other small files
SLACK = 64 * 2**20


@dataclass(frozen=True)
class Work:
    """What is to be packed: (row, payload) of each image, what makes a picture of a payload, the
    images of the archive that no list has (None where images are drawn), and what was found in
    all of them where they are aligned."""

    tasks: Iterable[tuple[int, Any]]
    job: Callable[[Any, int], Picture]
    unlisted: list[str] | None = None
    found: Points | None = None

    def reconciled(self, listed: int, produced: int) -> Reconciled | None:
        """The lists held against the archive; None where images are drawn."""
        if self.unlisted is None:
            return None
        faces = None
        if self.found is not None:
            faces = sum(not isinstance(self.found.of(name), str) for name in self.unlisted)
        return Reconciled(listed, produced, len(self.unlisted), faces)


def prepare(
    spec: DatasetSpec,
    size: int,
    folder: Path | str,
    raw: Path | str,
    workers: int = 2,
    points: Path | str | None = None,
) -> None:
    """Pack a data set at `size` pixels: images.npy, index.parquet, fingerprints.parquet,
    rejected.csv, card.json.

    raw: the folder that `fetch` filled; points: what `find_points` wrote, where a crop is asked for
    (`spec.prepare.align`). The card is written last: without it the folder counts as unfinished.
    Images that do not decode, or show no face to align, are left out and listed in rejected.csv;
    above the share `spec.prepare.max_rejected` of the listed images they are an error. Raises
    UserError for that, for what `locate` and the reader find wrong, and for a full disk.
    """
    folder = Path(folder)
    sources = locate(spec, raw)
    records = read(spec, sources)
    check_records(records.frame, spec.ages, f"data set '{spec.name}'")
    frame = _in_parts(records.frame, spec)
    work = _work(spec, frame, records, sources, points)
    need = len(frame) * size * size * 3 + SLACK
    with room(folder, need):
        with atomic(folder / "images.npy") as part, open(part, "wb+") as file:
            done = pictures(work.tasks, work.job, size, workers)
            _write(file, told(done, len(frame), spec.name), frame, size)
            _check_rejected(spec, frame, sources.images)
            # from here on the files of an earlier run do not belong together
            (folder / "card.json").unlink(missing_ok=True)
        kept = frame[frame["reason"] == ""]
        rejected = frame[frame["reason"] != ""]
        with atomic(folder / "index.parquet") as part:
            index = kept[SCHEMA.names].astype(object).where(kept[SCHEMA.names].notna(), None)
            pq.write_table(pa.Table.from_pandas(index, SCHEMA, preserve_index=False), part)
        prints = folder / "fingerprints.parquet"
        write_fingerprints(prints, kept["image"].to_list(), kept["prints"].to_list())
        with atomic(folder / "rejected.csv") as part:
            rejected[["image", "split", "reason"]].to_csv(part, index=False)
        reconciled = work.reconciled(len(frame), len(kept))
        card = make_card(spec, size, kept, len(rejected), sources, _steps(spec), reconciled)
        if missing := card.missing_ranks["train"]:
            log.warning("%s: ranks without a training image: %s", spec.name, missing)
        with atomic(folder / "card.json") as part:
            part.write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n")


def _labels(frame: pd.DataFrame, spec: DatasetSpec) -> pd.Series:
    """The rank of each image: its age less the youngest, or without ages 0 female and 1 male.

    Raises UserError for an image without a gender where that is what it teaches.
    """
    if spec.ages is not None:
        return frame["age"] - spec.ages[0]
    ranks = frame["gender"].map({gender: rank for rank, gender in enumerate(GENDERS)})
    if ranks.isna().any():
        image = frame["image"][ranks.isna()].iloc[0]
        raise UserError(
            f"data set '{spec.name}': {ranks.isna().sum()} images without a gender, the first is "
            f"'{image}'; it has no ages, so gender is what it must tell of all"
        )
    return ranks.astype(int)


def _in_parts(frame: pd.DataFrame, spec: DatasetSpec) -> pd.DataFrame:
    """Rows in the order train, valid, test; `row` keeps the place in the reader's order."""
    frame = frame.assign(label=_labels(frame, spec), row=np.arange(len(frame)), reason="")
    for column in ("landmarks", "prints"):
        frame[column] = pd.Series([None] * len(frame), index=frame.index, dtype=object)
    part = frame["split"].map(PARTS.index)
    return frame.iloc[np.argsort(part.to_numpy(), kind="stable")].reset_index(drop=True)


def _work(
    spec: DatasetSpec,
    frame: pd.DataFrame,
    records: Records,
    sources: Sources,
    points: Path | str | None,
) -> Work:
    align = spec.prepare.align
    if records.draw is not None:
        if align != "none":
            raise UserError(
                f"datasets.{spec.name}.prepare.align: drawn faces need none; take it out"
            )
        tasks = ((row, records.faces[number]) for row, number in enumerate(frame["row"]))
        return Work(tasks, Drawn(records.draw))
    source = sources.open()
    names = list(frame["image"])
    files = match(names, source)
    check_present(names, files.values(), source.path)
    unlisted = [name for name in images_in(source) if name not in files]
    rows = {image: row for row, image in enumerate(names)}
    contents = source.read(files)
    if align == "none":
        cut = Decoded(spec.prepare.crop)
        return Work(((rows[files[name]], data) for name, data in contents), cut, unlisted)
    if points is None:
        raise UserError(
            f"data set '{spec.name}' is aligned by its faces, and nobody looked for them; pack it "
            f"by `snakemake`, which does so, or set datasets.{spec.name}.prepare.align to none"
        )
    found = read_points(points)
    if lacking := [name for name in (*files, *unlisted) if name not in found.rows]:
        raise UserError(
            f"{points}: not made from {source.path}, '{lacking[0]}' is not in it; delete it, so "
            "that faces are looked for again"
        )
    cut = Cropped(CROPS[align].fit(found))
    tasks = ((rows[files[name]], (data, found.of(name))) for name, data in contents)
    return Work(tasks, cut, unlisted, found)


def _steps(spec: DatasetSpec) -> tuple[str, ...]:
    """What the card says was done before packing."""
    crop = CROPS.get(spec.prepare.align)
    if crop is None and spec.prepare.crop == "centre":
        return ("The largest square around the centre of each image.",)
    return (f"{crop.title}.", *crop.deviations) if crop else ()


def _write(
    file: BinaryIO, done: Iterable[tuple[int, Picture]], frame: pd.DataFrame, size: int
) -> None:
    """Write images.npy; note landmarks, fingerprints and reasons in the frame.

    Written by position, not through a memory map, where a full disk would kill the process.
    """
    write_header(file, len(frame), size)
    start, step = file.tell(), size * size * 3
    landmarks, reasons = frame["landmarks"].to_list(), frame["reason"].to_list()
    prints = frame["prints"].to_list()
    for row, picture in done:
        if picture.pixels is None:
            reasons[row] = picture.reason
            continue
        landmarks[row], prints[row] = picture.landmarks, picture.prints
        file.seek(start + row * step)
        file.write(picture.pixels.tobytes())
    frame["landmarks"], frame["reason"] = pd.Series(landmarks, dtype=object), reasons
    frame["prints"] = pd.Series(prints, dtype=object)
    kept = [row for row, reason in enumerate(reasons) if not reason]
    for place, row in enumerate(kept):
        if place != row:
            file.seek(start + row * step)
            pixels = file.read(step)
            file.seek(start + place * step)
            file.write(pixels)
    file.truncate(start + len(kept) * step)
    file.seek(0)
    write_header(file, len(kept), size)
    if file.tell() != start:
        raise RuntimeError("numpy changed the length of the header")


def _check_rejected(spec: DatasetSpec, frame: pd.DataFrame, images: Path | None) -> None:
    rejected = frame[frame["reason"] != ""]
    if len(rejected) == 0:
        return
    first = rejected.iloc[0]
    what = "do not decode" if spec.prepare.align == "none" else "do not decode or show no face"
    found = (
        f"{images}: {len(rejected)} of {len(frame)} images {what}, the first is "
        f"'{first['image']}' ({first['reason']})"
    )
    share = spec.prepare.max_rejected
    if len(rejected) > share * len(frame):
        raise UserError(
            f"{found}: more than {share:.1%}; get the images again, take them off the list, or "
            f"raise datasets.{spec.name}.prepare.max_rejected"
        )
    log.warning("%s: left out, see rejected.csv", found)
    check_records(frame[frame["reason"] == ""], spec.ages, f"data set '{spec.name}', as decoded")
