"""What an ensemble's outputs, its classifiers' diversity and a series' stages come to."""

from collections.abc import Iterable, Iterator

import numpy as np
import pandas as pd

from softbio.hiding.diversity import NUMBERS
from softbio.hiding.family import (
    AVERAGE,
    BEFORE,
    BEST,
    MEAN,
    RANDOM,
    Ensemble,
    Place,
    Series,
    Track,
    differences,
    ensembles,
    faces_of,
    series,
)
from softbio.hiding.load import NONE, Hiding
from softbio.hiding.verdicts import interval_of
from softbio.results.conditions import BEFORE as UNPROTECTED
from softbio.results.conditions import OVER_SUBJECTS, of_mode
from softbio.results.formats import ABSENT
from softbio.results.labels import in_text, label
from softbio.statistics.means import Interval
from softbio.tables.formats import flat, percent, with_limits
from softbio.tables.layout import Row, Table, extremes

OUTPUTS = {
    BEFORE: UNPROTECTED,
    MEAN: "Mean of the members",
    AVERAGE: "Average of their faces",
    RANDOM: "A random member's face",
    BEST: "Best member, an upper bound",
}
# behind the members' own rows
JOINT = (MEAN, AVERAGE, RANDOM, BEST)
SEEDS = (
    "Number and interval are of the mean over these very seeds, so the interval is narrower than "
    "that side by side, which is for new seeds too; the last column is their span."
)


def _seeds(tracks: Iterable[Track]) -> int:
    return max(len(seeds) for track in tracks for seeds in track.places.values())


def _span(track: Track, place: Place) -> str:
    """Smallest and largest value over seeds, once where they are printed alike; of one seed a
    dash."""
    values = [drawn.estimate for drawn in track.places[place].values()]
    if len(values) < 2:
        return ABSENT
    return extremes(values, lambda value: percent(Interval(value, np.nan, np.nan)))


def _rows_of(track: Track, place: Place, bases: dict[str, Place]) -> Iterator[dict]:
    """For the CSV: a number of each seed and of their mean, and its change from some places."""
    for seed, drawn in track.places[place].items():
        changes = {name: track.change(place, base).get(seed) for name, base in bases.items()}
        yield {"seed": seed} | flat({"value": interval_of(drawn)} | changes)
    changes = {name: track.mean_change(place, base) for name, base in bases.items()}
    yield {"seed": "mean"} | flat({"value": interval_of(track.over_seeds(place))} | changes)


def _places_of(ensemble: Ensemble, track: Track) -> list[str]:
    """Before, members, and what is made of them, as far as they were judged."""
    members = [f"member{k}" for k in range(1, 1 + ensemble.members)]
    known = [place for place in (BEFORE, *members, *JOINT) if track.places.get(place)]
    # what is best of one, or of unknown ones, is nothing
    return [place for place in known if place not in (MEAN, BEST) or track.places[MEAN]]


def output_name(place: str) -> str:
    """As tables and figures print it."""
    return OUTPUTS.get(place) or of_mode("", place).capitalize()


def ensemble_table(hiding: Hiding) -> Table | None:
    """EER of each unseen classifier on each output of an ensemble; None without one."""
    found = ensembles(hiding)
    if not found:
        return None
    several = _seeds(track for each in found for track in each.tracks) > 1
    rows, long = [], []
    for ensemble in found:
        for track in ensemble.tracks:
            for place in _places_of(ensemble, track):
                bases = {"before": BEFORE} if place != BEFORE else {}
                bases |= {"members": MEAN} if place in JOINT and place != MEAN else {}
                changes = [track.mean_change(place, bases[name]) if name in bases else None
                           for name in ("before", "members")]  # fmt: skip
                cells = [ensemble.diversity.upper(), track.by, output_name(place)]
                cells.append(percent(interval_of(track.over_seeds(place))))
                cells += [percent(change, sign=True) for change in changes]
                cells += [_span(track, place)] * several
                rows.append(Row(cells, summary=place == BEST))
                keys = {"dataset": hiding.dataset, "diversity": ensemble.diversity}
                keys |= {"evaluator": track.name, "output": place}
                long += [keys | row for row in _rows_of(track, place, bases)]
    caption = (
        f"EER of gender of unseen classifiers on test images of {in_text(hiding.dataset)}, in %, "
        "differences in percentage points. Members differ by initial weights alone (E1), by random "
        "faces that come twice (E2), by equal numbers of every group (E3). Mean of the members: of "
        "their EERs. Average of their faces: the EER of the face that is the mean of all members' "
        "faces. Best member: the one with the highest EER for this classifier, chosen anew in each "
        "resample; whoever protects a face does not know the attacker's classifier, so this is an "
        f"upper bound, at or above the mean by construction. In brackets: {OVER_SUBJECTS}, all "
        f"outputs drawn together. {SEEDS * several}"
    ).strip()
    heads = ["Ensemble", "Classifier", "Output", "EER", "− before", "− mean of members"]
    columns = [("", name) for name in heads + ["Seeds"] * several]
    title = f"Ensemble, output by output: {label(hiding.dataset)}"
    name = f"ensemble-{hiding.dataset}"
    return Table(name, title, caption, pd.DataFrame(long), columns, rows, heads=3)


