"""The reproduction ladder: which published numbers were reproduced, at each of three levels."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

import pandas as pd

from softbio.data.registry import REPAIRED
from softbio.errors import UserError
from softbio.published.authors import Authors
from softbio.published.numbers import averages, read_published
from softbio.results.labels import in_order, label
from softbio.results.names import Names
from softbio.results.records import Records, by_method, load, read_json
from softbio.statistics.contests import Statistics, read_statistics, write_statistics
from softbio.tables import Table, contests, save
from softbio.tables.comparison import NOT_RUN, comparison, not_run
from softbio.tables.ladder import l0_table
from softbio.tables.layout import plus_minus

WORDS = ["reproduced", "close", "differs", "other recipe", NOT_RUN]


@dataclass(frozen=True)
class Rung:
    """One level: its short name, its meaning, and the result."""

    name: str
    title: str
    text: str


def write_l0(authors: Authors, results: Path | str, published: Path | str) -> Table:
    """results/tables/ from the judged predictions of the authors in results/age/ and remarks.csv.

    Raises UserError where a run is missing; an average over fewer seeds is never made.
    """
    results = Path(results)
    try:
        remarks = pd.read_csv(results / "remarks.csv")
    except (OSError, ValueError) as error:
        raise UserError(f"{results}/remarks.csv: not readable ({error}); run L0 again") from None
    records = load([results / "age" / run.folder for run in authors.judged])
    table = l0_table(authors, records, remarks, read_published(published))
    statistics = write_statistics(records, results / "tables/statistics.json")
    differences = [
        contests.pairs(statistics, dataset, backbone, records.names)
        for dataset in records.datasets
        for backbone in records.backbones(dataset)
    ]
    return save([table, *filter(None, differences)], results / "tables")[0]


@dataclass(frozen=True)
class L0:
    """What `write_l0` wrote: the entries of index.json, the long form of the first table, and the
    comparisons of the methods. All empty where it has not been run."""

    entries: list[dict] = field(default_factory=list)
    numbers: pd.DataFrame = field(default_factory=pd.DataFrame)
    statistics: Statistics = field(default_factory=Statistics)


def read_l0(folder: Path | str | None) -> L0:
    """The tables of `write_l0`; an empty `L0` where there are none."""
    if folder is None or not (Path(folder) / "index.json").is_file():
        return L0()
    folder = Path(folder)
    return L0(
        read_json(folder / "index.json"),
        pd.read_csv(folder / "l0.csv"),
        read_statistics(folder / "statistics.json"),
    )


def _separated(statistics: Statistics, names: Names) -> str:
    """On which data sets the published methods differ, by the rule of the tables."""
    sentences = []
    for a, b in dict.fromkeys((pair.a, pair.b) for pair in statistics.pairs):
        places: dict[bool | None, list[str]] = {}
        for pair in statistics.pairs:
            if (pair.a, pair.b) == (a, b):
                places.setdefault(pair.separated, []).append(label(pair.dataset))
        apart, near = (" and ".join(places.get(key, [])) for key in (True, False))
        where = " and ".join(
            filter(None, [apart and f"separated on {apart}", near and f"not separated on {near}"])
        )
        sentences.append(f"{names.title(a)} and {names.title(b)} are {where}.")
    return " ".join(sentences)


def _lowest(l0: L0, names: Names) -> str:
    numbers = l0.numbers
    if numbers.empty:
        return "Not run: snakemake --cores 1 L0 recomputes it from the authors' files."
    compared = numbers.dropna(subset=["same", "value"])
    same = int(compared["same"].astype(bool).sum())
    runs = numbers.groupby(["method", "dataset", "seed"])["value"].apply(lambda v: v.notna().any())
    text = (
        f"{same} of {len(compared)} errors follow from the authors' own predictions at their two "
        f"printed decimals ({int(runs.sum())} runs, MAE and RMSE)."
    )
    lost = runs[~runs].reset_index()
    if len(lost):
        methods = ", ".join(map(names.title, in_order(lost["method"])))
        text += f" {len(lost)} runs ({methods}) cannot be recomputed: their files hold no ranks."
    return f"{text} {_separated(l0.statistics, names)}".strip()


def _counts(records: Records, published: pd.DataFrame) -> str:
    ours, rest = comparison(records, published), not_run(records, published)
    # the talk's number is only context for another network; its own cell is still not run
    own = ours[ours["backbone"] == ours["published_backbone"]] if len(ours) else ours
    words = Counter(own["verdict"] if len(own) else [])
    words[NOT_RUN] = len(rest)
    counts = [f"{words[word]} {word}" for word in WORDS if words[word]]
    text = f"The talk prints {len(averages(published))} averages; here: {', '.join(counts)}."
    if others := len(ours) - len(own):
        text += f" {others} averages of other networks are compared with its ResNet-34 as context."
    return text


def _repaired(records: Records) -> str:
    """Each run of a repaired split compared with that of the published split."""
    sentences = []
    for dataset in records.datasets:
        if dataset + REPAIRED not in records.datasets:
            continue
        for backbone in records.backbones(dataset + REPAIRED):
            pairs = []
            twins = by_method(records.select(dataset, backbone))
            for method, runs in by_method(records.select(dataset + REPAIRED, backbone)).items():
                if method in twins:
                    ours, theirs = (records.values(each, "mae") for each in (twins[method], runs))
                    pairs.append(
                        f"{records.title(method)} {plus_minus(ours)} to {plus_minus(theirs)}"
                    )
            if pairs:
                sentences.append(
                    f"Test MAE from the published to the repaired split of {label(dataset)}, "
                    f"{label(backbone)}: {', '.join(pairs)}. Their test images differ."
                )
    return " ".join(sentences) or "No run of a repaired split in this configuration."


def rungs(records: Records, published: pd.DataFrame, l0: L0) -> list[Rung]:
    """The three levels."""
    return [
        Rung(
            "L0",
            "the journal's errors, recomputed from its authors' predictions",
            _lowest(l0, records.names),
        ),
        Rung("L1", "retrained as published", _counts(records, published)),
        Rung(
            "L2",
            "retrained with the protocol repaired",
            _repaired(records),
        ),
    ]
