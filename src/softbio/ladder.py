"""The reproduction ladder: what has been shown of the published numbers, rung by rung."""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from softbio.authors import Authors
from softbio.errors import UserError
from softbio.published import averages, read_published
from softbio.records import Records, in_order, label, load, read_json
from softbio.tables import Table, save
from softbio.tables.comparison import NOT_RUN, comparison, not_run
from softbio.tables.ladder import l0_table

WORDS = ["reproduced", "close", "differs", "other recipe", NOT_RUN]


@dataclass(frozen=True)
class Rung:
    """One step: its short name, what it means, and what was found."""

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
    return save([table], results / "tables")[0]


def read_l0(folder: Path | str) -> tuple[list[dict], pd.DataFrame]:
    """The entries of index.json and the long form of what `write_l0` wrote; empty where it has not
    been run."""
    folder = Path(folder)
    if not (folder / "index.json").is_file():
        return [], pd.DataFrame()
    return read_json(folder / "index.json"), pd.read_csv(folder / "l0.csv")


def _lowest(numbers: pd.DataFrame) -> str:
    if numbers.empty:
        return "Not run: snakemake L0 --config published=FOLDER, with the authors' files."
    compared = numbers.dropna(subset=["same", "value"])
    same = int(compared["same"].astype(bool).sum())
    runs = numbers.groupby(["method", "dataset", "seed"])["value"].apply(lambda v: v.notna().any())
    text = (
        f"{same} of {len(compared)} errors follow from the authors' own predictions at their two "
        f"printed decimals ({int(runs.sum())} runs, MAE and RMSE)."
    )
    lost = runs[~runs].reset_index()
    if len(lost):
        names = ", ".join(map(label, in_order(lost["method"])))
        text += f" {len(lost)} runs ({names}) can not be recomputed: their files do not hold ranks."
    return text


def _counts(records: Records, published: pd.DataFrame) -> str:
    ours, rest = comparison(records, published), not_run(records, published)
    # another network stands beside the talk's number as context, its cell is still not run
    own = ours[ours["backbone"] == ours["published_backbone"]] if len(ours) else ours
    words = Counter(own["verdict"] if len(own) else [])
    words[NOT_RUN] = len(rest)
    told = [f"{words[word]} {word}" for word in WORDS if words[word]]
    text = f"The talk prints {len(averages(published))} averages; here: {', '.join(told)}."
    if others := len(ours) - len(own):
        text += f" {others} averages of other networks stand beside its ResNet-34 as context."
    return text


def rungs(records: Records, published: pd.DataFrame, l0: pd.DataFrame) -> list[Rung]:
    """The three rungs. A repaired run (L2) compared with its published twin belongs to the last."""
    return [
        Rung("L0", "recomputed from the authors' predictions", _lowest(l0)),
        Rung("L1", "retrained as published", _counts(records, published)),
        Rung(
            "L2",
            "retrained with the protocol repaired",
            "No run of a repaired protocol in this configuration.",
        ),
    ]