def diversity_table(hiding: Hiding) -> Table | None:
    """How much the members' classifiers differ; None where that was not measured."""
    if not hiding.differing:
        return None
    several = len({each.seed for each in hiding.differing}) > 1
    rows, long = [], []
    order = sorted(hiding.differing, key=lambda d: (d.protector != NONE, d.diversity, d.seed))
    for each in order:
        numbers = {name: each.numbers.interval(name) for name in NUMBERS}
        lower = differences(each, order)
        cells = [faces_of(each, hiding), each.diversity.upper()]
        cells += [str(each.seed)] * several
        cells += [str(each.members), *(with_limits(numbers[name], 3) for name in NUMBERS)]
        cells += [with_limits(lower.get(name), 3, sign=True) for name in NUMBERS[:2]]
        rows.append(Row(cells))
        keys = {"dataset": hiding.dataset, "protector": each.protector, "mode": each.mode}
        keys |= {"seed": each.seed, "diversity": each.diversity, "members": each.members}
        long.append(keys | flat(numbers | {f"{n}_minus_e1": lower.get(n) for n in NUMBERS}))
    caption = (
        "The members' auxiliary gender classifiers, means over all pairs, on test images of "
        f"{in_text(hiding.dataset)}: Q-statistic of what both get right (0: independent, 1: the "
        "same faces), Cohen's kappa of their decisions (0: chance, 1: the same), share of faces "
        "decided differently. Lower Q and kappa: more diverse. All ensembles judge the same faces. "
        "An ensemble's faces were made against the classifiers of E3 and not against those of E1 "
        "and E2, so they do not decide which is more diverse; the others were made against none "
        f"of them. In brackets: {OVER_SUBJECTS}, all drawn together."
    )
    heads = ["Faces", "Ensemble", *["Seed"] * several, "Classifiers"]
    columns = [("", name) for name in [*heads, "Q", "kappa", "Disagreement"]]
    columns += [("Minus E1", "Q"), ("Minus E1", "kappa")]
    title = f"Diversity of the ensembles' classifiers: {label(hiding.dataset)}"
    name = f"diversity-{hiding.dataset}"
    frame = pd.DataFrame(long)
    return Table(name, title, caption, frame, columns, rows, heads=2 + several)


def _steps(found: Series, track: Track, what: str, dataset: str, several: bool):
    """Rows of a scorer, printed and long."""
    for k in sorted(track.places):
        if not track.places[k]:
            continue
        bases = {"step": k - 1, "total": 0} if k else {}
        changes = [track.mean_change(k, base) for base in bases.values()] or [None, None]
        cells = [what, track.by, str(k) if k else f"0 ({UNPROTECTED.lower()})"]
        cells.append(percent(interval_of(track.over_seeds(k))))
        cells += [percent(change, sign=True) for change in changes]
        cells += [_span(track, k)] * several
        keys = {"dataset": dataset, "number": what, "scorer": track.name, "stage": k}
        yield Row(cells, summary=k == found.last), [keys | r for r in _rows_of(track, k, bases)]


def series_table(hiding: Hiding) -> Table | None:
    """What each stage of FlowSAN adds and costs; None without one."""
    found = series(hiding)
    if found is None:
        return None
    tracks = [("EER of gender", track) for track in found.gender]
    tracks += [("TMR at FMR 1 %", track) for track in found.matching]
    several = _seeds(track for _, track in tracks) > 1
    rows, long = [], []
    for what, track in tracks:
        for row, numbers in _steps(found, track, what, hiding.dataset, several):
            rows.append(row)
            long += numbers
    caption = (
        f"FlowSAN on test images of {in_text(hiding.dataset)}, stage by stage, in %, differences "
        "in percentage points: EER of unseen gender classifiers, which protection raises, and TMR "
        "at FMR 1 % of unseen matchers, protected probes against originals, which it costs. Step: "
        "minus the stage before; total: minus the originals. A matcher whose TMR is below 50 % or "
        "not known before protection is left out. In brackets: "
        f"{OVER_SUBJECTS}; both sides of a difference are drawn together. {SEEDS * several}"
    ).strip()
    heads = ["Number", "Judged by", "Stages", "Value", "Step", "Total"]
    columns = [("", name) for name in heads + ["Seeds"] * several]
    title = f"FlowSAN, what each stage adds and costs: {label(hiding.dataset)}"
    name = f"flowsan-{hiding.dataset}"
    return Table(name, title, caption, pd.DataFrame(long), columns, rows, heads=3)


def family_tables(hiding: Hiding) -> Iterator[Table | None]:
    """In the report's order; None where there is nothing to show."""
    yield ensemble_table(hiding)
    yield diversity_table(hiding)
    yield series_table(hiding)
