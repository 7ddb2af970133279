"""L0, the first level of reproduction: errors recomputed from the authors' own predictions."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.published.authors import Authors
from softbio.results.formats import ABSENT, decimals
from softbio.results.labels import in_order, label
from softbio.results.records import SELECTIONS, Records
from softbio.results.run import Run
from softbio.tables.comparison import METRIC_LABELS
from softbio.tables.errors import METRICS, SD
from softbio.tables.layout import Row, Table, plus_minus

EXTRA = ["cs5", "qwk", "amae"]
PARTS = ["inconsistencies", "inconsistencies_correct", "inconsistencies_incorrect"]
KEYS = ["dataset", "method", "seed", "metric"]


def _printed(published: pd.DataFrame, protocol: str) -> dict[tuple, str]:
    """(dataset, method, seed or "avg", metric) -> the cell as the authors print it."""
    rows = published[(published["protocol"] == protocol) & (published["weighted"] == "no")]
    return rows.set_index(KEYS)["as_printed"].to_dict()


def _cells(values: Mapping[str, np.ndarray], printed: Mapping[str, str]) -> list[str]:
    """Recomputed beside printed, by metric; an average where there are several values."""
    cells = []
    for metric in METRIC_LABELS:
        cells += [plus_minus(values[metric]), printed.get(metric, ABSENT)]
    cells += [decimals(values[metric].mean(), METRICS[metric][1]) for metric in EXTRA]
    return [*cells, printed.get(PARTS[0], ABSENT)]


def _printed_of(run: Run, printed: Mapping[tuple, str], seed: str) -> dict[str, str]:
    """metric -> the cell that the authors print for a run's data set and method at this seed."""
    keys = {m: (run.dataset, run.method, seed, m) for m in [*METRIC_LABELS, *PARTS]}
    return {metric: printed[key] for metric, key in keys.items() if key in printed}


def _long(run: Run, values: Mapping[str, float], own: Mapping[str, str]) -> list[dict]:
    """The rows of the CSV of one run: recomputed metrics, then what is printed only."""
    keys = {"dataset": run.dataset, "method": run.method, "seed": run.seed}
    rows = []
    for metric, value in values.items():
        known = metric in own and np.isfinite(value)
        same = decimals(value) == own[metric] if known else None
        found = {"value": value, "as_printed": own.get(metric), "same": same}
        rows.append(keys | {"metric": metric} | found)
    for part in PARTS:
        if part in own:
            found = {"value": np.nan, "as_printed": own[part], "same": None}
            rows.append(keys | {"metric": part} | found)
    return rows


def _values(run: Run, records: Records, selection: str, remark: str) -> dict[str, float]:
    """The recomputed numbers of a run. Raises UserError where one is missing without a remark."""
    metrics = [*METRIC_LABELS, *EXTRA]
    values = {metric: records.values([run], metric, selection)[0] for metric in metrics}
    for metric, value in values.items():
        if not remark and not np.isfinite(value):
            raise UserError(f"{run.folder}: no {metric} of selection {selection}; run L0 again")
    return values


def _rows(
    runs: list[Run], records: Records, selection: str, printed: dict, remarks: dict[Run, str]
) -> tuple[list[Row], list[dict]]:
    """The rows of one data set and method, seeds and their average, and their long form."""
    first, rows, long, every = runs[0], [], [], []
    heads = [label(first.dataset), records.title(first.method)]
    for run in runs:
        own = _printed_of(run, printed, str(run.seed))
        values = _values(run, records, selection, remarks[run])
        long += _long(run, values, own)
        every.append(values)
        exact = all(decimals(values[metric]) == own.get(metric) for metric in METRIC_LABELS)
        word = remarks[run].partition(":")[0] or ("exact" if exact else "differs")
        one = {metric: np.array([value]) for metric, value in values.items()}
        rows.append(Row([*heads, str(run.seed), *_cells(one, own), word]))
    whole = {metric: np.array([values[metric] for values in every]) for metric in every[0]}
    average = _printed_of(first, printed, "avg")
    average = {metric: average[metric] for metric in METRIC_LABELS if metric in average}
    rows.append(Row([*heads, "AVG ± SD", *_cells(whole, average), ""], summary=True))
    return rows, long


def l0_table(
    authors: Authors, records: Records, remarks: pd.DataFrame, published: pd.DataFrame
) -> Table:
    """All runs of the authors by data set, method and seed: recomputed errors beside the printed.

    remarks: remarks.csv of `authors.convert`. In the CSV `same` says whether a number equals the
    printed one at its two decimals; it is empty where nothing is printed.
    """
    printed = _printed(published, authors.protocol)
    remark_of = remarks.fillna("").set_index(["dataset", "method", "seed"])["remark"].to_dict()
    everything = list(authors.runs)
    why = {run: remark_of[run.dataset, run.method, run.seed] for run in everything}
    rows, long = [], []
    for dataset in in_order([run.dataset for run in everything]):
        of_set = [run for run in everything if run.dataset == dataset]
        for method in in_order([run.method for run in of_set]):
            runs = sorted(run for run in of_set if run.method == method)
            added = _rows(runs, records, authors.selection, printed, why)
            rows += added[0]
            long += added[1]
    caption = (
        f"{authors.title}, {label(everything[0].backbone)}, commit {authors.commit}, "
        f"{SELECTIONS[authors.selection]}. Ours: recomputed from their predictions by the code "
        "that judges every run. Printed: errors of the authors' logs and Table 1, and Inc., the "
        "rank inconsistencies an image of their Table 2, which cannot be recomputed: the files "
        f"hold ranks, no probabilities. {SD}. Errors and AMAE in years; CS@5, QWK and AMAE "
        "averaged without SD. Exact: MAE and RMSE equal the printed ones at two decimals; our "
        "averages are over unrounded values. No ranks: the file has the number of class "
        "probabilities above 0.5, zero or one, instead of the most probable class, so no error can "
        "be computed."
    )
    columns = [("", "Data set"), ("", "Method"), ("", "Seed")]
    for name in METRIC_LABELS.values():
        columns += [(name, "ours"), (name, "printed")]
    columns += [("", METRICS[metric][0]) for metric in EXTRA]
    columns += [("Inc. ↓", "printed")]
    title = "L0: the journal's errors, recomputed from its authors' predictions"
    frame = pd.DataFrame(long)
    return Table(
        name="l0",
        title=title,
        caption=caption,
        long=frame,
        columns=[*columns, ("", "Result")],
        rows=rows,
        heads=2,
    )
