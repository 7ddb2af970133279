"""What is around the numbers of hiding gender: attackers, evaluators, population, claims."""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, fields
from functools import partial

import numpy as np
import pandas as pd

from softbio.hiding.attackers import Attacked, attacked, gain, is_gender, level, worst
from softbio.hiding.claim import Claim, Part
from softbio.hiding.evaluators import READ, Entry
from softbio.hiding.load import Hiding
from softbio.hiding.population import Population
from softbio.hiding.verdicts import combined
from softbio.results.conditions import OVER_SUBJECTS, condition, scorer_title
from softbio.results.formats import ABSENT
from softbio.results.labels import in_text, label
from softbio.statistics.intervals import Judged
from softbio.statistics.intervals import separation as of_area
from softbio.statistics.means import Interval
from softbio.tables.formats import flat, percent
from softbio.tables.layout import Row, Table

PARTS = {
    "san": "SAN and its auxiliaries",
    "evaluators": "own evaluators",
    "attacker": "attacker",
    "test": "test",
}
ZERO, WORST = "Zero effort: the best without knowledge", "Worst case of attacks and zero effort"


@dataclass(frozen=True)
class _Row:
    """One attack on one condition."""

    condition: str
    protector: str
    mode: str
    seed: int | None
    attack: str
    title: str
    family: str
    separation: Interval
    gain: Interval | None

    @property
    def keys(self) -> dict[str, str | int | None]:
        """For the CSV, what is no interval."""
        return {
            each.name: getattr(self, each.name)
            for each in fields(self)
            if each.name not in ("separation", "gain")
        }


def _rows(hiding: Hiding) -> Iterator[_Row]:
    """One row an attack, with one before for zero effort and one behind for the worst case."""
    found = list(attacked(hiding))
    made = Counter((each.about.protector, each.about.mode) for each in found)
    for each in found:
        about = each.about
        shown = condition(about)
        if made[about.protector, about.mode] > 1:
            shown += f", seed {about.seed}"
        yield from _of_condition(
            hiding, each, partial(_Row, shown, about.protector, about.mode, about.seed)
        )


def _of_condition(hiding: Hiding, each: Attacked, row: Callable[..., _Row]) -> Iterator[_Row]:
    zero, best = worst(each.zero_effort), worst(each.everyone)
    paired = zero is not None and each.paired
    if zero is not None:
        yield row("zero_effort", ZERO, "", level(zero, each.zero_effort), None)
    gains = [gain(item, zero) if paired else None for item in each.informed]
    gains += [None] * len(each.uninformed)
    pairs = zip(each.attacks, gains, strict=True)
    for item, more in sorted(pairs, key=lambda pair: _family(hiding, pair[0])):
        yield _row_of(hiding, item, row, more)
    place = each.about.protector, each.about.mode, each.about.seed
    for item in hiding.attacks:
        about = item.about
        if not is_gender(item) and (about.protector, about.mode, about.seed) == place:
            yield _row_of(hiding, item, row, None, f" ({about.positive} against {about.negative})")
    if best is not None:
        more = combined(np.subtract, best, zero) if paired else None
        yield row("worst", WORST, "", level(best, each.everyone), more)


def _row_of(
    hiding: Hiding, item: Judged, row: Callable[..., _Row], more: Interval | None, note: str = ""
) -> _Row:
    title = scorer_title(item.about) + note
    found = of_area(item.interval("auc"))
    return row(item.about.evaluator, title, _family(hiding, item), found, more)


def _family(hiding: Hiding, item: Judged) -> str:
    about = hiding.attack_names.get(item.about.evaluator)
    return about.family if about else ""


def attacks_table(hiding: Hiding) -> Table | None:
    """What attackers recover in each attacked condition; None without any."""
    rows = list(_rows(hiding))
    if not rows:
        return None
    printed, long = [], []
    for row in rows:
        cells = [row.condition, row.title, row.family or ABSENT]
        cells += [percent(row.separation), percent(row.gain, sign=True)]
        printed.append(Row(cells, summary=row.attack == "worst"))
        numbers = flat({"separation": row.separation, "gain": row.gain})
        long.append({"dataset": hiding.dataset} | row.keys | numbers)
    caption = (
        f"Attackers on protected test faces of {in_text(hiding.dataset)}, who have protected faces "
        "of other subjects, in %. Separation: max(AUC, 1 − AUC), 50 where nothing can be read. "
        "Zero effort: the best of the unseen classifiers and of the attacks that use nothing of "
        "the protection, which have no gain; decisions are inverted where that helps, although an "
        "attacker has to know that they are inverted. Gain: separation minus that of zero effort. "
        "Worst case: the best attack on gender or unseen classifier. Both are chosen on the test "
        "faces, anew in each resample, so they are upper limits. Detection is of the protection, "
        f"not of gender. In brackets: {OVER_SUBJECTS}; both sides of a gain are drawn together."
    )
    heads = ("Images", "Attack", "Family", "Separation", "Gain")
    columns = [("", name) for name in heads]
    title = f"What an attacker who knows the method recovers: {label(hiding.dataset)}"
    name = f"attacks-{hiding.dataset}"
    return Table(name, title, caption, pd.DataFrame(long), columns, printed, heads=3)


