"""Methods against each other on the same test images: from predictions to statistics.json."""

from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.files import write_json
from softbio.results.records import Records, by_method, read_json
from softbio.results.run import Run
from softbio.results.subjects import shown_in
from softbio.statistics.means import (
    Clusters,
    Interval,
    bootstrap,
    both,
    clustered,
    effect_size,
    holm,
    seed_interval,
    sign_flip_p,
)

ALPHA = 0.05
RULE = (
    "Separated: the 95 % interval of the difference for new seeds and new test images (Welch over "
    "seeds and BCa bootstrap over images, combined) excludes zero, and the paired sign-flip test "
    "over test images gives p < .05 after Holm's correction for all pairs of the report."
)


@dataclass(frozen=True)
class Uncertainty:
    """The uncertainty of one method's MAE: sample SD (n-1) over seeds (NaN for one seed), and mean
    over seeds with its interval for other test images. units: number of subjects, or of images
    where no subject is known."""

    dataset: str
    backbone: str
    method: str
    selection: str
    seeds: int
    units: int
    by_subject: bool
    seed_sd: float
    images: Interval


@dataclass(frozen=True)
class Pair:
    """Method a against method b, differences as MAE of a minus MAE of b, in years.

    images: interval for other test images, these seeds; seeds: for other seeds, these images;
    total: for both; the latter two are None where either method has a single seed. p: sign-flip
    test, p_holm: corrected; effect: Cohen's d_z over images; relative: difference over the MAE of
    b.
    """

    dataset: str
    backbone: str
    selection: str
    a: str
    b: str
    seeds_a: int
    seeds_b: int
    units: int
    by_subject: bool
    images: Interval
    seeds: Interval | None
    total: Interval | None
    p: float
    p_holm: float
    effect: float
    relative: float

    @property
    def separated(self) -> bool | None:
        """By `RULE`; None where either method has a single seed."""
        if self.total is None:
            return None
        return self.total.excludes_zero and self.p_holm < ALPHA


@dataclass(frozen=True)
class Statistics:
    """All intervals and tests of a report."""

    uncertainties: tuple[Uncertainty, ...] = ()
    pairs: tuple[Pair, ...] = ()

    def between(self, dataset: str, backbone: str, selection: str = "last") -> list[Pair]:
        """The pairs of one contest."""
        key = (dataset, backbone, selection)
        return [p for p in self.pairs if (p.dataset, p.backbone, p.selection) == key]


@dataclass(frozen=True)
class Errors:
    """Absolute errors of one contest, in years: by method float (seeds, images), images in one
    order; subjects object (images,), where an image of an unknown subject is its own; None where no
    subject is known."""

    by_method: dict[str, np.ndarray]
    subjects: np.ndarray | None

    def clusters(self, values: np.ndarray) -> Clusters:
        """Values (images,) by subject."""
        return clustered(values, self.subjects)


def absolute_errors(records: Records, runs: dict[str, list[Run]], selection: str) -> Errors:
    """The errors of all runs of a contest, decoded as published.

    Raises UserError where two runs were not made on the same labelled images.
    """
    first: pd.DataFrame | None = None
    found: dict[str, list[np.ndarray]] = {}
    for method, own in runs.items():
        for run in own:
            frame = records.predictions(run, selection).frame.set_index("image")
            first = frame if first is None else first
            where = records.folders[run] / "predictions.parquet"
            frame = _in_order_of(first, frame, where)
            error = (frame["prediction"] - frame["label"]).abs()
            found.setdefault(method, []).append(error.to_numpy(float))
    subjects = None if first["subject"].isna().all() else shown_in(first.reset_index())
    return Errors({method: np.stack(rows) for method, rows in found.items()}, subjects)


def _in_order_of(first: pd.DataFrame, frame: pd.DataFrame, path: Path) -> pd.DataFrame:
    if len(frame) != len(first) or not frame.index.isin(first.index).all():
        raise UserError(
            f"{path}: its {len(frame)} images are not the {len(first)} of the other runs; "
            "predict again on the same data set"
        )
    frame = frame.loc[first.index]
    if not (frame["label"] == first["label"]).all():
        raise UserError(f"{path}: its labels are not those of the other runs; predict again")
    return frame


def _uncertainties(errors: Errors, **where: str) -> Iterator[Uncertainty]:
    for method, rows in errors.by_method.items():
        values = errors.clusters(rows.mean(axis=0))
        means = rows.mean(axis=1)
        yield Uncertainty(
            **where,
            method=method,
            seeds=len(rows),
            units=len(values.sums),
            by_subject=errors.subjects is not None,
            seed_sd=float(means.std(ddof=1)) if len(means) > 1 else float("nan"),
            images=bootstrap(values),
        )


def pairs_of(errors: Errors, **where: str) -> Iterator[Pair]:
    """Every pair of methods; p_holm is left at p, since the family is the whole report."""
    for a, b in combinations(errors.by_method, 2):
        one, other = errors.by_method[a], errors.by_method[b]
        difference = one.mean(axis=0) - other.mean(axis=0)
        values = errors.clusters(difference)
        seeds = seed_interval(one.mean(axis=1), other.mean(axis=1))
        images, p = bootstrap(values), sign_flip_p(values)
        yield Pair(
            **where,
            a=a,
            b=b,
            seeds_a=len(one),
            seeds_b=len(other),
            units=len(values.sums),
            by_subject=errors.subjects is not None,
            images=images,
            seeds=seeds,
            total=both(seeds, images),
            p=p,
            p_holm=p,
            effect=effect_size(difference),
            relative=float(difference.mean() / other.mean()) if other.mean() else float("nan"),
        )


def compare(records: Records) -> Statistics:
    """Every pair of methods on each data set, backbone and selection that both have.

    Raises UserError where their predictions are not of the same images.
    """
    uncertainties: list[Uncertainty] = []
    pairs: list[Pair] = []
    for dataset in records.datasets:
        for backbone in records.backbones(dataset):
            runs = by_method(records.select(dataset, backbone))
            for selection in ("last", "best"):
                having = {
                    method: own
                    for method, own in runs.items()
                    if np.isfinite(records.values(own, "mae", selection)).all()
                }
                if not having:
                    continue
                where = {"dataset": dataset, "backbone": backbone, "selection": selection}
                errors = absolute_errors(records, having, selection)
                uncertainties += _uncertainties(errors, **where)
                pairs += pairs_of(errors, **where)
    return Statistics(tuple(uncertainties), tuple(corrected(pairs)))


def corrected(pairs: list[Pair]) -> list[Pair]:
    """Holm's correction over all pairs."""
    adjusted = holm([pair.p for pair in pairs])
    return [replace(pair, p_holm=float(p)) for pair, p in zip(pairs, adjusted, strict=True)]


def write_statistics(records: Records, out: Path) -> Statistics:
    """Compare, and write statistics.json."""
    statistics = compare(records)
    write_json(out, asdict(statistics))
    return statistics


def read_statistics(path: Path) -> Statistics:
    """A file of `write_statistics`; raises UserError where it is not one."""
    record = read_json(path)

    def entry(kind: type, values: dict) -> Uncertainty | Pair:
        filled = {
            key: Interval(**item) if isinstance(item, dict) else item
            for key, item in values.items()
        }
        return kind(**filled)

    try:
        uncertainties = (entry(Uncertainty, values) for values in record["uncertainties"])
        pairs = (entry(Pair, values) for values in record["pairs"])
        return Statistics(tuple(uncertainties), tuple(pairs))
    except (KeyError, TypeError) as error:
        raise UserError(
            f"{path}: not a statistics file ({error}); delete it and run again"
        ) from None
