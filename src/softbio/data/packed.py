"""The packed data set: one uint8 array and one index, as the engine reads them."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pandas as pd

from softbio.data.traits import Ages, rank_count, rank_name, trait_of
from softbio.errors import UserError
from softbio.files import sha256

COLUMNS = ["image", "label", "age", "split", "gender", "race", "subject", "age_group", "landmarks"]

# every run reads these, and its predictions carry them on
NEEDED = ["image", "label", "split", "gender", "race", "subject"]


@dataclass(frozen=True)
class Packed:
    """A data set at one size.

    images: uint8 (N, size, size, 3) RGB, memory-mapped; index: N rows in the same order with the
    columns `COLUMNS`, and `group` where the split is repaired; ages: first and last age, so that
    rank 0 is ages[0]; None where none are known: then rank 0 is female and rank 1 male; cut: what
    was packed of each image, as its card says it, None where that does not.
    """

    images: np.ndarray
    index: pd.DataFrame
    ages: Ages
    cut: str | None = None

    @property
    def k(self) -> int:
        """Number of ranks."""
        return rank_count(self.ages)

    @property
    def trait(self) -> str:
        """What the labels are: age or gender."""
        return trait_of(self.ages)

    def rank_name(self, rank: int) -> str:
        """A rank in words: "age 23", "gender male"."""
        return f"{self.trait} {rank_name(self.ages, rank)}"

    @property
    def labels(self) -> np.ndarray:
        """Ranks, int64 (N,), 0..K-1."""
        return self.index["label"].to_numpy(np.int64)

    @property
    def subjects(self) -> np.ndarray | None:
        """Subject of each image, object (N,); None where any is unknown."""
        column = self.index["subject"]
        return None if column.isna().any() else column.to_numpy(object)

    @property
    def groups(self) -> np.ndarray | None:
        """Groups that must not be divided, int (N,); None where the split is the published one."""
        return self.index["group"].to_numpy() if "group" in self.index else None

    def rows(self, split: str) -> np.ndarray:
        """Row numbers (int64, ascending) of one part: train, valid or test."""
        return np.flatnonzero((self.index["split"] == split).to_numpy())


def write_header(file: BinaryIO, n: int, size: int) -> None:
    """The header of an array of n images, uint8 (n, size, size, 3); of one length for any n."""
    header = {"descr": "|u1", "fortran_order": False, "shape": (n, size, size, 3)}
    np.lib.format.write_array_header_1_0(file, header)


def content_sha256(folder: Path | str, ages: Ages) -> str:
    """One hash of everything that a training reads of a packed folder: pixels, index and ages.

    Two crops of the same images differ in images.npy alone, and ages without images give the same
    index other ranks. Reads all of images.npy, once and from its beginning.
    """
    read = (sha256(Path(folder) / name) for name in ("images.npy", "index.parquet"))
    return hashlib.sha256(json.dumps([*read, ages]).encode()).hexdigest()


def load_packed(folder: Path | str) -> Packed:
    """Open a packed folder (images.npy, index.parquet, card.json).

    Raises UserError where it is absent, or where array and index do not belong together.
    """
    folder = Path(folder)
    try:
        # copy-on-write, because torch warns of arrays that it cannot write to
        images = np.load(folder / "images.npy", mmap_mode="c", allow_pickle=False)
        index = pd.read_parquet(folder / "index.parquet")
        card = json.loads((folder / "card.json").read_text())
        ages, cut = card["ages"], card.get("cut")
        first, last = (0, 1) if ages is None else map(int, ages)
        lacking = [column for column in NEEDED if column not in index]
        if lacking or not pd.api.types.is_integer_dtype(index["label"]):
            raise ValueError(f"index.parquet lacks {', '.join(lacking) or 'whole labels'}")
    except (OSError, EOFError, ValueError, TypeError, KeyError) as error:
        raise UserError(f"{folder}: not a packed data set ({error}); prepare it again") from None
    if images.dtype != np.uint8 or images.shape != (len(index), *images.shape[1:2] * 2, 3):
        raise UserError(
            f"{folder}: images.npy {images.dtype}{images.shape} does not fit the {len(index)} rows "
            "of index.parquet; delete the folder and prepare it again"
        )
    packed = Packed(images, index, None if ages is None else (first, last), cut)
    if not ((packed.labels >= 0) & (packed.labels < packed.k)).all():
        raise UserError(f"{folder}: a label is outside the {packed.k} ranks; prepare it again")
    return packed
