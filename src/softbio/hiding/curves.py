"""Which conditions stand in figures that hold few: more than five curves are not told apart."""

from collections.abc import Iterable
from typing import Any

import numpy as np

from softbio.hiding.load import NONE, Condition, Hiding
from softbio.hiding.selectivity import PRIVACYNET, hide_set
from softbio.hiding.systems import SAN, SYSTEMS, representative
from softbio.results.conditions import MODES, unseen
from softbio.results.scores import ORIGINAL
from softbio.statistics.intervals import Judged

MIXING = "mixing"


def _eer(items: Iterable[Judged], protector: str, mode: str) -> float:
    """Mean EER of a condition over unseen classifiers and seeds, NaN without any."""
    found = [
        i.interval("eer").estimate
        for i in items
        if (i.about.protector, i.about.mode) == (protector, mode)
    ]
    return float(np.mean(found)) if found else float("nan")


def nearest_mixing(hiding: Hiding) -> str | None:
    """The mode of face mixing whose EER, over unseen classifiers, is nearest to SAN OP's; the first
    one where there is no SAN, None without mixing."""
    modes = list(dict.fromkeys(c.mode for c in hiding.conditions if c.protector == MIXING))
    items = unseen(hiding.gender)
    target = _eer(items, SAN, "op")
    away = {mode: abs(_eer(items, MIXING, mode) - target) for mode in modes}
    known = [mode for mode in modes if np.isfinite(away[mode])]
    return min(known, key=away.__getitem__) if known else next(iter(modes), None)


def first_seeds(items: Iterable[Any]) -> list[Any]:
    """Score files of the first seed that each scorer and condition has."""
    first: dict[tuple, int | None] = {}
    found = []
    for item in items:
        about = item.about
        name = getattr(about, "evaluator", None) or about.matcher
        if first.setdefault((name, about.protector, about.mode), about.seed) == about.seed:
            found.append(item)
    return found


def on_curves(hiding: Hiding, items: Iterable[Any]) -> list[Any]:
    """Of those the files before protection, of SAN and of the nearest face mixing."""
    mixing = nearest_mixing(hiding)
    return [
        item
        for item in first_seeds(items)
        if item.about.protector in (ORIGINAL, SAN)
        or (item.about.protector, item.about.mode) == (MIXING, mixing)
    ]


def _of_first_seed(hiding: Hiding) -> list[Condition]:
    seed = min(hiding.seeds, default=0)
    return [c for c in hiding.conditions if c.seed == seed]


def chosen(hiding: Hiding) -> list[Condition]:
    """For the example faces, of the first seed: originals, SAN by mode, the nearest face mixing,
    then one mode of each other protector: the one that stands for a system, else its middle one."""
    own, mixing = _of_first_seed(hiding), nearest_mixing(hiding)
    own += [c for c in hiding.conditions if c.protector not in {c.protector for c in own}]
    order = list(MODES)
    found = [c for c in own if c.protector == NONE][:1]
    san = [c for c in own if c.protector == SAN]
    found += sorted(san, key=lambda c: order.index(c.mode) if c.mode in order else len(order))
    found += [c for c in own if (c.protector, c.mode) == (MIXING, mixing)][:1]
    others = dict.fromkeys(c.protector for c in own if c.protector not in (NONE, SAN, MIXING))
    for protector in others:
        modes = {c.mode: c for c in own if c.protector == protector}
        stands = representative(protector, list(modes)) if protector in SYSTEMS else None
        found.append(modes[stands or list(modes)[len(modes) // 2]])
    return found


def hide_sets(hiding: Hiding) -> list[Condition]:
    """For a grid of their own, of the first seed: originals and every set of attributes that
    PrivacyNet hides, without its ablations; empty where there are fewer than two."""
    own = _of_first_seed(hiding)
    sets = [
        c for c in own if c.protector == PRIVACYNET and not hide_set(PRIVACYNET, c.mode).without
    ]
    return [c for c in own if c.protector == NONE][:1] + sets if len(sets) > 1 else []
