"""The faces of a privacy benchmark: aligned data sets brought together at the size of its networks.

A population is one data set, divided into all four parts, or two: "celeba_to_lfw" learns from
CelebA and is judged on LFW. Subjects are kept apart within a data set. Whether two data sets show
some of the same people is not known: CelebA numbers its subjects, LFW names them.
"""

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
import torch

from softbio.data.alignment.align import load_aligned
from softbio.data.packed import write_header
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.evaluators.crop import crop, parts
from softbio.evaluators.registry import CANVAS, FRAME
from softbio.files import atomic, room, write_json
from softbio.privacy import GENDERS
from softbio.privacy.plan import members

logger = logging.getLogger(__name__)
# rank 0 for all: the engine's arrays need a label, and nothing here reads it
AGES = (0, 0)
COLUMNS = ["image", "label", "age", "split", "gender", "race", "subject", "age_group", "landmarks"]
COLUMNS += ["dataset"]


@dataclass(frozen=True)
class LeftOut:
    """How many images of a data set take no part, and why."""

    dataset: str
    reason: str
    images: int


@dataclass(frozen=True)
class PopulationCard:
    """What a population is made of; datasets: the registry's entries by name."""

    name: str
    size: int
    ages: tuple[int, int]
    datasets: dict[str, DatasetSpec]
    images: dict[str, int]
    left_out: tuple[LeftOut, ...]


def gather(
    name: str, aligned: Sequence[Path], specs: Mapping[str, DatasetSpec], size: int, folder: Path
) -> None:
    """Write the faces of a population as a packed data set: images.npy uint8 (N, size, size, 3) of
    the square FRAME, index.parquet (`COLUMNS`; landmarks as fractions of the side), card.json, and
    left_out.csv (dataset, image, reason).

    aligned: folders of `data.alignment.align`, in the order of `members(name)`. Left out, and
    listed, are images without a face, a gender or a subject; of a data set without subjects each
    image is one of its own. Where both data sets have images of one name, those of the first are
    named by it too. Raises UserError where nothing is left, a picture is in both under one name,
    and for a full disk.
    """
    names = members(name)
    found = [
        _member(path, specs[each], each, size) for path, each in zip(aligned, names, strict=True)
    ]
    index = pd.concat([rows for _, rows, _ in found], ignore_index=True)
    if len(names) > 1:
        # numbers and names of people mean something within their own data set alone
        first = index["dataset"] == names[0]
        index.loc[first, "subject"] = names[0] + ":" + index.loc[first, "subject"].astype(str)
        if index["image"].duplicated().any():
            _check_apart(name, aligned)
            # those that are judged keep theirs, which a pair list may name
            index.loc[first, "image"] = names[0] + ":" + index.loc[first, "image"]
    lost = pd.concat([rows for _, _, rows in found], ignore_index=True)
    with room(folder, len(index) * size * size * 3):
        with atomic(folder / "images.npy") as part, open(part, "wb") as file:
            write_header(file, len(index), size)
            for cut in (cut for images, _, _ in found for cut in images):
                file.write(cut.tobytes())
        with atomic(folder / "index.parquet") as part:
            index[COLUMNS].to_parquet(part)
        with atomic(folder / "left_out.csv") as part:
            lost.to_csv(part, index=False)
        counts = Counter(zip(lost["dataset"], lost["reason"], strict=True))
        card = PopulationCard(
            name=name,
            size=size,
            ages=AGES,
            # the folder of the images on this machine is private
            datasets={each: replace(specs[each], source=None) for each in names},
            images=index["dataset"].value_counts().to_dict(),
            left_out=tuple(LeftOut(*key, images) for key, images in sorted(counts.items())),
        )
        write_json(folder / "card.json", asdict(card))
    for entry in card.left_out:
        logger.warning("%s: %d images left out: %s", entry.dataset, entry.images, entry.reason)


def _check_apart(name: str, aligned: Sequence[Path]) -> None:
    """Raise UserError where two data sets show one picture under one name: what is judged on would
    have been learnt from."""
    learnt, judged = map(load_aligned, aligned)
    rows = {image: row for row, image in enumerate(learnt.index["image"])}
    for row, image in enumerate(judged.index["image"]):
        if image in rows and np.array_equal(judged.images[row], learnt.images[rows[image]]):
            raise UserError(
                f"{name}: image '{image}' is in both data sets; choose others, or leave "
                "privacy.test out to divide one data set"
            )


def _member(path: Path, spec: DatasetSpec, dataset: str, size: int) -> tuple:
    """Batches of faces, their rows of the index, and the rows that were left out."""
    aligned = load_aligned(path)
    index = aligned.index.assign(label=0, dataset=dataset)
    if not spec.subjects:
        logger.warning(
            "%s: has no subjects: each image counts as one, so a person may be in two parts and no "
            "mated comparison can be made",
            dataset,
        )
        index["subject"] = index["image"]
    gender, subject = index["gender"].isin(GENDERS), index["subject"].notna()
    kept = (gender & subject).to_numpy()
    if not gender.any():
        raise UserError(
            f"data set '{dataset}': no face has a gender label, which hiding gender needs; choose "
            "another data set"
        )
    if not kept.any():
        raise UserError(
            f"data set '{dataset}': no face has both a gender and a subject label; if it has no "
            f"subject labels at all, set datasets.{dataset}.subjects: false"
        )
    reasons = np.where(gender, "its subject is not told", "its gender is not told")
    lost = index.loc[~kept, ["dataset", "image"]].assign(reason=reasons[~kept])
    unfound = pd.read_csv(path / "rejected.csv", dtype=str).assign(dataset=dataset)
    lost = pd.concat([unfound[["dataset", "image", "reason"]], lost], ignore_index=True)
    rows, side = np.flatnonzero(kept), aligned.images.shape[1]
    index = index.iloc[rows].reset_index(drop=True)
    index["landmarks"] = [_fractions(row, side, size) for row in index["landmarks"]]
    return (cut(aligned.images, rows, size), index, lost)


def cut(images: np.ndarray, rows: np.ndarray, size: int):
    """Batches uint8 (B, size, size, 3) of the square FRAME, of aligned canvases."""
    for start in range(0, len(rows), 1024):
        for batch in parts(images[rows[start : start + 1024]]):
            faces = crop(batch, FRAME, size).round().clamp(0, 255).to(torch.uint8)
            yield faces.permute(0, 2, 3, 1).contiguous().numpy()


def _fractions(landmarks: np.ndarray | None, side: int, size: int) -> list[float] | None:
    """Landmarks (136,) in pixels of the canvas -> fractions of the side of FRAME, so that times
    `size` they are pixels of the face. Pixels are counted from the centre of the first."""
    if landmarks is None:
        return None
    units = (np.asarray(landmarks, float) + 0.5) * (2 * CANVAS.half / side)
    corner = np.array([FRAME.cx - CANVAS.cx, FRAME.cy - CANVAS.cy]) + CANVAS.half - FRAME.half
    inside = (units - np.tile(corner, len(units) // 2)) / (2 * FRAME.half)
    return (inside - 0.5 / size).tolist()
