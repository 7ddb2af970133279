"""The effect of single choices of the protocol, as far as runs of this report measure it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np

from softbio.data.registry import REPAIRED
from softbio.results.formats import signed
from softbio.results.labels import label
from softbio.results.names import Names
from softbio.results.records import Records, by_method
from softbio.results.run import Run

Values = Callable[[list[Run]], np.ndarray]


@dataclass(frozen=True)
class Effect:
    """One choice changed and all else equal: on which data set and backbone, and by method how many
    years the mean test MAE changes; names: of the methods."""

    choice: str
    place: str
    years: dict[str, float]
    names: Names = field(default_factory=Names)

    def __str__(self) -> str:
        changes = (f"{self.names.title(m)} {signed(years)}" for m, years in self.years.items())
        return f"{self.choice} ({self.place}): {', '.join(changes)} years"


def _difference(
    before: dict[str, list[Run]], after: dict[str, list[Run]], old: Values, new: Values
) -> dict[str, float]:
    """By method: mean after minus mean before, where both are known for the same seeds."""
    years = {}
    for method in before.keys() & after.keys():
        if [run.seed for run in before[method]] != [run.seed for run in after[method]]:
            continue
        change = float(new(after[method]).mean() - old(before[method]).mean())
        if np.isfinite(change):
            years[method] = change
    return {method: years[method] for method in before if method in years}


def effects(records: Records) -> Iterator[Effect]:
    """Every choice that some runs of the report differ in."""

    def mae(selection: str = "last", decoding: str = "published") -> Values:
        return lambda runs: records.values(runs, "mae", selection, decoding)

    for dataset in records.datasets:
        if dataset.endswith(REPAIRED):
            continue
        for backbone in records.backbones(dataset):
            own = by_method(records.select(dataset, backbone))
            weighted = by_method(records.select(dataset, backbone, "-weighted"))
            repaired = by_method(records.select(dataset + REPAIRED, backbone))
            place = f"{label(dataset)}, {label(backbone)}"
            for choice, after, new in (
                ("Best validation epoch instead of the last", own, mae("best")),
                ("Expected value instead of the published decoding", own, mae("last", "expected")),
                ("Task importance weights", weighted, mae()),
                ("Repaired split, whose test images differ", repaired, mae()),
            ):
                years = _difference(own, after, mae(), new)
                if years:
                    yield Effect(choice, place, years, records.names)
