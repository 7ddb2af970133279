"""All conditions beside each other, over their seeds: what the table, the plane and the sentences
of that section show. Judged by scorers that the training of no protector here has used."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from softbio.hiding.able import matchers
from softbio.hiding.attackers import attacked, level, worst
from softbio.hiding.claim import of_condition
from softbio.hiding.equal_privacy import TMR
from softbio.hiding.load import NONE, Hiding
from softbio.hiding.seeds import (
    SEPARATION,
    averaged,
    cut,
    of_files,
    of_seed,
    over_seeds,
    without_spread,
)
from softbio.hiding.systems import SYSTEMS, hides_gender
from softbio.hiding.verdicts import Draws, draws, folded_draws, folded_interval, joint
from softbio.results.conditions import BEFORE, by_scorer, scorer, unseen
from softbio.results.scores import ORIGINAL
from softbio.results.subjects import shown_in
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval, bootstrap, both, clustered, mean_interval

# of images, and the values that each can have
QUALITY = {"psnr": (0.0, np.inf), "ssim": (-1.0, 1.0)}

# seed -> a mean over scorers, None as seed where the files do not say
BySeed = Mapping[int | None, Draws]


@dataclass(frozen=True)
class Line:
    """One condition over its seeds.

    family, mode: as printed, of `name`; seeds: those it was made in; eer, tmr: by the printed names
    of unseen classifiers and matchers; mean_eer, folded: means over all these classifiers, the
    latter of min(EER, 1 - EER), None where one has not scored it; mean_tmr: over the matchers of
    `SideBySide.heard`; worst: separation by the best of all attackers and unseen classifiers, None
    where no attacker was set on it; psnr in dB, ssim; folded_of (as of `folded_draws`), tmr_of: the
    means over scorers in each seed, drawn together.
    """

    protector: str
    mode: str
    family: str
    name: str
    seeds: tuple[int, ...]
    eer: Mapping[str, Interval]
    mean_eer: Interval | None
    folded: Interval | None
    tmr: Mapping[str, Interval]
    mean_tmr: Interval | None
    worst: Interval | None
    psnr: Interval | None
    ssim: Interval | None
    folded_of: BySeed
    tmr_of: BySeed

    @property
    def detail(self) -> str:
        """The name without the family: "OP", "alpha 0.4"."""
        return self.name.removeprefix(self.family).strip()


@dataclass(frozen=True)
class SideBySide:
    """Lines in the order of the table: before, the family of SAN as it was published, the others.

    classifiers, matchers: printed names; heard: the matchers whose TMR before protection is at
    least `ABLE`; several: whether any condition was made in several seeds.
    """

    lines: tuple[Line, ...]
    classifiers: tuple[str, ...]
    matchers: tuple[str, ...]
    heard: tuple[str, ...]

    @property
    def several(self) -> bool:
        return any(len(line.seeds) > 1 for line in self.lines)

    @property
    def known(self) -> list[Line]:
        """The lines that have both numbers of the plane."""
        return [line for line in self.lines if line.folded and line.mean_tmr]

    @cached_property
    def efficient(self) -> frozenset[str]:
        """Names of the conditions that no other one beats: none has as high a folded EER and as
        high a TMR, one of them higher, by their means."""
        known = self.known
        return frozenset(one.name for one in known if not any(_beats(o, one) for o in known))

    def of(self, protector: str) -> list[Line]:
        """The lines of a family."""
        return [line for line in self.lines if line.protector == protector]


def _beats(other: Line, one: Line) -> bool:
    pairs = [(other.folded, one.folded), (other.mean_tmr, one.mean_tmr)]
    each = [(a.estimate, b.estimate) for a, b in pairs]
    return all(a >= b for a, b in each) and any(a > b for a, b in each)


def _places(hiding: Hiding) -> dict[tuple[str, str], list[int]]:
    """Conditions that stand side by side, in order, with their seeds."""
    order = [NONE, *SYSTEMS]
    order += [c.protector for c in hiding.conditions if c.protector not in order]
    found: dict[tuple[str, str], list[int]] = {}
    for each in sorted(hiding.conditions, key=lambda c: order.index(c.protector)):
        if hides_gender(each.protector, each.mode):
            found.setdefault((each.protector, each.mode), []).append(each.seed)
    return found


def _named(items: Iterable[Judged]) -> dict[str, list[Judged]]:
    """Unseen scorers by their printed names."""
    found = by_scorer(unseen(items))
    return {scorer(same[0].about): same for same in found.values()}


def _all_drawn(
    files: Mapping[str, Mapping[int | None, Judged]], names: Sequence[str], seed: int | None
) -> list[Judged] | None:
    """The file of each scorer for a seed; None where one is lacking or has other subjects."""
    found = of_seed([files[name] for name in names], seed)
    return found if found and joint([each.numbers for each in found]) else None


def _quality(hiding: Hiding, protector: str, mode: str, metric: str) -> Interval | None:
    """Mean over images and seeds; an image equal to its original has no PSNR."""
    frame = hiding.quality
    if frame.empty:
        return None
    own = frame[(frame["protector"] == protector) & (frame["mode"] == mode)]
    own = own[np.isfinite(own[metric].to_numpy(float))]
    if own.empty:
        return None
    images = own.groupby("image", sort=True).agg({metric: "mean", "subject": "first"})
    subjects = shown_in(images.reset_index())
    values = images[metric].to_numpy(float)
    found = bootstrap(clustered(values, subjects), resamples=1000)
    seeds = mean_interval(own.groupby("seed")[metric].mean().to_numpy())
    return cut(both(seeds, found) or found, QUALITY[metric])


def _worst(hiding: Hiding, protector: str, mode: str) -> Interval | None:
    """Separation by whoever separates best, over seeds; chosen anew in each seed and draw."""
    own = [
        each.everyone
        for each in attacked(hiding)
        if (each.about.protector, each.about.mode) == (protector, mode)
    ]
    levels = [worst(files) for files in own]
    if not levels or None in levels or not joint([files[0].numbers for files in own]):
        return None
    if without_spread(levels):
        return level(levels[0], own[0])
    return over_seeds(levels, SEPARATION)


def _means(
    files: Mapping[str, Mapping[int | None, Judged]],
    names: Sequence[str],
    number: str,
    change: Callable[[Draws], Draws] | None = None,
) -> BySeed:
    """Mean of a number over scorers in each seed, empty where one of them lacks a seed or has no
    value in it, such as a TMR of too few comparisons; change: what each number goes through
    before."""
    found = {}
    for seed in dict.fromkeys(s for name in names for s in files[name]):
        own = _all_drawn(files, names, seed)
        if own is None:
            return {}
        each = [draws(i.numbers, number) for i in own]
        if any(np.isnan(drawn.estimate) for drawn in each):
            return {}
        found[seed] = averaged(list(map(change, each)) if change else each)
    return found


def _over(means: BySeed) -> Interval | None:
    return over_seeds(list(means.values())) if means else None


def _line(
    hiding: Hiding,
    place: tuple[str, str],
    seeds: Sequence[int],
    gender: Mapping[str, list[Judged]],
    matching: Mapping[str, list[Judged]],
    heard: Sequence[str],
) -> Line:
    protector, mode = place
    stored = (ORIGINAL, "") if protector == NONE else place
    about = next(c for c in hiding.conditions if (c.protector, c.mode) == place)
    eers, tmrs = (
        {name: of_condition(items, *stored) for name, items in side.items()}
        for side in (gender, matching)
    )
    shown_eer, shown_tmr = (
        {name: of_files(list(files.values()), number) for name, files in side.items() if files}
        for side, number in ((eers, "eer"), (tmrs, TMR))
    )
    made = {s for files in (*eers.values(), *tmrs.values()) for s in files if s is not None}
    inverted, kept = _means(eers, list(eers), "eer", folded_draws), _means(tmrs, heard, TMR)
    mean_folded = _over(inverted)
    return Line(
        protector=protector,
        mode=mode,
        family=BEFORE if protector == NONE else about.title or protector,
        name=about.name,
        seeds=tuple(sorted(made or seeds)),
        eer=shown_eer,
        mean_eer=_over(_means(eers, list(eers), "eer")),
        folded=mean_folded and folded_interval(mean_folded),
        tmr=shown_tmr,
        mean_tmr=_over(kept),
        worst=_worst(hiding, *place),
        psnr=_quality(hiding, *place, "psnr"),
        ssim=_quality(hiding, *place, "ssim"),
        folded_of=inverted,
        tmr_of=kept,
    )


def side_by_side(hiding: Hiding) -> SideBySide | None:
    """All conditions that hide gender, and before; None where fewer than two protectors were
    judged by an unseen classifier and matcher."""
    gender, matching = _named(hiding.gender), _named(hiding.probes)
    places = _places(hiding)
    if not gender or not matching or len({protector for protector, _ in places} - {NONE}) < 2:
        return None
    heard = [scorer(items[0].about) for items in matchers(hiding).able.values()]
    lines = [_line(hiding, place, seeds, gender, matching, heard)
             for place, seeds in places.items()]  # fmt: skip
    return SideBySide(tuple(lines), tuple(gender), tuple(matching), tuple(heard))
