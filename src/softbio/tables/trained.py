"""The cost of training the networks that protect faces."""

from collections.abc import Sequence
from dataclasses import asdict
from itertools import groupby

import pandas as pd

from softbio.hiding.trained import Trained
from softbio.results.formats import ABSENT, decimals
from softbio.results.labels import in_text, label
from softbio.results.names import joined
from softbio.tables.layout import Row, Table, extremes


def _row(kind: str, networks: Sequence[Trained]) -> Row:
    minutes = [each.seconds / 60 for each in networks]
    *spans, memory = (
        extremes([getattr(each, name) for each in networks], "{:,.0f}".format)
        for name in ("parameters", "epochs", "images", "memory")
    )
    took = extremes(minutes, "{:,.1f}".format), decimals(sum(minutes), 1)
    return Row([kind, str(len(networks)), *spans, *took, memory])


def trained_table(networks: Sequence[Trained], dataset: str) -> Table | None:
    """A row for each kind of network and one for all; None where none was trained.

    networks: as `read_trained` orders them.
    """
    if not networks:
        return None
    groups = [(kind, list(same)) for kind, same in groupby(networks, lambda each: each.kind)]
    rows = [_row(kind, same) for kind, same in groups]
    total = decimals(sum(each.seconds for each in networks) / 60, 1)
    rows.append(Row(["All", str(len(networks)), *[ABSENT] * 4, total, ABSENT], summary=True))
    hardware = joined(sorted({each.hardware for each in networks}))
    caption = (
        f"Every network that was trained to protect faces of {in_text(dataset)}, or to compare the "
        "classifiers of ensembles; not those that judge or attack. Minutes: of the epochs, without "
        f"start-up and loading data, on {hardware}. An ensemble needs all of its SANs; a series "
        "needs the first of E3's, which is its first stage, and its later stages. Memory: peak of "
        "the process."
    )
    heads = (
        "Network",
        "Trained",
        "Parameters",
        "Epochs",
        "Faces",
        "Minutes each",
        "Minutes in all",
        "Memory, MB",
    )
    long = pd.DataFrame(
        [{"dataset": dataset, "kind": each.kind} | asdict(each) for each in networks]
    )
    title = f"What was trained: {label(dataset)}"
    columns = [("", name) for name in heads]
    return Table(
        name=f"trained-{dataset}",
        title=title,
        caption=caption,
        long=long,
        columns=columns,
        rows=rows,
    )
