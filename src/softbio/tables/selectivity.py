"""What is hidden and what is kept: the selectivity matrix, and every reader of age and race."""

from collections.abc import Sequence

import pandas as pd

from softbio.hiding.able import ERROR, Matchers, Readers, matchers, readers, unheard_readers
from softbio.hiding.claim import before
from softbio.hiding.load import Hiding
from softbio.hiding.selectivity import MARGIN, PRIVACYNET, Cell, Line, name_of
from softbio.results.conditions import OVER_SUBJECTS, by_scorer, failed_note, scorer, seen_note
from softbio.results.formats import ABSENT
from softbio.results.labels import in_text, label
from softbio.results.names import joined
from softbio.results.scores import ORIGINAL
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval
from softbio.tables.formats import flat, percent, with_limits
from softbio.tables.layout import Row, Table

SEEDS = (
    "Means over seeds are of these very seeds: their intervals are over subjects alone, and "
    "narrower than those for new seeds would be."
)


def read_by(known: Sequence[Readers]) -> str:
    """Who reads what, in a sentence or two for a caption."""
    texts = []
    for each in known:
        names = list(dict.fromkeys(scorer(item.about) for item in each.able))
        texts.append(f"{each.attribute} by {joined(names) if names else 'nobody'}")
    who = f"Read by unseen evaluators, whose mean is shown: {'; '.join(texts)}."
    return who + unheard_readers(known)


def _matched_by(known: Matchers, found: Sequence[Line]) -> str:
    """Who matches, in a sentence or two for a caption; which matchers have no TMR, and where."""
    text = "TMR at FMR 1 %: mean of unseen matchers that are able, protected probe, original "
    text += f"reference.{known.unheard}"
    lacking = [f"{joined(line.lacking)} ({line.name})" for line in found if line.lacking]
    if lacking:
        text += f" Without a TMR, and left out of a mean: {'; '.join(lacking)}."
    return text


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
        f"Of {joined(list(dict.fromkeys(kept)))}, where kept, fewer errors are made than before "
        "protection, all of the interval below 0: PrivacyNet gets the true value, and writes it "
        "into the face. "
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
    several = any(line.seeds > 1 for line in found)
    caption = (
        f"Selectivity on {in_text(hiding.dataset)}, in %. Balanced error: mean over the groups of "
        "an attribute of the share that is taken for another; first line: before protection; then "
        "what protection adds to it, in percentage points, in bold where the attribute is to be "
        "hidden. A hidden attribute should be above 0, a kept one near it (at most "
        f"{100 * MARGIN:.0f}, a margin of ours). {_written(found)}Of an attribute with two values, "
        "such as gender, an error beyond 50 hides nothing: an attacker inverts the decisions. "
        f"{read_by(known)} Means are over evaluators{' and over seeds' * several}. "
        f"{_matched_by(matchers(hiding), found)} In brackets: {OVER_SUBJECTS}; both sides of a "
        f"difference are drawn together. {SEEDS * several}"
    ).strip()
    columns = [("", "Images"), ("", "Hides")]
    columns += [("Error when reading", each.attribute) for each in known]
    columns += [("", "TMR")]
    title = f"What is hidden, what is kept: {label(hiding.dataset)}"
    name = f"selectivity-{hiding.dataset}"
    return Table(name, title, caption, pd.DataFrame(long), columns, rows, heads=2)


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
    return Table(name, title, caption, pd.DataFrame(long), columns, rows, heads=3)
