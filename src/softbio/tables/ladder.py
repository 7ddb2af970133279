"""The lowest rung of the reproduction: what follows from the authors' own predictions."""

from collections.abc import Mapping
from dataclasses import astuple

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.published.authors import Authors
from softbio.results.labels import in_order, label
from softbio.results.records import SELECTIONS, Records
from softbio.results.run import Run
from softbio.tables.comparison import METRIC_LABELS
from softbio.tables.errors import METRICS, SD
from softbio.tables.layout import ABSENT, Row, Table, decimals, plus_minus

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


def _rows(
    runs: list[Run], records: Records, selection: str, printed: dict, remarks: dict[Run, str]
) -> tuple[list[Row], list[dict]]:
    """The rows of one data set and method, seeds and their average, and their long form."""
    first, rows, long = runs[0], [], []
    heads = [label(first.dataset), label(first.method)]
    whole = {m: np.array([np.nan] * len(runs)) for m in [*METRIC_LABELS, *EXTRA]}
    for position, run in enumerate(runs):
        own = {
            m: printed[run.dataset, run.method, str(run.seed), m]
            for m in [*METRIC_LABELS, *PARTS]
            if (run.dataset, run.method, str(run.seed), m) in printed
        }
        for metric, values in whole.items():
            values[position] = records.values([run], metric, selection)[0]
            if not remarks[run] and not np.isfinite(values[position]):
                raise UserError(f"{run.folder}: no {metric} of selection {selection}; run L0 again")
            known = metric in own and np.isfinite(values[position])
            same = decimals(values[position]) == own[metric] if known else None
            long.append(
                {
                    "dataset": run.dataset,
                    "method": run.method,
                    "seed": run.seed,
                    "metric": metric,
                    "value": values[position],
                    "as_printed": own.get(metric),
                    "same": same,
                }
            )
        long += [
            {
                "dataset": run.dataset,
                "method": run.method,
                "seed": run.seed,
                "metric": part,
                "value": np.nan,
                "as_printed": own[part],
                "same": None,
            }
            for part in PARTS
            if part in own
        ]
        exact = all(decimals(whole[m][position]) == own.get(m) for m in METRIC_LABELS)
        word = remarks[run].partition(":")[0] or ("exact" if exact else "differs")
        one = {m: values[position : position + 1] for m, values in whole.items()}
        rows.append(Row([*heads, str(run.seed), *_cells(one, own), word]))
    average = {
        m: printed[first.dataset, first.method, "avg", m]
        for m in METRIC_LABELS
        if (first.dataset, first.method, "avg", m) in printed
    }
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
    told = remarks.fillna("").set_index(["dataset", "method", "seed"])["remark"].to_dict()
    # the tables' own kind of run, which is what records know
    everything = [Run(*astuple(run)) for run in authors.runs]
    why = {run: told[run.dataset, run.method, run.seed] for run in everything}
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
        f"{SELECTIONS[authors.selection]}. Ours: recomputed from them by the code that judges "
        "every run. Printed: errors of the authors' logs and Table 1, and Inc., the rank "
        "inconsistencies an image of their Table 2, which can not be recomputed: the files hold "
        f"ranks, no probabilities. {SD}. Errors and AMAE in years; CS@5, QWK and AMAE averaged "
        "without SD. Exact: MAE and RMSE equal the printed ones at two decimals; our averages are "
        "over unrounded values. No ranks: the file counts the class probabilities over 0.5, which "
        "gives zeros and ones, instead of naming the most probable class: no error follows."
    )
    columns = [("", "Data set"), ("", "Method"), ("", "Seed")]
    for name in METRIC_LABELS.values():
        columns += [(name, "ours"), (name, "printed")]
    columns += [("", METRICS[metric][0]) for metric in EXTRA]
    columns += [("Inc. ↓", "printed")]
    title = "L0: recomputed from the authors' predictions"
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
