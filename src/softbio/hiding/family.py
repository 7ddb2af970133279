"""The numbers of an ensemble's outputs and of a series' stages, of every scorer and seed.

`load_hiding` draws the subjects of all score files together, so that means over members, the best
member and steps from stage to stage are taken anew in each resample.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from softbio.hiding.able import TMR, matchers
from softbio.hiding.claim import before
from softbio.hiding.diversity import NUMBERS, Differing
from softbio.hiding.load import NONE, Hiding
from softbio.hiding.verdicts import Draws, combined, derived, draws
from softbio.privacy.family import DIVERSITIES, parsed
from softbio.results.conditions import BEFORE as UNPROTECTED
from softbio.results.conditions import by_scorer, of_mode, scorer, scorer_name, unseen
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval

ENSEMBLE, FLOWSAN = "ensemble", "flowsan"
# places of an ensemble beside its members' own modes
BEFORE, MEAN, AVERAGE, RANDOM, BEST = "before", "mean", "average", "random", "best"
Place = int | str
Seed = int | None
Change = Callable[[Draws], Draws]


@dataclass(frozen=True)
class Track:
    """One scorer's number at the outputs of an ensemble, or at the stages of a series.

    by: the scorer as printed, name: as registered; places: place -> seed -> number, drawn.
    """

    by: str
    name: str
    places: Mapping[Place, Mapping[Seed, Draws]]

    def change(self, place: Place, base: Place) -> dict[Seed, Interval]:
        """The number at a place minus that at another, of each seed that has both."""
        one, other = self.places.get(place, {}), self.places.get(base, {})
        return {
            seed: combined(np.subtract, one[seed], other[seed]) for seed in one if seed in other
        }

    def whole(self, place: Place) -> bool:
        """Whether the number is known there in each seed that it is known in anywhere."""
        return set(self.places.get(place, {})) == {s for of in self.places.values() for s in of}

    def over_seeds(self, place: Place) -> Draws:
        """The mean over the seeds."""
        return together(np.mean, list(self.places[place].values()))

    def mean_change(self, place: Place, base: Place) -> Interval | None:
        """The mean over the seeds of `change`; None where no seed has both."""
        one, other = self.places.get(place, {}), self.places.get(base, {})
        both = [seed for seed in one if seed in other]
        if not both:
            return None
        sides = (together(np.mean, [side[seed] for seed in both]) for side in (one, other))
        return combined(np.subtract, *sides)


@dataclass(frozen=True)
class Ensemble:
    """diversity: "e1" to "e3"; members: how many were judged; tracks: of unseen classifiers."""

    diversity: str
    members: int
    tracks: tuple[Track, ...]


@dataclass(frozen=True)
class Series:
    """last: the number of the last stage, 0 being before protection; tracks of unseen classifiers
    (EER) and of unseen matchers (TMR at FMR 1 %)."""

    last: int
    gender: tuple[Track, ...]
    matching: tuple[Track, ...]


def together(function: Callable[..., np.ndarray], parts: Sequence[Draws]) -> Draws:
    """A function such as `np.mean` over several numbers, in each draw."""
    return derived(lambda *values: function(np.stack(values), axis=0), *parts)


def over_scorers(tracks: Sequence[Track], place: Place) -> Draws | None:
    """The mean over scorers of their means over seeds; None where one lacks the place in a seed,
    for the mean there would be over others than elsewhere."""
    if not tracks or not all(track.whole(place) for track in tracks):
        return None
    return together(np.mean, [track.over_seeds(place) for track in tracks])


def _by_seed(
    items: Iterable[Judged], number: str, change: Change | None = None
) -> dict[Seed, Draws]:
    """Without those that have no value, such as a TMR of too few comparisons."""
    found = {item.about.seed: draws(item.numbers, number) for item in items}
    found = {seed: drawn for seed, drawn in found.items() if np.isfinite(drawn.estimate)}
    return {seed: change(drawn) for seed, drawn in found.items()} if change else found


def _before(items: Sequence[Judged], all_of: Sequence[Judged], number: str) -> dict[Seed, Draws]:
    """Of the seeds of some files, the originals' number."""
    pairs = ((item.about.seed, before(item, all_of)) for item in items)
    found = {seed: draws(clean.numbers, number) for seed, clean in pairs if clean}
    return {seed: drawn for seed, drawn in found.items() if np.isfinite(drawn.estimate)}


