"""Tables of gender classifiers and matchers before and after protection."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from softbio.hiding import claim
from softbio.metrics.verification import ERRORS, FMRS
from softbio.results.conditions import (
    OVER_SUBJECTS,
    by_scorer,
    condition,
    failed_note,
    ordered,
    scorer,
    seen_note,
)
from softbio.results.formats import decimals
from softbio.results.labels import in_text, label
from softbio.results.scores import KINDS, ComparisonScores
from softbio.statistics.intervals import Judged, separation, tmr_name
from softbio.statistics.means import Interval, clustered, of_share
from softbio.tables.formats import flat, percent
from softbio.tables.layout import Row, Table, plus_minus

SIDES = {KINDS[0]: "neither", KINDS[1]: "probe", KINDS[2]: "both"}
GENDER_NAMES = ("EER", "Separation", "Error", "Balanced error", "EER − before", "Flipped")
RANKS = (1, 5)
WEIGHTED = "a comparison is weighted by the draws of both its subjects"


def _before(item: Judged, items: Sequence[Judged]) -> Judged | None:
    """As `claim.before`, on the same subjects; None for unprotected scores themselves."""
    found = None if claim.is_original(item) else claim.before(item, items)
    same = found and np.array_equal(found.numbers.subjects, item.numbers.subjects)
    return found if same else None


def _condition(item: Judged, items: Sequence[Judged]) -> str:
    """The condition of a file, with the seed where the scorer has several files of it."""
    name = condition(item.about)
    same = [i for i in items if condition(i.about) == name and _kind(i) == _kind(item)]
    return f"{name}, seed {item.about.seed}" if len(same) > 1 else name


def _kind(item: Judged) -> str:
    return getattr(item.about, "kind", "")


def _flipped(item: Judged, before: Judged | None) -> Interval | None:
    """Share of images whose decision at the shipped threshold protection changes."""
    if before is None:
        return None
    columns = ["image", "score", "subject"]
    frames = [
        i.scores.frame.assign(score=i.scores.scores, subject=i.scores.subjects)[columns]
        for i in (before, item)
    ]
    both = frames[0].merge(frames[1], on="image", suffixes=("", "_after"))
    decided = [both[name] >= item.scores.threshold for name in ("score", "score_after")]
    changed = (decided[0] != decided[1]).to_numpy(float)
    return of_share(clustered(changed, both["subject"].to_numpy(object)), resamples=1000)


def _gender_numbers(item: Judged, items: Sequence[Judged]) -> dict[str, Interval | None]:
    before = _before(item, items)
    return {
        "eer": item.interval("eer"),
        "separation": separation(item.interval("auc")),
        "error": item.interval("error"),
        "balanced_error": item.interval("balanced_error"),
        "eer_difference": before and item.numbers.difference(before.numbers, "eer"),
        "flipped": _flipped(item, before),
    }


def _over_seeds(item: Judged, items: Sequence[Judged]) -> Row | None:
    """After the last of several seeds of one condition: mean and SD over them."""
    same = [i for i in items if condition(i.about) == condition(item.about)]
    if len(same) < 2 or item is not same[-1]:
        return None
    numbers = [_gender_numbers(i, items) for i in same]
    cells = [scorer(item.about), f"{condition(item.about)}, {len(same)} seeds"]
    cells.append(f"{len(item.scores.frame):,}")
    for name in numbers[0]:
        values = [n[name].estimate if n[name] else np.nan for n in numbers]
        cells.append(plus_minus(100 * np.array(values), 1))
    return Row(cells, summary=True)


def gender_errors(judged: Sequence[Judged]) -> Table | None:
    """Every gender classifier before and after protection; None without scores."""
    if not judged:
        return None
    rows, long = [], []
    for items in by_scorer(judged).values():
        for item in items:
            about, numbers = item.about, _gender_numbers(item, items)
            cells = [scorer(about), _condition(item, items), f"{len(item.scores.frame):,}"]
            for name, interval in numbers.items():
                cells.append(percent(interval, sign=name == "eer_difference"))
            rows.append(Row(cells))
            keys = {"dataset": about.dataset, "evaluator": about.evaluator, "seen": about.seen}
            keys |= {"protector": about.protector, "mode": about.mode, "seed": about.seed}
            long.append(keys | {"images": len(item.scores.frame)} | flat(numbers))
            if summary := _over_seeds(item, items):
                rows.append(summary)
    abouts = [item.about for item in judged]
    dataset = abouts[0].dataset
    caption = (
        f"Gender on test images of {in_text(dataset)}, in %. EER: where both error rates are "
        "equal; above 50 if the scores are inverted. Separation: max(AUC, 1 − AUC), 50 if the "
        "scores have no information; inverting the decisions does not lower it. Error, and the "
        "mean error of both genders (balanced): at the threshold that the classifier is shipped "
        "with. Flipped: images whose decision differs from that before protection. In brackets: "
        f"{OVER_SUBJECTS}; for the difference both sides are drawn together. "
        f"{'± is the SD over seeds. ' * any(row.summary for row in rows)}{seen_note(abouts)} "
        f"{failed_note(abouts)}"
    ).strip()
    columns = [("", name) for name in ("Classifier", "Images", "N", *GENDER_NAMES)]
    title = f"Gender before and after protection: {label(dataset)}"
    return Table(
        name=f"gender-{dataset}",
        title=title,
        caption=caption,
        long=pd.DataFrame(long),
        columns=columns,
        rows=rows,
        heads=2,
    )


def _matching_numbers(item: Judged, items: Sequence[Judged]) -> dict[str, Interval | None]:
    before, names = _before(item, items), [tmr_name(fmr) for fmr in FMRS]
    found = {"eer": item.interval("eer")} | {name: item.interval(name) for name in names}
    lost = before and item.numbers.difference(before.numbers, names[0])
    return found | {f"{names[0]}_difference": lost}


def _matching_row(item: Judged, items: Sequence[Judged]) -> tuple[Row, dict]:
    """A row of `matching` as printed, and for the CSV; items: of the same matcher."""
    about, numbers = item.about, _matching_numbers(item, items)
    own = int(item.scores.mated.sum())
    counts = [own, len(item.scores.frame) - own]
    cells = [scorer(about), SIDES[about.kind], _condition(item, items)]
    cells += [f"{count:,}" for count in counts]
    cells += [percent(i, n.endswith("difference")) for n, i in numbers.items()]
    keys = {"dataset": about.dataset, "matcher": about.matcher, "seen": about.seen}
    keys |= {"kind": about.kind, "pairs": about.pairs, "protector": about.protector}
    keys |= {"mode": about.mode, "seed": about.seed}
    keys |= dict(zip(("mated", "non_mated"), counts, strict=True))
    return Row(cells), keys | flat(numbers)


def matching(judged: Sequence[Judged]) -> Table | None:
    """Every matcher before and after protection, by which sides are protected; None without
    comparisons."""
    judged = [item for item in judged if item.about.pairs != "gallery"]
    if not judged:
        return None
    rows, long = [], []
    for items in by_scorer(judged).values():
        for item in sorted(items, key=lambda i: KINDS.index(i.about.kind)):
            row, numbers = _matching_row(item, items)
            rows.append(row)
            long.append(numbers)
    abouts = [item.about for item in judged]
    dataset = abouts[0].dataset
    caption = (
        f"Verification on {in_text(dataset)}, in %; pair list: {judged[0].about.pairs}, one "
        "threshold for all subjects. Protected: the side of a comparison that is protected; the "
        "other is the original. TMR at the lowest threshold whose FMR is at most 1 % or 0.1 %; a "
        f"dash where fewer than {ERRORS} non-mated comparisons would match there (rule of 30, "
        "ISO/IEC 19795-1). Last column: TMR at FMR 1 % minus that before protection, each at its "
        f"own threshold. In brackets: {OVER_SUBJECTS}, {WEIGHTED}; for the difference both sides "
        "are drawn together. "
        f"{seen_note(abouts)} {failed_note(abouts)}"
    ).strip()
    names = [
        ("", "Matcher"),
        ("", "Protected"),
        ("", "Images"),
        ("Comparisons", "mated"),
        ("Comparisons", "non-mated"),
        ("", "EER"),
        ("TMR at FMR", "1 %"),
        ("TMR at FMR", "0.1 %"),
        ("", "1 % − before"),
    ]
    title = f"Matching before and after protection: {label(dataset)}"
    return Table(
        name=f"matching-{dataset}",
        title=title,
        caption=caption,
        long=pd.DataFrame(long),
        columns=names,
        rows=rows,
        heads=3,
    )


def identification(scores: Sequence[ComparisonScores]) -> Table | None:
    """Rank-1 and rank-5 identification rate against a whole gallery; None without one."""
    scores = ordered(item for item in scores if item.about.pairs == "gallery")
    if not scores:
        return None
    rows, long = [], []
    for items in by_scorer(scores).values():
        for item in items:
            about = item.about
            ranks, subjects, size = item.identification()
            found = {
                f"rank{rank}": of_share(clustered(ranks <= rank, subjects), resamples=1000)
                for rank in RANKS
            }
            cells = [scorer(about), _condition(item, items), f"{len(ranks):,}", f"{size:,}"]
            cells += [percent(interval) for interval in found.values()]
            rows.append(Row([*cells, decimals(float(np.median(ranks)), 0)]))
            keys = {"dataset": about.dataset, "matcher": about.matcher, "seen": about.seen}
            keys |= {"protector": about.protector, "mode": about.mode, "seed": about.seed}
            long.append(keys | {"probes": len(ranks), "gallery": size} | flat(found))
    dataset = scores[0].about.dataset
    abouts = [item.about for item in scores]
    caption = (
        f"Closed-set identification on {in_text(dataset)}: share of probes, in %, whose subject "
        "ranks first, or among the first five, in a gallery of one original image of each subject; "
        "ties count against the probe. Median: of the ranks. In brackets: 95 % intervals over the "
        "probes' subjects (BCa bootstrap) with the gallery fixed. "
        f"{seen_note(abouts)} {failed_note(abouts)}"
    ).strip()
    heads = ("Matcher", "Images", "Probes", "Gallery", "Rank 1", "Rank 5", "Median")
    title = f"Identification before and after protection: {label(dataset)}"
    columns = [("", name) for name in heads]
    name = f"identification-{dataset}"
    return Table(
        name=name,
        title=title,
        caption=caption,
        long=pd.DataFrame(long),
        columns=columns,
        rows=rows,
        heads=2,
    )
