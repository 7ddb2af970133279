"""The repaired split: no person, and no images that show the same, in two parts."""

import json
import os
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.sparse import coo_matrix
from scipy.sparse.csgraph import connected_components

from softbio.data.card import of_parts
from softbio.data.registry import REPAIRED
from softbio.data.splitlists import PARTS
from softbio.data.splits import assign
from softbio.data.traits import rank_count
from softbio.errors import UserError
from softbio.files import atomic

REPEATED = "identical image"
PROBLEM = (
    "This is the repaired split: of identical images one is kept, none where their labels differ; "
    "near-duplicates and subjects stay in one part; labels are stratified. What is said below of "
    "images in two parts holds for the published split."
)


@dataclass(frozen=True)
class Alike:
    """identical: number of each image's group of pixel-identical images, int (N,); near: pairs of
    rows that are near-duplicates, int (M, 2)."""

    identical: np.ndarray
    near: np.ndarray


@dataclass(frozen=True)
class Repaired:
    """part: train, valid, test or "removed" of each image, object (N,); reason: why it was removed,
    "" where it was not; group: number of its group, which must not be divided, int (N,)."""

    part: np.ndarray
    reason: np.ndarray
    group: np.ndarray


def groups_of(alike: Alike, subjects: pd.Series) -> np.ndarray:
    """Number of each image's group, int (N,): images joined, over any number of steps, by identical
    pixels, near-duplicates or a subject (None: unknown)."""
    n = len(alike.identical)
    people = pd.factorize(subjects)[0]
    known = np.flatnonzero(people >= 0)
    # an edge from each image to the first of its kind joins all of that kind
    start = np.concatenate([np.arange(n), known, alike.near[:, 0]])
    end = np.concatenate([_first(alike.identical), known[_first(people[known])], alike.near[:, 1]])
    edges = coo_matrix((np.ones(len(start), bool), (start, end)), (n, n))
    return connected_components(edges, directed=False)[1]


def _first(kind: np.ndarray) -> np.ndarray:
    """The first row of the same kind, for each row."""
    _, first, member = np.unique(kind, return_index=True, return_inverse=True)
    return first[member]


def removals(index: pd.DataFrame, identical: np.ndarray) -> np.ndarray:
    """Reason for which each image is removed, object (N,), "" for those that stay.

    Of identical images the first stays; none where they have more than one label, since it is
    unknown which is right.
    """
    reasons = np.full(len(index), "", object)
    images = index["image"].to_numpy(object)
    # what the ranks are of: the age where there are ages
    what = "gender" if index["age"].isna().all() else "age"
    labels = index[what].to_numpy()
    several = np.flatnonzero(np.bincount(identical)[identical] > 1)
    for places in pd.Series(several).groupby(identical[several]).indices.values():
        rows = several[places]
        if len(found := np.unique(labels[rows])) > 1:
            reasons[rows] = f"disputed {what}: identical images under {', '.join(map(str, found))}"
        else:
            reasons[rows[1:]] = f"{REPEATED}: the same as {images[rows[0]]}"
    return reasons


def repair(index: pd.DataFrame, alike: Alike) -> Repaired:
    """The repaired split of a data set (rows as in index.parquet), in parts of the published sizes.

    Where no subjects are known an image stays in its published part if groups and ages allow, so
    that the two splits are tested on nearly the same images. With subjects the parts are drawn
    again: to keep every subject that is in one part only would leave mostly people of few images
    in place. Raises UserError where the training or test part would be empty.
    """
    reason = removals(index, alike.identical)
    group = groups_of(alike, index["subject"])
    kept = np.flatnonzero(reason == "")
    published = index["split"].map(PARTS.index).to_numpy()
    shares = np.bincount(published, minlength=len(PARTS)) / max(len(index), 1)
    home = published[kept] if index["subject"].isna().all() else None
    part = np.full(len(index), "removed", object)
    labels = index["label"].to_numpy(int)[kept]
    part[kept] = np.array(PARTS, object)[assign(labels, group[kept], shares, home)]
    for name in ("train", "test"):
        if not (part == name).any():
            raise UserError(
                f"repaired split: the {name} part is empty, {len(kept)} images in "
                f"{len(np.unique(group[kept]))} groups are too few; add images to the data set"
            )
    return Repaired(part, reason, group)


def write_repaired(packed: Path, folder: Path, index: pd.DataFrame, repaired: Repaired) -> None:
    """Write the repaired split as a packed data set of its own, which shares the images.

    folder: split.csv (image, published, part, reason, group), index.parquet with parts and groups,
    card.json, and a link images.npy to that of `packed`.
    """
    frame = index.assign(split=repaired.part, group=repaired.group)
    columns = {"published": index["split"], "part": frame["split"], "reason": repaired.reason}
    listed = frame[["image"]].assign(**columns, group=frame["group"])
    with atomic(folder / "split.csv") as part:
        listed.to_csv(part, index=False)
    with atomic(folder / "images.npy") as part:
        part.unlink(missing_ok=True)
        part.symlink_to(os.path.relpath(packed / "images.npy", folder))
    with atomic(folder / "index.parquet") as part:
        frame.to_parquet(part)
    card = json.loads((packed / "card.json").read_text())
    card |= of_parts(frame, rank_count(card["ages"]))
    card |= {"name": f"{card['name']}{REPAIRED}", "title": f"{card['title']}, repaired split"}
    card["known_problems"] = [PROBLEM, *card["known_problems"]]
    with atomic(folder / "card.json") as part:
        part.write_text(json.dumps(card, indent=1, ensure_ascii=False) + "\n")