def _numbered(items: Iterable[Judged], word: str) -> dict[int, list[Judged]]:
    """Files of the modes that are a word and a number, by rising number."""
    found: dict[int, list[Judged]] = {}
    for item in items:
        if match := re.fullmatch(rf"{word}(\d+)", item.about.mode.partition("-")[0]):
            found.setdefault(int(match[1]), []).append(item)
    return dict(sorted(found.items()))


def _outputs(items: Sequence[Judged], own: Sequence[Judged], change: Change | None) -> Track:
    """own: those of the scorer's files `items` that an ensemble made."""
    numbered = _numbered(own, "member")
    members = {k: _by_seed(files, "eer", change) for k, files in numbered.items()}
    places: dict[Place, Mapping[Seed, Draws]] = {BEFORE: _before(own, items, "eer")}
    places |= {f"member{k}": seeds for k, seeds in members.items()}
    whole = [seed for seed in next(iter(members.values()), {})
             if len(members) > 1 and all(seed in seeds for seeds in members.values())]  # fmt: skip
    for place, function in ((MEAN, np.mean), (BEST, np.max)):
        places[place] = {
            seed: together(function, [seeds[seed] for seeds in members.values()]) for seed in whole
        }
    for place in (AVERAGE, RANDOM):
        files = [item for item in own if parsed(item.about.mode)[0] == place]
        places[place] = _by_seed(files, "eer", change)
    return Track(scorer(own[0].about), own[0].about.evaluator, places)


def ensembles(hiding: Hiding, change: Change | None = None) -> list[Ensemble]:
    """Those that unseen classifiers have judged, by diversity; change: what each EER under
    protection goes through, before any mean."""
    found = []
    for diversity in DIVERSITIES:
        tracks, members = [], set()
        for items in by_scorer(unseen(hiding.gender)).values():
            own = [i for i in items if i.about.protector == ENSEMBLE
                   and parsed(i.about.mode)[1] == diversity]  # fmt: skip
            members |= set(_numbered(own, "member"))
            tracks += [_outputs(items, own, change)] if own else []
        if tracks:
            found.append(Ensemble(diversity, len(members), tuple(tracks)))
    return found


def _stages(items: Sequence[Judged], number: str) -> Track | None:
    """Of one scorer; None where no stage has a number."""
    own = [item for item in items if item.about.protector == FLOWSAN]
    if not own:
        return None
    places: dict[Place, Mapping[Seed, Draws]] = {0: _before(own, items, number)}
    places |= {k: _by_seed(files, number) for k, files in _numbered(own, "stage").items()}
    if not any(places.values()):
        return None
    about = own[0].about
    return Track(scorer(about), scorer_name(about), places)


def series(hiding: Hiding) -> Series | None:
    """What unseen scorers make of the stages of FlowSAN; None where no classifier has judged any.

    Matchers compare a protected probe with the original; those that are not able are excluded.
    """
    gender, matching = (
        tuple(
            track for items in by_scorer(unseen(files)).values() if (track := _stages(items, name))
        )
        for files, name in ((hiding.gender, "eer"), (hiding.probes, TMR))
    )
    if not gender:
        return None
    able = matchers(hiding).able
    heard = tuple(track for track in matching if track.name in able)
    return Series(max(max(track.places) for track in gender), gender, heard)


def faces_of(each: Differing, hiding: Hiding) -> str:
    """The printed name of the faces that were judged."""
    known = {(c.protector, c.mode): c.name for c in hiding.conditions}
    default = UNPROTECTED if each.protector == NONE else of_mode(each.protector, each.mode)
    return known.get((each.protector, each.mode), default)


def differences(each: Differing, among: Sequence[Differing]) -> dict[str, Interval]:
    """`NUMBERS` minus those of E1 on the same faces, drawn together; empty without such."""
    base = next(
        (other for other in among if other.diversity == "e1" and other is not each
         and (other.protector, other.mode, other.seed) == (each.protector, each.mode, each.seed)),
        None,
    )  # fmt: skip
    if base is None:
        return {}
    return {
        name: combined(np.subtract, draws(each.numbers, name), draws(base.numbers, name))
        for name in NUMBERS
    }
