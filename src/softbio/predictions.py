"""predictions.parquet: the contract between what computes predictions and what judges them."""

from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from softbio.data.packed import Packed
from softbio.errors import UserError
from softbio.files import atomic

GROUPS = ["gender", "race", "subject"]
COLUMNS = ["image", "selection", "label", "prediction", "probabilities", *GROUPS]


@dataclass(frozen=True)
class About:
    """What a predictions file says of itself, in its schema's metadata.

    kind: what the probabilities are, "class" (P(y = k), K of them), "exceedance" (P(y > k), K-1)
    or "point" (none); ages: first and last age, so that rank 0 is ages[0]; title: the method as it
    is printed, in_talk: whether the talk has it; "" and None where the file does not say.
    """

    dataset: str
    backbone: str
    method: str
    variant: str
    seed: int
    kind: str
    ages: tuple[int, int]
    title: str = ""
    in_talk: bool | None = None

    @property
    def k(self) -> int:
        """Number of ranks."""
        return self.ages[1] - self.ages[0] + 1


def prediction_frame(
    packed: Packed, rows: np.ndarray, selection: str, ranks: np.ndarray, probabilities: np.ndarray
) -> pd.DataFrame:
    """The rows of a predictions file for one selection ("last" or "best").

    rows int (N,) into the data set; ranks int (N,); probabilities float (N, K, K-1 or 0).
    """
    frame = packed.index.iloc[rows][["image", "label", *GROUPS]].reset_index(drop=True)
    frame = frame.assign(selection=selection, prediction=ranks, probabilities=list(probabilities))
    return frame[COLUMNS]


def write_predictions(path: Path, about: About, frame: pd.DataFrame) -> None:
    """Write predictions.parquet from a frame with `COLUMNS`."""
    metadata = asdict(about) | {"ages": f"{about.ages[0]}-{about.ages[1]}"}
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

    Raises UserError where a column or an entry of the metadata is missing.
    """
    try:
        table = pq.read_table(path)
        metadata = table.schema.metadata or {}
        entries = {key.decode(): value.decode() for key, value in metadata.items()}
        first, last = entries["ages"].split("-")
        names = {key: entries[key] for key in ("dataset", "backbone", "method", "variant", "kind")}
        about = About(
            **names,
            seed=int(entries["seed"]),
            ages=(int(first), int(last)),
            title=entries.get("title", ""),
            in_talk={"True": True, "False": False}.get(entries.get("in_talk")),
        )
        return about, table.select(COLUMNS).to_pandas()
    except (OSError, pa.ArrowException, KeyError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise UserError(
            f"{path}: not a predictions file ({reason}); see config/README.md"
        ) from None
