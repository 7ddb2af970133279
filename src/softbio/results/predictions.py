"""predictions.parquet: the contract between what computes predictions and what judges them."""

import re
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.files import atomic
from softbio.data.traits import Ages, rank_count

GROUPS = ["gender", "race", "subject", "age_group"]
COLUMNS = ["image", "selection", "label", "prediction", "probabilities", *GROUPS]
# files of others, and of earlier versions, do without
OPTIONAL = "age_group"
# what a file says of its ages where the trait is gender
GENDER = "gender"
KINDS = ("class", "exceedance", "point")


@dataclass(frozen=True)
class About:
    """Metadata of a predictions file, in its schema.

    kind: what the probabilities are, "class" (P(y = k), K of them), "exceedance" (P(y > k), K-1)
    or "point" (none); ages: first and last age, so that rank 0 is ages[0], None where the trait is
    gender (rank 0 female, rank 1 male); title: the method as it is printed; in_talk: whether the
    talk has it; "" and None where the file has no such entry.
    """

    dataset: str
    backbone: str
    method: str
    variant: str
    seed: int
    kind: str
    ages: Ages
    title: str = ""
    in_talk: bool | None = None

    @property
    def k(self) -> int:
        """Number of ranks."""
        return rank_count(self.ages)


def prediction_frame(
    packed: Packed, rows: np.ndarray, selection: str, ranks: np.ndarray, probabilities: np.ndarray
) -> pd.DataFrame:
    """The rows of a predictions file for one selection ("last" or "best").

    rows int (N,) into the data set; ranks int (N,); probabilities float (N, K, K-1 or 0).
    """
    # a data set that was packed before there were age groups has none
    index = packed.index.reindex(columns=["image", "label", *GROUPS])
    frame = index.iloc[rows].reset_index(drop=True)
    frame = frame.assign(selection=selection, prediction=ranks, probabilities=list(probabilities))
    return frame[COLUMNS]


def write_predictions(path: Path, about: About, frame: pd.DataFrame) -> None:
    """Write predictions.parquet from a frame with `COLUMNS`; `OPTIONAL` may be absent."""
    frame = frame.assign(**{OPTIONAL: frame.get(OPTIONAL)})
    ages = "-".join(map(str, about.ages)) if about.ages else GENDER
    metadata = asdict(about) | {"ages": ages}
    schema = pa.schema(
        [
            ("image", pa.string()),
            ("selection", pa.string()),
            ("label", pa.int32()),
            ("prediction", pa.int32()),
            ("probabilities", pa.list_(pa.float32())),
            *((group, pa.string()) for group in GROUPS),
        ],
        metadata={name: str(value) for name, value in metadata.items()},
    )
    table = pa.Table.from_pandas(frame, schema=schema, preserve_index=False)
    with atomic(path) as part:
        pq.write_table(table.replace_schema_metadata(schema.metadata), part, compression="zstd")


def read_predictions(path: Path) -> tuple[About, pd.DataFrame]:
    """Read a file of `write_predictions`, also one that somebody else made.

    Raises UserError where a column or an entry of the metadata is missing or has no meaning.
    """
    try:
        table = pq.read_table(path)
        metadata = table.schema.metadata or {}
        entries = {key.decode(): value.decode() for key, value in metadata.items()}
        names = {key: entries[key] for key in ("dataset", "backbone", "method", "variant", "kind")}
        about = About(
            **names,
            seed=int(entries["seed"]),
            ages=_ages_of(entries["ages"]),
            title=entries.get("title", ""),
            in_talk={"True": True, "False": False}.get(entries.get("in_talk")),
        )
        if about.kind not in KINDS:
            raise ValueError(f"kind '{about.kind}' is none of {', '.join(KINDS)}")
        frame = table.select([name for name in COLUMNS if name != OPTIONAL]).to_pandas()
        groups = table[OPTIONAL].to_pandas() if OPTIONAL in table.column_names else None
        return about, frame.assign(**{OPTIONAL: groups})[COLUMNS]
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a predictions file ({reason}); see config/README.md"
        ) from None


def _ages_of(entry: str) -> Ages:
    """The ages that a file's metadata name; raises ValueError."""
    if entry == GENDER:
        return None
    found = re.fullmatch(r"(\d{1,3})-(\d{1,3})", entry)
    if found is None or int(found[1]) >= int(found[2]):
        raise ValueError(f"ages '{entry}' are neither {GENDER} nor youngest-oldest, as in 21-60")
    return int(found[1]), int(found[2])
