"""C4: what an ensemble and a series are said to do, and the sentences of their section.

That the best member for a classifier is at or above the mean of the members holds by construction
and is no claim.
"""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from softbio.hiding.claim import Claim, Part, by_text, decided, each_of, held_of, missing, number
from softbio.hiding.diversity import NUMBERS
from softbio.hiding.family import (
    AVERAGE,
    BEFORE,
    BEST,
    ENSEMBLE,
    MEAN,
    RANDOM,
    Ensemble,
    Place,
    Series,
    Track,
    differences,
    ensembles,
    faces_of,
    over_scorers,
    series,
)
from softbio.hiding.load import NONE, Hiding
from softbio.hiding.verdicts import above, at_least, below, combined, folded_draws, interval_of
from softbio.results.formats import decimals
from softbio.results.names import joined
from softbio.statistics.means import Interval

PRINTED = dict(zip(NUMBERS, ("Q", "kappa", "disagreement"), strict=True))


# an EER beyond 50 % hides no better than one as far below
TURNED = "EER inverted"


def _claim(
    name: str, title: str, sentence: str, parts: Sequence[Part], complete: bool = True
) -> Claim:
    return Claim(name, title, decided(parts, complete), sentence, tuple(parts))


def _parts(
    track: Track, place: Place, base: Place, text: str, decide: Callable[[Interval], str]
) -> Iterator[Part]:
    """One a seed."""
    for seed, found in track.change(place, base).items():
        yield Part(text, track.by, seed, found, decide(found))


def _reach(found: Sequence[Interval]) -> str:
    """A number with its limits, or the smallest and the largest of several."""
    if len(found) == 1:
        return number(found[0], sign=True)
    values = [interval.estimate for interval in found]
    ends = (number(Interval(end(values), np.nan, np.nan), sign=True) for end in (min, max))
    return " to ".join(ends)


def _hiding_better(parts: Sequence[Part]) -> str:
    return (
        "In percentage points of EER, decisions inverted above 50 %: "
        f"{each_of(parts)}. True in {held_of(parts, 'comparisons')}."
    )


def average(hiding: Hiding) -> Claim | None:
    """C4a: the average of an ensemble's faces has at least the mean EER of its members, decisions
    inverted above 50 %."""
    parts = [
        part
        for each in ensembles(hiding, folded_draws)
        for track in each.tracks
        for part in _parts(
            track, AVERAGE, MEAN,
            f"{TURNED}, average {each.diversity.upper()} − mean of its members", at_least,
        )
    ]  # fmt: skip
    title = (
        "The average of an ensemble's faces hides gender from unseen classifiers no worse than its "
        "members do in the mean"
    )
    sentence = _hiding_better(parts)
    return _claim("C4a", title, sentence, parts) if parts else None


def not_falling(hiding: Hiding) -> Claim | None:
    """C4b: from stage to stage of FlowSAN the EER of an unseen classifier does not fall. Where one
    of the stages is not scored it cannot hold."""
    found = series(hiding)
    tracks = found.gender if found else ()
    parts = [
        part
        for track in tracks
        for k in range(1, found.last + 1)
        for part in _parts(track, k, k - 1, f"EER, FlowSAN stage {k} − stage {k - 1}", at_least)
    ]
    title = "From stage to stage of FlowSAN the EER of unseen classifiers does not fall"
    steps = "; ".join(
        f"{text.removeprefix('EER, FlowSAN ')}: {held_of(same, 'comparisons')}"
        for text, same in by_text(parts).items()
    )
    lacking = _unscored(found) if found else []
    sentence = f"Stage 0 is before protection. True in: {steps}.{missing('scores of', lacking)}"
    return _claim("C4b", title, sentence, parts, not lacking) if parts else None


def _unscored(found: Series) -> list[str]:
    """Stages that a classifier has not scored in each of its seeds."""
    every = [(track, set().union(*track.places.values())) for track in found.gender]
    return [
        f"stage {k}"
        for k in range(found.last + 1)
        if any(seeds - set(track.places.get(k, {})) for track, seeds in every)
    ]


def _diverse(parts: Sequence[Part]) -> str:
    """Those of E2 and E3 that were compared, so that a title speaks of no other."""
    return ", ".join(n for n in ("E2", "E3") if any(f"{n} −" in part.text for part in parts))