def evaluators_table(entries: Sequence[Entry], dataset: str) -> Table | None:
    """Who judged, and who could not; None without any."""
    if not entries:
        return None
    rows, long = [], []
    for entry in entries:
        read = entry.kind in READ
        numbers = [percent(entry.clean) if wanted else ABSENT for wanted in (read, not read)]
        note = f"absent: {entry.reason}" if entry.reason else entry.training
        rows.append(Row([entry.title, entry.kind, *numbers, note, entry.text]))
        keys = {"dataset": dataset, "evaluator": entry.name, "kind": entry.kind}
        keys |= {"training": entry.training, "reason": entry.reason, "licence": entry.licence}
        long.append(keys | flat({"clean": entry.clean}))
    caption = (
        "Who reads gender, age (in groups of years) or race, and matchers. Balanced accuracy: of "
        "gender at the shipped threshold, on clean "
        f"test faces of {in_text(dataset)}, in %; of matchers 100 − EER there; of auxiliary "
        "networks of several seeds the first. Unseen: no protector here, nor the training of one, "
        f"used it. In brackets: {OVER_SUBJECTS}."
    )
    columns = [("", name) for name in ("Evaluator", "Kind")]
    columns += [("On clean faces", name) for name in ("balanced accuracy", "100 − EER")]
    columns += [("", name) for name in ("In training", "What it is")]
    title = f"Evaluators: {label(dataset)}"
    name = f"evaluators-{dataset}"
    return Table(name, title, caption, pd.DataFrame(long), columns, rows, heads=2, words=2)


def population_table(people: Population) -> Table:
    """How many faces and subjects of each gender are in each part, and what was left out."""
    rows, long = [], []
    known = [part for part in PARTS if part in set(people.parts["part"])]
    for part in [*known, "all"]:
        faces = people.parts if part == "all" else people.parts[people.parts["part"] == part]
        subjects = faces.drop_duplicates("subject")
        cells, numbers = [PARTS.get(part, "all")], {}
        for what, frame in (("images", faces), ("subjects", subjects)):
            counts = frame["gender"].value_counts()
            for gender in ("female", "male"):
                numbers[f"{what}_{gender}"] = int(counts.get(gender, 0))
                cells.append(f"{counts.get(gender, 0):,}")
            numbers[what] = len(frame)
            cells.append(f"{len(frame):,}")
        rows.append(Row(cells, summary=part == "all"))
        long.append({"population": people.name, "part": part} | numbers)
    left = sum(people.left_out.values())
    reasons = "; ".join(f"{reason} {count:,}" for reason, count in people.left_out.items())
    caption = (
        f"{people.apart} "
        "SAN, its auxiliaries and prototypes, and the mates of face mixing come from the first, "
        "the project's own evaluators from the second, what attackers learn from the third; all "
        "numbers are of the last. Left out: "
        + (f"{left:,} images ({reasons})." if left else "no image.")
    )
    columns = [("Part", "Purpose")]
    columns += [
        (what, name) for what in ("Images", "Subjects") for name in ("female", "male", "all")
    ]
    columns[0] = ("", "Part, by what it is for")
    title = f"Population: {people.title}"
    return Table(f"population-{people.name}", title, caption, pd.DataFrame(long), columns, rows)


def _claimed(parts: Sequence[Part]) -> list[str]:
    """Value and verdict of a part; of several seeds the span of their values."""
    signed = "−" in parts[0].text
    if len(parts) == 1:
        remark = f" ({parts[0].remark})" * bool(parts[0].remark)
        return [percent(parts[0].interval, sign=signed), parts[0].word + remark]
    values = [p.interval.estimate for p in parts if np.isfinite(p.interval.estimate)]
    ends = [percent(Interval(f(values), np.nan, np.nan), signed) for f in (min, max) if values]
    words = Counter(part.word for part in parts)
    told = ", ".join(f"{word} in {count}" for word, count in words.items())
    return [" … ".join(ends) or ABSENT, f"{told} of {len(parts)} seeds"]


def claims_table(found: Sequence[Claim], dataset: str) -> Table | None:
    """Every inequality behind the claims; None where there is none."""
    rows, long = [], []
    for claim in found:
        groups: dict[tuple[str, str], list[Part]] = {}
        for part in claim.parts:
            groups.setdefault((part.text, part.by), []).append(part)
            keys = {"dataset": dataset, "claim": claim.name, "verdict": claim.word}
            keys |= {"text": part.text, "by": part.by, "seed": part.seed}
            keys |= {"word": part.word, "remark": part.remark}
            long.append(keys | flat({"value": part.interval}))
        for (text, by), parts in groups.items():
            rows.append(Row([claim.name, text, by or ABSENT, *_claimed(parts)]))
    if not rows:
        return None
    caption = (
        "In %, differences in percentage points; inverted: each EER or error above 50 % counts as "
        "the one as far below it. Held: the whole 95 % interval is on the claimed side; not held: "
        "none of it is; undecided otherwise. A claim is held where all of its parts are and none "
        "is missing, and not held where one part lies on the other side significantly after a "
        "Bonferroni correction. C6 shows the gain of the best attack; it is not held where that "
        "is significant after a correction for the choice of the attack, and held where the best "
        "in each draw gains "
        f"nothing. {OVER_SUBJECTS}; all files are drawn together, and face mixing is interpolated "
        "anew in each draw. Of several seeds the smallest and the largest value, the CSV has each; "
        "C3 is of their mean, with intervals over seeds and subjects."
    )
    heads = ("Claim", "Number", "Judged by", "Value", "Verdict")
    columns = [("", name) for name in heads]
    title = f"The claims, part by part: {label(dataset)}"
    name = f"claims-{dataset}"
    return Table(name, title, caption, pd.DataFrame(long), columns, rows, heads=3, words=1)
