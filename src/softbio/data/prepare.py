"""From an archive of images to one packed array, its index and its data card."""

import json
import logging
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from softbio.data.card import make_card
from softbio.data.fetch import Sources, locate
from softbio.data.fingerprints import write_fingerprints
from softbio.data.matching import match
from softbio.data.packed import write_header
from softbio.data.pictures import Decoded, Drawn, Picture, pictures
from softbio.data.readers import Records, read
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import PARTS, check_present, check_records
from softbio.errors import UserError
from softbio.files import atomic, room
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


def prepare(
    spec: DatasetSpec,
    size: int,
    folder: Path | str,
    raw: Path | str,
    workers: int = 2,
    max_rejected: float = 0.01,
) -> None:
    """Pack a data set at `size` pixels: images.npy, index.parquet, fingerprints.parquet,
    rejected.csv, card.json.

    raw: the folder that `fetch` filled. The card is written last: without it the folder counts as
    unfinished. Images that do not decode are left out and listed in rejected.csv; above the share
    `max_rejected` of all images they are an error. Raises UserError for that, for what `locate` and
    the reader find wrong, and for a full disk.
    """
    folder = Path(folder)
    sources = locate(spec, raw)
    records = read(spec, sources)
    check_records(records.frame, spec.ages, f"data set '{spec.name}'")
    frame = _in_parts(records.frame, spec)
    tasks = _tasks(frame, records, sources)
    job = Drawn(records.draw) if records.draw else Decoded(spec.crop)
    need = len(frame) * size * size * 3 + SLACK
    with room(folder, need):
        with atomic(folder / "images.npy") as part, open(part, "wb+") as file:
            done = _progress(pictures(tasks, job, size, workers), len(frame), spec.name)
            _write(file, done, frame, size)
            _check_rejected(spec, frame, max_rejected, sources.images)
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
        card = make_card(spec, size, kept, len(rejected), sources)
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


def _tasks(frame: pd.DataFrame, records: Records, sources: Sources) -> Iterator[tuple[int, Any]]:
    """(row, content of the file or face) of each image."""
    if records.draw is not None:
        return ((row, records.faces[number]) for row, number in enumerate(frame["row"]))
    source = sources.open()
    names = list(frame["image"])
    files = match(names, source)
    check_present(names, files.values(), source.path)
    rows = {image: row for row, image in enumerate(names)}
    return ((rows[files[name]], content) for name, content in source.read(files))


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


def _check_rejected(
    spec: DatasetSpec, frame: pd.DataFrame, max_rejected: float, images: Path | None
) -> None:
    rejected = frame[frame["reason"] != ""]
    if len(rejected) == 0:
        return
    first = rejected.iloc[0]
    found = (
        f"{images}: {len(rejected)} of {len(frame)} images do not decode, the first is "
        f"'{first['image']}' ({first['reason']})"
    )
    if len(rejected) > max_rejected * len(frame):
        raise UserError(
            f"{found}: more than {max_rejected:.1%}; get the images again, or take "
            "them off the list"
        )
    log.warning("%s: left out, see rejected.csv", found)
    check_records(frame[frame["reason"] == ""], spec.ages, f"data set '{spec.name}', as decoded")


def _progress(
    done: Iterable[tuple[int, Picture]], total: int, label: str
) -> Iterator[tuple[int, Picture]]:
    """A bar on a terminal, else a line in the log every tenth."""
    if sys.stderr.isatty():
        yield from tqdm(done, desc=label, total=total, unit="image")
        return
    for count, item in enumerate(done, start=1):
        yield item
        if count * 10 // total > (count - 1) * 10 // total:
            log.info("%s: %d of %d images", label, count, total)