def more_diverse(hiding: Hiding) -> Claim | None:
    """C4c: classifiers of E2 and E3 have a lower Q and kappa than those of E1.

    An ensemble's faces do not decide: they were made to deceive the classifiers of one of those
    that are compared, which then err together.
    """
    parts = []
    for each in (each for each in hiding.differing if each.protector != ENSEMBLE):
        for name, found in differences(each, hiding.differing).items():
            if name == "disagreement":
                continue
            what = f"{PRINTED[name]}, {each.diversity.upper()} − E1"
            where = f"auxiliary classifiers, {faces_of(each, hiding)}"
            parts.append(Part(what, where, each.seed, found, below(found)))
    said = "; ".join(
        f"{text}: {_reach([part.interval for part in same])}, true in "
        f"{held_of(same, 'comparisons')}"
        for text, same in by_text(parts).items()
    )
    title = (
        f"Classifiers that learnt from resampled faces ({_diverse(parts)}) are more diverse than "
        "those that differ by their initial weights (E1)"
    )
    return _claim("C4c", title, f"In hundredths: {said}.", parts) if parts else None


def diversity_helps(hiding: Hiding) -> Claim | None:
    """C4d: the average of E2 and of E3 has a higher EER than that of E1, decisions
    inverted above 50 %."""
    found = ensembles(hiding, folded_draws)
    by = {each.diversity: {track.name: track for track in each.tracks} for each in found}
    parts = []
    for diversity in ("e2", "e3"):
        for name, track in by.get(diversity, {}).items():
            base = by.get("e1", {}).get(name)
            if base is None:
                continue
            pair = Track(track.by, name, {k: t.places[AVERAGE] for k, t in ((1, track), (0, base))})
            text = f"{TURNED}, average {diversity.upper()} − average E1"
            parts += _parts(pair, 1, 0, text, above)
    title = (
        f"More diverse ensembles ({_diverse(parts)}) hide gender from unseen classifiers better "
        "than E1"
    )
    return _claim("C4d", title, _hiding_better(parts), parts) if parts else None


def family_claims(hiding: Hiding) -> list[Claim]:
    """Those of which there is anything to decide."""
    found = (claim(hiding) for claim in (average, not_falling, more_diverse, diversity_helps))
    return [claim for claim in found if claim is not None]


def _of_ensemble(each: Ensemble) -> str:
    """Means over classifiers and seeds."""
    of = {place: over_scorers(each.tracks, place)
          for place in (BEFORE, MEAN, AVERAGE, RANDOM, BEST)}  # fmt: skip
    told = [
        f"{name} {number(interval_of(of[place]))}"
        for place, name in (
            (BEFORE, "before protection"),
            (MEAN, "a member in the mean"),
            (AVERAGE, "the average of their faces"),
            (RANDOM, "a random member's face"),
        )
        if of[place]
    ]
    text = (
        f"Ensemble {each.diversity.upper()}: mean EER of gender over {len(each.tracks)} unseen "
        f"classifiers, in %: {joined(told)}."
    )
    if of[AVERAGE] and of[MEAN]:
        change = combined(np.subtract, of[AVERAGE], of[MEAN])
        text += f" Averaging instead of taking a member: {number(change, sign=True)} points."
    if of[BEST]:
        text += (
            " If one knew which classifier the attacker uses, the best member for each would reach "
            f"{number(interval_of(of[BEST]))}: an upper bound, and above the mean by construction."
        )
    return text


def _of_series(found: Series) -> str:
    """Means over scorers and seeds, by stages; empty where no mean is complete."""
    text = f"FlowSAN, from no stage to {found.last}:"
    kinds = (
        ("mean EER of gender over", "unseen classifier", found.gender),
        ("mean TMR at FMR 1 % over", "unseen matcher", found.matching),
    )
    told = []
    for what, whom, tracks in kinds:
        levels = [over_scorers(tracks, k) for k in range(found.last + 1)]
        if all(level and np.isfinite(level.estimate) for level in levels):
            known = [number(interval_of(level)) for level in levels]
            told.append(
                f" {what} {len(tracks)} {whom}{'s' * (len(tracks) > 1)}, in %: {', '.join(known)}"
            )
    return text + ";".join(told) + "." if told else ""


def _of_diversity(hiding: Hiding) -> Iterator[str]:
    """The mean Q of each ensemble, by faces."""
    places = dict.fromkeys((d.protector, d.mode) for d in hiding.differing)
    for place in sorted(places, key=lambda place: place[0] != NONE):
        own = [d for d in hiding.differing if (d.protector, d.mode) == place]
        said = []
        for name in sorted({d.diversity for d in own}):
            values = [d.numbers.interval("q").estimate for d in own if d.diversity == name]
            said.append(f"{name.upper()} {decimals(np.mean(values), 3)}")
        faces = "the originals"
        if place[0] != NONE:
            faces = f"faces after {faces_of(own[0], hiding)}"
        yield f"Mean Q of pairs of an ensemble's classifiers, on {faces}: {joined(said)}."


def sentences(hiding: Hiding) -> list[str]:
    """What the section of the family says; empty where there is none of it."""
    found = [_of_ensemble(each) for each in ensembles(hiding)]
    found += _of_diversity(hiding)
    flow = series(hiding)
    told = _of_series(flow) if flow else ""
    return found + ([told] if told else [])
