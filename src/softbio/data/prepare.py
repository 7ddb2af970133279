"""From an archive of images to one packed array, its index and its data card."""

import json
import logging
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from softbio.data.card import make_card
from softbio.data.expected import differences
from softbio.data.fetching.locate import locate
from softbio.data.packing.filling import ARRAY, on_disk, packing
from softbio.data.packing.fingerprints import write_fingerprints
from softbio.data.packing.pictures import Note, pictures
from softbio.data.readers import read
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import PARTS, check_records
from softbio.data.traits import GENDERS
from softbio.data.work import identity, work_of
from softbio.errors import UserError
from softbio.files import atomic, room
from softbio.progress import told

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
    points: Path | str | None = None,
) -> None:
    """Pack a data set at `size` pixels: images.npy, index.parquet, fingerprints.parquet,
    rejected.csv, card.json.

    raw: the folder that `fetch` filled; points: the file of `find_points`, for a published crop
    (`spec.prepare.align`). The card is written last: without it the folder counts as unfinished. A
    killed run resumes, unless the source, the points, the entry or the code has changed; the result
    is the same, byte for byte. Images that do not decode, or show no face to align, are left out
    and listed in rejected.csv; above the share `spec.prepare.max_rejected` of the listed images
    they are an error. Raises UserError for that, for what `locate` and the reader find wrong, and
    for a full disk.
    """
    folder = Path(folder)
    sources = locate(spec, raw)
    records = read(spec, sources)
    check_records(records.frame, spec.ages, f"data set '{spec.name}'")
    differences(spec, records.frame, "listed")
    frame = _in_parts(records.frame, spec)
    work = work_of(spec, frame, records, sources, points)
    whole = identity(spec, size, frame, work)
    need = len(frame) * size * size * 3 + SLACK
    with room(folder, need - on_disk(folder)):
        with packing(folder, len(frame), size, whole, Note) as under_way:
            done = pictures(work.tasks(under_way.notes), work.job, size, workers)
            done = told(done, len(frame), spec.name, len(under_way.notes))
            under_way.add((row, picture.pixels, Note.of(picture)) for row, picture in done)
            _note(frame, under_way.ordered())
            _check_rejected(spec, frame, sources.images)
            under_way.finish([row for row, reason in enumerate(frame["reason"]) if not reason])
            # from here on the files of an earlier run do not belong together
            (folder / "card.json").unlink(missing_ok=True)
            (folder / ARRAY).replace(folder / "images.npy")
        _write_tables(folder, frame)
        kept = frame[frame["reason"] == ""]
        rejected, reconciled = len(frame) - len(kept), work.reconciled(len(frame), len(kept))
        card = make_card(spec, size, kept, rejected, sources, work.preparation, reconciled)
        if missing := card.missing_ranks["train"]:
            log.warning("%s: ranks without a training image: %s", spec.name, missing)
        with atomic(folder / "card.json") as part:
            part.write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n")


def _write_tables(folder: Path, frame: pd.DataFrame) -> None:
    """Write index.parquet and fingerprints.parquet of packed images, rejected.csv of the rest."""
    kept, rejected = frame[frame["reason"] == ""], frame[frame["reason"] != ""]
    with atomic(folder / "index.parquet") as part:
        index = kept[SCHEMA.names].astype(object).where(kept[SCHEMA.names].notna(), None)
        pq.write_table(pa.Table.from_pandas(index, SCHEMA, preserve_index=False), part)
    prints = folder / "fingerprints.parquet"
    write_fingerprints(prints, kept["image"].to_list(), kept["prints"].to_list())
    with atomic(folder / "rejected.csv") as part:
        rejected[["image", "split", "reason"]].to_csv(part, index=False)


def _labels(frame: pd.DataFrame, spec: DatasetSpec) -> pd.Series:
    """The rank of each image: its age less the youngest, or without ages 0 female and 1 male.

    Raises UserError for an image without a gender where there are no ages.
    """
    if spec.ages is not None:
        return frame["age"] - spec.ages[0]
    ranks = frame["gender"].map({gender: rank for rank, gender in enumerate(GENDERS)})
    if ranks.isna().any():
        image = frame["image"][ranks.isna()].iloc[0]
        raise UserError(
            f"data set '{spec.name}': {ranks.isna().sum()} images without a gender, the first is "
            f"'{image}'; in a data set without ages each image needs one"
        )
    return ranks.astype(int)


def _in_parts(frame: pd.DataFrame, spec: DatasetSpec) -> pd.DataFrame:
    """Rows in the order train, valid, test; `row` keeps the place in the reader's order."""
    frame = frame.assign(label=_labels(frame, spec), row=np.arange(len(frame)), reason="")
    part = frame["split"].map(PARTS.index)
    return frame.iloc[np.argsort(part.to_numpy(), kind="stable")].reset_index(drop=True)


def _note(frame: pd.DataFrame, notes: Sequence[Note]) -> None:
    """Add landmarks, fingerprints and reasons to the frame."""
    frame["reason"] = [note.reason for note in notes]
    for column in ("landmarks", "prints"):
        values = [None if note.reason else getattr(note, column) for note in notes]
        frame[column] = pd.Series(values, dtype=object)


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
