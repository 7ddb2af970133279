"""Which test images are compared, and the scores of a matcher's embeddings."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.data.pairs import CAP, all_pairs, check_images, gallery_pairs, read_view2
from softbio.evaluators.interface import Matcher

# embeddings of so many pairs lie in memory at once
BATCH = 8192
GALLERY = "gallery"


@dataclass(frozen=True)
class Limits:
    """comparisons: at most so many mated, and so many non-mated, of all pairs; subjects: in the
    gallery, at most, out of those with two images; probes: of each of them, at most. Whole
    galleries grow with the square of a data set, and each condition and matcher has one."""

    comparisons: int = CAP
    subjects: int = 300
    probes: int = 5


@dataclass(frozen=True)
class PairList:
    """Comparisons to make, `frame` as `softbio.data.pairs` describes it, and how many there should
    have been whose images are not there."""

    frame: pd.DataFrame
    missing: int = 0


def pair_lists(
    index: pd.DataFrame, limits: Limits, listed: pd.DataFrame | None = None
) -> dict[str, PairList]:
    """The lists by their names: "all", "gallery" and, where a list is given, "view2".

    index: rows with image and subject. Equal for equal inputs. Raises UserError where no two
    images show one subject, or no two show different ones.
    """
    images, subjects = index["image"].to_numpy(object), index["subject"].to_numpy(object)
    found = {"all": PairList(all_pairs(images, subjects, limits.comparisons))}
    rows = gallery_rows(images, subjects, limits)
    found[GALLERY] = PairList(gallery_pairs(images[rows], subjects[rows]))
    if listed is not None:
        there = listed["reference"].isin(images) & listed["probe"].isin(images)
        found["view2"] = PairList(listed[there].reset_index(drop=True), int((~there).sum()))
    return found


def gallery_rows(images: np.ndarray, subjects: np.ndarray, limits: Limits) -> np.ndarray:
    """Rows of the images that identification is tried on: of subjects with two or more, chosen
    evenly in order of name, the first images by name."""
    frame = pd.DataFrame({"image": images, "subject": subjects}).astype(str)
    frame = frame.sort_values(["subject", "image"])
    several = frame["subject"].value_counts()
    several = np.sort(several.index[several > 1].to_numpy(object))
    if len(several) > limits.subjects:
        places = np.arange(limits.subjects) * len(several) // limits.subjects
        several = several[places]
    kept = frame[frame["subject"].isin(several)]
    return np.sort(kept.groupby("subject").head(1 + limits.probes).index.to_numpy())


def listed_pairs(
    path: Path, index: Path, left_out: Path | None = None, folds: int | None = None
) -> pd.DataFrame:
    """LFW's View 2 out of pairs.txt, all of it or its first folds.

    index: index.parquet of all faces; left_out: CSV with a column image, of those that are not
    among them for a reason. Raises UserError for a list that names any other image.
    """
    listed = read_view2(path)
    if folds is not None:
        listed = listed[listed["fold"] < folds]
    known = set(pd.read_parquet(index, columns=["image"])["image"])
    if left_out is not None:
        known |= set(pd.read_csv(left_out, dtype=str)["image"])
    check_images(listed, known, str(path))
    return listed


def compared(
    matcher: Matcher,
    listed: pd.DataFrame,
    images: np.ndarray,
    references: np.ndarray,
    probes: np.ndarray,
    closed: bool = False,
) -> tuple[pd.DataFrame, int]:
    """The list with a column score, similarities, and how many comparisons were left out because an
    embedding is not finite.

    images: object (N,), the names of the rows of both embeddings, float32 (N, D): references of
    one condition, probes of the same or another. closed: the references are a gallery, and a probe
    whose subject has lost its place there is left out.
    """
    row: Mapping[str, int] = {image: place for place, image in enumerate(images)}
    first, second = (listed[side].map(row).to_numpy() for side in ("reference", "probe"))
    lost = ~np.isfinite(references).all(1)[first]
    if closed:
        lost |= listed["probe_subject"].isin(listed["reference_subject"][lost]).to_numpy()
    kept = ~(lost | ~np.isfinite(probes).all(1)[second])
    first, second = first[kept], second[kept]
    stretches = [slice(start, start + BATCH) for start in range(0, len(first), BATCH)]
    scores = [matcher.compare(references[first[s]], probes[second[s]]) for s in stretches]
    frame = listed[kept].assign(score=np.concatenate([np.empty(0), *scores]))
    return frame.reset_index(drop=True), int((~kept).sum())
