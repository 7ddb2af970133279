"""Tables of what is hidden and what is kept: the selectivity matrix, every reader of age and
race."""

from collections.abc import Sequence

import pandas as pd

from softbio.hiding.claim import before
from softbio.hiding.load import Hiding
from softbio.hiding.selectivity import (
    MARGIN,
    PRIVACYNET,
    Cell,
    Line,
    Readers,
    name_of,
    readers,
)
from softbio.results.conditions import OVER_SUBJECTS, by_scorer, failed_note, scorer, seen_note
from softbio.results.formats import ABSENT
from softbio.results.labels import in_text, label
from softbio.results.names import joined
from softbio.results.scores import ORIGINAL
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval
from softbio.tables.formats import flat, percent, with_limits
from softbio.tables.layout import Row, Table

ERROR = "balanced_error"


def told_by(known: Sequence[Readers]) -> str:
    """For a caption: the evaluators that read each attribute, and those that are left out."""
    texts = []
    for each in known:
        names = list(dict.fromkeys(scorer(item.about) for item in each.able))
        texts.append(f"{each.attribute} by {joined(names) if names else 'nobody'}")
    deaf = list(dict.fromkeys(name for each in known for name in each.deaf))
    left_out = f" Left out, no better than chance on clean faces: {joined(deaf)}." if deaf else ""
    return f"Means over unseen evaluators: {'; '.join(texts)}.{left_out}"


def _cell(line: Line, cell: Cell) -> str:
    if line.protector == ORIGINAL:
        return percent(cell.error)
    return percent(cell.change, sign=True)


def _keys(line: Line, dataset: str) -> dict:
    hides = "+".join(line.hides.hidden)
    keys = {"dataset": dataset, "condition": line.name, "protector": line.protector}
    return keys | {"mode": line.mode, "hides": hides, "without": line.hides.without}


def _written(found: Sequence[Line]) -> str:
    """For the caption, where a kept attribute is read with fewer errors than before."""
    kept = [
        cell.attribute
        for line in found
        if line.protector == PRIVACYNET
        for cell in line.cells
        if not cell.hidden and cell.change.high < 0
    ]
    if not kept:
        return ""
    return (
        f"Where {joined(list(dict.fromkeys(kept)))} is kept, fewer errors are made than before "
        "protection (the whole interval is below 0): PrivacyNet gets the true value as input and "
        "puts it into the face. "
    )


def selectivity(hiding: Hiding, found: Sequence[Line]) -> Table | None:
    """The matrix: attributes hidden by attributes read; None without lines."""
    if not found:
        return None
    rows, long, known = [], [], readers(hiding)
    for line in found:
        hidden = joined(line.hides.hidden) if line.hides.hidden else ABSENT
        cells = [_cell(line, cell) for cell in line.cells]
        best = [2 + place for place, cell in enumerate(line.cells) if cell.hidden]
        rows.append(Row([line.name, hidden, *cells, percent(line.tmr)], best))
        for cell in line.cells:
            keys = _keys(line, hiding.dataset) | {"read": cell.attribute, "hidden": cell.hidden}
            numbers = {"before": cell.error, "change": cell.change, "tmr": line.tmr}
            long.append(keys | flat(numbers))
    several = " and over seeds" if len(hiding.seeds) > 1 else ""
    caption = (
        f"Selectivity on {in_text(hiding.dataset)}, in %. Balanced error: mean over the groups of "
        "an attribute of the share of images assigned to another group. First line: before "
        "protection. Other lines: the change by protection, in percentage points, in bold where "
        "the attribute is to be hidden. The change should be above 0 for a hidden attribute and at "
        f"most {100 * MARGIN:.0f} points, a margin of ours, for a kept one. {_written(found)}A "
        "balanced error of gender above 50 hides nothing, because decisions can be inverted. "
        f"{told_by(known)} Means are over evaluators{several}. TMR at FMR 1 %: mean of unseen "
        f"matchers, protected probe, original reference. In brackets: {OVER_SUBJECTS}; both sides "
        "of a difference are drawn together."
    )
    columns = [("", "Images"), ("", "Hides")]
    columns += [("Error when reading", each.attribute) for each in known]
    columns += [("", "TMR")]
    title = f"What is hidden, what is kept: {label(hiding.dataset)}"
    name = f"selectivity-{hiding.dataset}"
    return Table(
        name=name,
        title=title,
        caption=caption,
        long=pd.DataFrame(long),
        columns=columns,
        rows=rows,
        heads=2,
    )


def _numbers(item: Judged, items: Sequence[Judged]) -> dict[str, Interval | None]:
    original = None if item.about.protector == ORIGINAL else before(item, items)
    names = [ERROR] + ["mae"] * item.scores.in_years
    found = {name: item.interval(name) for name in names}
    changes = {
        f"{name}_change": original and item.numbers.difference(original.numbers, name)
        for name in names
    }
    return dict.fromkeys((ERROR, f"{ERROR}_change", "mae", "mae_change")) | found | changes


def attribute_errors(judged: Sequence[Judged]) -> Table | None:
    """Every reader of age and race before and after protection; None without any."""
    if not judged:
        return None
    rows, long = [], []
    for items in by_scorer(judged).values():
        for item in items:
            about, numbers = item.about, _numbers(item, items)
            several = sum(name_of(other) == name_of(item) for other in items) > 1
            name = name_of(item) + (f", seed {about.seed}" if several else "")
            cells = [about.attribute, scorer(about), name, f"{len(item.scores.frame):,}"]
            cells += [percent(numbers[ERROR]), percent(numbers[f"{ERROR}_change"], sign=True)]
            cells += [with_limits(numbers["mae"]), with_limits(numbers["mae_change"], sign=True)]
            rows.append(Row(cells))
            keys = {"dataset": about.dataset, "attribute": about.attribute}
            keys |= {"evaluator": about.evaluator, "seen": about.seen, "seed": about.seed}
            keys |= {"protector": about.protector, "mode": about.mode}
            long.append(keys | {"images": len(item.scores.frame)} | flat(numbers))
    abouts = [item.about for item in judged]
    dataset = abouts[0].dataset
    values = {about.attribute: ", ".join(about.values) for about in abouts}
    groups = "; ".join(f"{attribute}: {names}" for attribute, names in values.items())
    caption = (
        f"Age and race on test images of {in_text(dataset)}. Balanced error, in %: the mean over "
        f"groups ({groups}) of the share assigned to another group; predicted years are converted "
        f"to groups. MAE: mean absolute error in years. In brackets: {OVER_SUBJECTS}; for a "
        "difference both sides are drawn together. "
        f"{seen_note(abouts)} {failed_note(abouts)}"
    ).strip()
    heads = ("Attribute", "Evaluator", "Images", "N", "Balanced error", "− before", "MAE")
    columns = [("", name) for name in (*heads, "MAE − before")]
    title = f"Age and race before and after protection: {label(dataset)}"
    name = f"attributes-{dataset}"
    return Table(
        name=name,
        title=title,
        caption=caption,
        long=pd.DataFrame(long),
        columns=columns,
        rows=rows,
        heads=3,
    )
