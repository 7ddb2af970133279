"""Data sets that a benchmark needs and that are not here: reported, or left out on request."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from softbio.data.fetching.locate import RECEIPT, lacking
from softbio.data.registry import DatasetSpec
from softbio.errors import UserError
from softbio.plan.benchmark import Absence, Benchmark
from softbio.privacy.plan import members

# where one of these exists, the data set's archive is no longer needed
MADE = ("raw/{name}/" + RECEIPT, "packed/{name}/*/card.json", "aligned/{name}/*/index.parquet")


def absences(
    benchmark: Benchmark, specs: Mapping[str, DatasetSpec], resources: Path
) -> list[Absence]:
    """Data sets that the benchmark needs and that are neither below `resources` nor given by the
    user nor downloadable, in its order."""
    population = benchmark.hiding.population
    hidden = members(population) if population else []
    found = []
    for name in benchmark.needed:
        made = any(any(resources.glob(place.format(name=name))) for place in MADE)
        text = lacking(specs[name], resources / "raw" / name)
        if text is None or made:
            continue
        runs = sum(run.registered == name for run in benchmark.runs)
        given = specs[name].source is not None
        found.append(Absence(name, specs[name].title, text, given, runs, name in hidden))
    return found


def left_out(benchmark: Benchmark, absent: Sequence[Absence]) -> tuple[Benchmark, list[Absence]]:
    """The benchmark without the absent data sets, where it says `missing: skip`, and these.

    A source that was named and is wrong is a mistake, and never left out. Raises UserError where
    nothing would remain.
    """
    skipped = [each for each in absent if not each.given] if benchmark.missing == "skip" else []
    rest = benchmark.without([each.dataset for each in skipped])
    if skipped and not rest.needed:
        raise UserError(f"config: nothing is left to run\n{as_lines(skipped)}")
    return rest, skipped


def as_lines(absent: Sequence[Absence]) -> str:
    """One line a data set: what is missing, with the remedy."""
    return "\n".join(each.text for each in absent)
