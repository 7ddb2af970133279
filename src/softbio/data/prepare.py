"""From an archive of images to one packed array, its index and its data card."""

import hashlib
import json
import logging
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import PIL
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from softbio.data.card import make_card
from softbio.data.expected import differences
from softbio.data.fetch import Sources, locate
from softbio.data.fingerprints import write_fingerprints
from softbio.data.matching import match
from softbio.data.packing import ARRAY, Note, identity_of, packing
from softbio.data.pictures import Drawn, Picture, decoded, pictures
from softbio.data.readers import Records, read
from softbio.data.registry import DatasetSpec
from softbio.data.splitlists import PARTS, check_present, check_records
from softbio.errors import UserError
from softbio.files import atomic, room
from softbio.sources import modules_sha256

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
    unfinished. A run that was killed is gone on with, unless the source, the entry or the code is
    another one by now; the result is the same, byte for byte. Images that do not decode are left
    out and listed in rejected.csv; above the share `max_rejected` of all images they are an error.
    Raises UserError for that, for what `locate` and the reader find wrong, and for a full disk.
    """
    folder = Path(folder)
    if spec.ages is None:
        raise UserError(
            f"data set '{spec.name}' has no ages: it can be aligned, but not packed for ages; "
            "take it off the config's grid"
        )
    sources = locate(spec, raw)
    records = read(spec, sources)
    check_records(records.frame, spec.ages, f"data set '{spec.name}'")
    differences(spec, records.frame, "listed")
    frame = _in_parts(records.frame, spec.ages[0])
    faces = _faces(frame, records, sources)
    job = Drawn(records.draw) if records.draw else decoded
    identity = identity_of(size, asdict(spec), faces.version, _table(frame), _code())
    need = len(frame) * size * size * 3 + SLACK
    with room(folder, need - _there(folder)):
        with packing(folder, len(frame), size, identity) as under_way:
            done = pictures(faces.tasks(under_way.notes), job, size, workers)
            already = len(under_way.notes)
            under_way.add(_progress(done, len(frame), already, spec.name))
            _note(frame, under_way.notes)
            _check_rejected(spec, frame, max_rejected, sources.images)
            under_way.finish([row for row, reason in enumerate(frame["reason"]) if not reason])
            # from here on the files of an earlier run do not belong together
            (folder / "card.json").unlink(missing_ok=True)
            (folder / ARRAY).replace(folder / "images.npy")
        _write_tables(folder, frame)
        kept = frame[frame["reason"] == ""]
        card = make_card(spec, size, kept, len(frame) - len(kept), sources)
        if missing := card.missing_ranks["train"]:
            log.warning("%s: ranks without a training image: %s", spec.name, missing)
        with atomic(folder / "card.json") as part:
            part.write_text(json.dumps(asdict(card), indent=1, ensure_ascii=False) + "\n")


def _write_tables(folder: Path, frame: pd.DataFrame) -> None:
    """index.parquet and fingerprints.parquet of what decodes, rejected.csv of the rest."""
    kept, rejected = frame[frame["reason"] == ""], frame[frame["reason"] != ""]
    with atomic(folder / "index.parquet") as part:
        index = kept[SCHEMA.names].astype(object).where(kept[SCHEMA.names].notna(), None)
        pq.write_table(pa.Table.from_pandas(index, SCHEMA, preserve_index=False), part)
    prints = folder / "fingerprints.parquet"
    write_fingerprints(prints, kept["image"].to_list(), kept["prints"].to_list())
    with atomic(folder / "rejected.csv") as part:
        rejected[["image", "split", "reason"]].to_csv(part, index=False)


def _in_parts(frame: pd.DataFrame, youngest: int) -> pd.DataFrame:
    """Rows in the order train, valid, test; `row` keeps the place in the reader's order."""
    frame = frame.assign(label=frame["age"] - youngest, row=np.arange(len(frame)), reason="")
    part = frame["split"].map(PARTS.index)
    return frame.iloc[np.argsort(part.to_numpy(), kind="stable")].reset_index(drop=True)


@dataclass(frozen=True)
class _Faces:
    """What is to be packed.

    tasks: rows that are done -> (row, content of the file or face) of each other; version: what the
    content is, as far as the checksums of the sources do not tell.
    """

    tasks: Callable[[Collection[int]], Iterator[tuple[int, Any]]]
    version: list[Any]


def _faces(frame: pd.DataFrame, records: Records, sources: Sources) -> _Faces:
    if records.draw is not None:

        def drawn(done: Collection[int]) -> Iterator[tuple[int, Any]]:
            rows = enumerate(frame["row"])
            return ((row, records.faces[number]) for row, number in rows if row not in done)

        return _Faces(drawn, [])
    source = sources.open()
    names = list(frame["image"])
    files = match(names, source)
    check_present(names, files.values(), source.path)
    place = {image: row for row, image in enumerate(names)}
    rows = {name: place[image] for name, image in files.items()}

    def read_(done: Collection[int]) -> Iterator[tuple[int, Any]]:
        wanted = [name for name, row in rows.items() if row not in done]
        return ((rows[name], content) for name, content in source.read(wanted))

    found = [asdict(file) for file in sources.files]
    return _Faces(read_, [found, source.version(rows)])


def _table(frame: pd.DataFrame) -> str:
    """Hash of the rows as the reader gave them."""
    columns = frame[["image", "label", "split", "gender", "race", "subject", "row"]]
    return hashlib.sha256(columns.to_csv(index=False).encode(errors="surrogateescape")).hexdigest()


def _code() -> list[str]:
    """What turns files into pixels: all of this package, and the libraries that decode."""
    own = modules_sha256((), *sorted(Path(__file__).parent.rglob("*.py")))
    return [own, np.__version__, PIL.__version__, version("simplejpeg")]


def _there(folder: Path) -> int:
    """Bytes on disk of an array under way."""
    array = folder / ARRAY
    return array.stat().st_blocks * 512 if array.exists() else 0


def _note(frame: pd.DataFrame, notes: Mapping[int, Note]) -> None:
    """Landmarks, fingerprints and reasons into the frame."""
    if len(notes) < len(frame):
        raise RuntimeError(f"{len(frame) - len(notes)} images were not read")
    ordered = [notes[row] for row in range(len(frame))]
    frame["reason"] = [note.reason for note in ordered]
    for column in ("landmarks", "prints"):
        values = [None if note.reason else getattr(note, column) for note in ordered]
        frame[column] = pd.Series(values, dtype=object)


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
    done: Iterable[tuple[int, Picture]], total: int, already: int, label: str
) -> Iterator[tuple[int, Picture]]:
    """A bar on a terminal, else a line in the log every tenth."""
    if sys.stderr.isatty():
        yield from tqdm(done, desc=label, total=total, initial=already, unit="image")
        return
    for count, item in enumerate(done, start=already + 1):
        yield item
        if count * 10 // total > (count - 1) * 10 // total:
            log.info("%s: %d of %d images", label, count, total)
