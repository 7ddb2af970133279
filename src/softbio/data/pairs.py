"""Which images are compared: pair lists, before any matcher has seen them.

A pair list is a frame of `COLUMNS`, a row a comparison: reference and probe are image names, mated
says whether their subjects are one. It never compares an image with itself: an original and its
own protected version share more than the subject.
"""

from pathlib import Path

import numpy as np
import pandas as pd

from softbio.errors import UserError

COLUMNS = ["reference", "probe", "reference_subject", "probe_subject", "mated", "fold"]
SEED = 20191114
CAP = 30_000


def _frame(
    images: np.ndarray, subjects: np.ndarray, first: np.ndarray, second: np.ndarray
) -> pd.DataFrame:
    """The pair list of rows `first` with rows `second`; no folds."""
    columns = (images[first], images[second], subjects[first], subjects[second])
    frame = pd.DataFrame(dict(zip(COLUMNS, columns, strict=False)))
    return frame.assign(mated=subjects[first] == subjects[second], fold=-1)


def _by_subject(images: np.ndarray, subjects: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Images and subjects, as objects in order of subject and image name, so that a list does not
    depend on the order of a data set. Raises UserError for a repeated image and an unknown subject.
    """
    names = pd.DataFrame({"image": images, "subject": subjects})
    if names["subject"].isna().any():
        raise UserError("pairs: an image has no subject; comparisons need them")
    if names["image"].duplicated().any():
        raise UserError(
            f"pairs: {names['image'][names['image'].duplicated()].iloc[0]} occurs twice"
        )
    names = names.astype(str).sort_values(["subject", "image"])
    return names["image"].to_numpy(object), names["subject"].to_numpy(object)


def _some(many: int, cap: int) -> np.ndarray:
    """At most `cap` of the numbers below `many`, increasing: all of them, or one at random out of
    each of `cap` equal stretches, so that each subject gets its share."""
    if many <= cap:
        return np.arange(many)
    edges = np.arange(cap + 1) * many // cap
    return np.random.default_rng(SEED).integers(edges[:-1], edges[1:])


def all_pairs(images: np.ndarray, subjects: np.ndarray, cap: int = CAP) -> pd.DataFrame:
    """Every pair of different images once, mated first; at most `cap` of either kind, chosen evenly
    over the subjects and the same each time.

    30,000 non-mated comparisons are what an FMR of 0.1 % needs (`verification.supports`).

    images, subjects (N,) names. Raises UserError for repeated images, unknown subjects, and where
    a kind has no pair.
    """
    images, subjects = _by_subject(images, subjects)
    place = np.arange(len(images))
    # with images in order of subject, the partners of each are one stretch [from, to) of rows
    ends = np.searchsorted(subjects, subjects, side="right") if len(images) else place
    parts = []
    for kind, start, stop in (("mated", place + 1, ends), ("non-mated", ends, len(images))):
        before = np.r_[0, np.cumsum(stop - start)]
        chosen = _some(int(before[-1]), cap)
        if not len(chosen):
            raise UserError(f"pairs: no {kind} pair among {len(images)} images")
        first = np.searchsorted(before, chosen, side="right") - 1
        second = start[first] + chosen - before[first]
        parts.append(_frame(images, subjects, first, second))
    return pd.concat(parts, ignore_index=True)


def gallery_pairs(images: np.ndarray, subjects: np.ndarray) -> pd.DataFrame:
    """Closed-set identification, 1 to n: the first image by name of each subject with two or more
    is the gallery; their others are the probes, each compared with the whole gallery.

    images, subjects (N,) names. Raises UserError as `all_pairs` does.
    """
    images, subjects = _by_subject(images, subjects)
    _, start, count = np.unique(subjects, return_index=True, return_counts=True)
    gallery = start[count > 1]
    if not len(gallery):
        raise UserError("pairs: no subject has two images; identification needs them")
    first = np.isin(subjects, subjects[gallery])
    first[gallery] = False
    probes = np.flatnonzero(first)
    rows = np.tile(gallery, len(probes)), np.repeat(probes, len(gallery))
    return _frame(images, subjects, *rows)


def read_view2(path: Path) -> pd.DataFrame:
    """LFW's View 2 (Huang et al. 2007): folds of as many mated as non-mated pairs, in the authors'
    pairs.txt; images are named as in their archive, Name/Name_0001.jpg.

    Raises UserError, which names the line, for a file that is not one.
    """
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UserError(f"{path}: not readable as LFW's pairs.txt ({error})") from None
    try:
        folds, each = (int(word) for word in lines[0].split())
    except (IndexError, ValueError):
        raise UserError(f"{path}: line 1 is not the number of folds and of pairs") from None
    if len(lines) != 1 + 2 * folds * each:
        raise UserError(f"{path}: {len(lines) - 1} pairs, not 2 x {folds} x {each} as line 1 says")
    rows = []
    for number, line in enumerate(lines[1:]):
        fold, place = divmod(number, 2 * each)
        rows.append((*_view2_pair(path, number + 2, line, place < each), place < each, fold))
    return pd.DataFrame(rows, columns=COLUMNS)


def _view2_pair(path: Path, number: int, line: str, mated: bool) -> tuple[str, str, str, str]:
    """Images and subjects of "name n m" or "name n name m"."""
    words = line.split("\t")
    try:
        a, i, b, j = (words[0], words[1], words[0], words[2]) if mated else words
        names = [f"{name}/{name}_{int(count):04d}.jpg" for name, count in ((a, i), (b, j))]
    except (IndexError, ValueError):
        kind = "name n m" if mated else "name n name m"
        raise UserError(f"{path}: line {number} is not '{kind}', separated by tabs") from None
    return *names, a, b


def check_images(pairs: pd.DataFrame, images: np.ndarray, place: str) -> None:
    """Raises UserError for a pair list that names an image which `images` lacks; `place` is what
    the message calls the list."""
    named = pd.unique(pd.concat([pairs["reference"], pairs["probe"]]))
    missing = sorted(set(named) - set(images))
    if missing:
        raise UserError(
            f"{place}: {len(missing)} of {len(named)} images are not in the data set, the first is "
            f"{missing[0]}; its index.parquet holds the names"
        )
