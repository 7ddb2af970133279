"""From predictions.parquet to metrics.json."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.files import write_json
from softbio.metrics import ordinal
from softbio.metrics.calibration import calibration_scalars
from softbio.results.predictions import About, read_predictions


@dataclass(frozen=True)
class Part:
    """Error of one part of the test images: an age or a demographic group."""

    by: str
    group: str
    n: int
    mae: float | None
    bias: float | None


@dataclass(frozen=True)
class Result:
    """All numbers of one selection ("last", "best") under one decoding.

    decoding: "published" is the method's own rule, "expected" the expected value. scalars: by
    metric, None where it does not apply; cs: CS(0..15).
    """

    selection: str
    decoding: str
    n: int
    scalars: dict[str, float | None]
    cs: list[float]
    by_age: list[dict[str, float | None]]
    never_predicted_ages: list[int]
    groups: list[Part]


def evaluate(about: About, frame: pd.DataFrame) -> list[Result]:
    """Results of each selection in a predictions file, under each decoding that it allows.

    Raises UserError for no rows, for an image that is there twice in one selection, and for labels
    or predictions outside the file's own age range.
    """
    if about.ages is None:
        raise UserError(
            f"predictions: of gender ({about.dataset}), which has no errors in years; put them "
            "into results/NAME/gender, where they are judged by accuracy"
        )
    if frame.empty:
        raise UserError(
            "predictions: no test image in the file; predict again on a filled test set"
        )
    twice = frame.duplicated(["selection", "image"])
    if twice.any():
        image = frame.loc[twice, "image"].iloc[0]
        raise UserError(
            f"predictions: image {image} is there twice; keep the predictions of one run"
        )
    k = about.k
    for column in ("label", "prediction"):
        if not frame[column].between(0, k - 1).all():
            raise UserError(
                f"predictions: a {column} is outside the ranks 0..{k - 1} of {about.ages}"
            )
    results = []
    for selection in frame["selection"].unique():
        part = frame[frame["selection"] == selection]
        for decoding, predictions, probabilities in decodings(about, part):
            results.append(
                evaluate_one(about, part, selection, decoding, predictions, probabilities)
            )
    return results


def decodings(
    about: About, part: pd.DataFrame
) -> Iterator[tuple[str, np.ndarray, np.ndarray | None]]:
    """Name, predicted ranks (N,) and probabilities of each decoding."""
    published = part["prediction"].to_numpy(np.int64)
    if about.kind == "point":
        yield "published", published, None
        return
    width = about.k if about.kind == "class" else about.k - 1
    if not (part["probabilities"].str.len() == width).all():
        raise UserError(
            f"predictions: kind '{about.kind}' and ages {about.ages} need {width} probabilities "
            "an image"
        )
    probabilities = np.stack(part["probabilities"].to_list())
    yield "published", published, probabilities
    yield "expected", ordinal.expected_rank(probabilities, about.kind), probabilities


def evaluate_one(
    about: About,
    part: pd.DataFrame,
    selection: str,
    decoding: str,
    predictions: np.ndarray,
    probabilities: np.ndarray | None,
) -> Result:
    """All numbers of one selection under one decoding; see `Result`."""
    labels = part["label"].to_numpy(np.int64)
    ranks = np.rint(predictions).astype(np.int64)
    first = about.ages[0]
    counts, by_rank, bias_by_rank = ordinal.mae_by_rank(labels, predictions, about.k)
    seen = counts > 0
    cs = ordinal.cumulative_score(labels, predictions)
    never = np.setdiff1d(labels, ranks) + first
    scalars = {
        "mae": ordinal.mae(labels, predictions),
        "rmse": ordinal.rmse(labels, predictions),
        "cs5": cs[5],
        "accuracy": float((ranks == labels).mean()),
        "amae": by_rank[seen].mean(),
        "mmae": by_rank[seen].max(),
        "qwk": ordinal.quadratic_weighted_kappa(labels, ranks),
        "bias": float((predictions - labels).mean()),
        "never_predicted": len(never),
    }
    scalars |= calibration_scalars(labels, probabilities, about.kind)
    if about.kind == "exceedance":
        scalars |= _inconsistency_means(ordinal.inconsistencies(probabilities), ranks == labels)
    by_age = [
        {"age": int(first + rank), "n": int(counts[rank]), "mae": by_rank[rank], "bias": bias}
        for rank, bias in enumerate(bias_by_rank)
        if seen[rank]
    ]
    groups = list(_group_errors(part, predictions - labels))
    return Result(
        selection=selection,
        decoding=decoding,
        n=len(part),
        scalars=scalars,
        cs=cs.tolist(),
        by_age=by_age,
        never_predicted_ages=never.tolist(),
        groups=groups,
    )


def _inconsistency_means(counts: np.ndarray, correct: np.ndarray) -> dict[str, float]:
    """Mean per image over all, correctly and incorrectly predicted images (NaN over none)."""
    parts = {"": np.ones_like(correct), "_correct": correct, "_incorrect": ~correct}
    means = {
        f"inconsistencies{name}": counts[mask].mean() if mask.any() else float("nan")
        for name, mask in parts.items()
    }
    return means | {"inconsistent_images": (counts > 0).mean()}


def _group_errors(part: pd.DataFrame, errors: np.ndarray) -> Iterator[Part]:
    for by in ("gender", "race"):
        for group, rows in part.groupby(part[by].reset_index(drop=True).to_numpy()).indices.items():
            own = errors[rows]
            yield Part(by, str(group), len(rows), float(np.abs(own).mean()), float(own.mean()))


def evaluate_file(predictions: Path, out: Path) -> None:
    """Write metrics.json of a predictions file: its `About` and all `Result`s."""
    about, frame = read_predictions(predictions)
    try:
        results = evaluate(about, frame)
    except UserError as error:
        raise UserError(f"{predictions}: {error}") from None
    record = asdict(about) | {"results": [asdict(result) for result in results]}
    write_json(out, record)
