"""Filling in the data card."""

from datetime import UTC, datetime
from typing import Any

import numpy as np
import pandas as pd

import softbio
from softbio.data.expected import differences
from softbio.data.fetching.locate import Sources
from softbio.data.registry import Card, DatasetSpec, Reconciled
from softbio.data.splitlists import PARTS


def make_card(
    spec: DatasetSpec,
    size: int,
    frame: pd.DataFrame,
    rejected: int,
    sources: Sources,
    preparation: tuple[str, ...] = (),
    reconciled: Reconciled | None = None,
) -> Card:
    """The card of a packed data set.

    frame: the packed rows, columns label, split, gender, race, subject. Counts that are not the
    expected ones are logged too.
    """
    return Card(
        name=spec.name,
        title=spec.title,
        citation=spec.citation,
        licence=spec.licence,
        access=spec.access,
        homepage=spec.homepage,
        intended_use=spec.intended_use,
        ages=spec.ages,
        k=spec.k,
        size=size,
        **of_parts(frame, spec.k),
        rejected=rejected,
        files=sources.files,
        known_problems=spec.known_problems,
        differences=differences(spec, frame, "packed"),
        made=datetime.now(UTC).date().isoformat(),
        softbio=softbio.__version__,
        preparation=preparation,
        reconciled=reconciled,
        cut=spec.prepare.align if spec.prepare.align != "none" else spec.prepare.crop,
    )


def of_parts(frame: pd.DataFrame, k: int) -> dict[str, dict[str, Any]]:
    """The keys of a card that describe each part: counts, labels, gender, race, subjects,
    missing_ranks."""
    parts = {part: rows for part in PARTS if len(rows := frame[frame["split"] == part])}
    labels = {
        part: np.bincount(rows["label"], minlength=k).tolist() for part, rows in parts.items()
    }
    return {
        "counts": {part: len(rows) for part, rows in parts.items()},
        "labels": labels,
        "gender": {part: _groups(rows["gender"]) for part, rows in parts.items()},
        "race": {part: _groups(rows["race"]) for part, rows in parts.items()},
        "subjects": {part: _subjects(rows["subject"]) for part, rows in parts.items()},
        "missing_ranks": {
            part: [rank for rank, n in enumerate(of) if n == 0] for part, of in labels.items()
        },
    }


def _groups(column: pd.Series) -> dict[str, int]:
    if column.isna().all():
        return {}
    counts = column.fillna("unknown").value_counts().sort_index()
    return {str(group): int(n) for group, n in counts.items()}


def _subjects(column: pd.Series) -> int | None:
    return None if column.isna().any() else int(column.nunique())
