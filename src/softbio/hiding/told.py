"""What stands side by side, in sentences that follow from its numbers."""

from collections.abc import Iterator, Sequence

import numpy as np

from softbio.hiding.claim import number
from softbio.hiding.load import NONE
from softbio.hiding.seeds import DIFFERENCE, over_seeds
from softbio.hiding.side_by_side import BySeed, Line, SideBySide
from softbio.hiding.systems import SAN, SYSTEMS, representative
from softbio.hiding.verdicts import derived
from softbio.results.names import joined
from softbio.statistics.means import Interval


def representatives(shown: SideBySide) -> list[Line]:
    """The condition that stands for each system of the family, of those there are."""
    found = []
    for system in SYSTEMS:
        lines = {line.mode: line for line in shown.of(system)}
        mode = representative(system, list(lines))
        found += [lines[mode]] if mode is not None else []
    return found


def paired(first: BySeed, second: BySeed) -> Interval | None:
    """The first number minus the second, of the same seeds, drawn together, over these; None where
    they have no seed in common."""
    parts = [derived(np.subtract, first[seed], second[seed]) for seed in first if seed in second]
    return over_seeds(parts, DIFFERENCE) if parts else None


def _side(interval: Interval, more: str, less: str) -> str:
    """Which way a difference goes, where its interval says."""
    if not interval.excludes_zero:
        return ""
    return more if interval.estimate > 0 else less


def _seeds(shown: SideBySide) -> str:
    counts = sorted({len(line.seeds) for line in shown.lines if len(line.seeds) > 1})
    if not counts:
        return "one seed"
    return f"{'–'.join(str(count) for count in dict.fromkeys((counts[0], counts[-1])))} seeds"


def _judges(shown: SideBySide) -> str:
    made = [line for line in shown.lines if line.protector != NONE]
    protectors = len({line.protector for line in made})
    return (
        f"{len(made)} conditions of {protectors} protectors in {_seeds(shown)}, judged by "
        f"{joined(list(shown.classifiers))} (gender) and {joined(list(shown.matchers))} "
        "(matching), none of which the training of a protector has used."
    )


def _spread(shown: SideBySide) -> str:
    """Each system's representative, on both sides of the plane."""
    lines = [line for line in shown.of(NONE) + representatives(shown) if line.folded]
    if len(lines) < 2:
        return ""
    told = "; ".join(
        f"{line.name} {number(line.folded)}"
        + (f", TMR {number(line.mean_tmr)}" if line.mean_tmr else "")
        for line in lines
    )
    return f"In %, mean EER of gender with decisions inverted above 50 %, and TMR: {told}."


def _against_san(line: Line, san: Line) -> str:
    """What a system hides and keeps more or less than SAN, of the same seeds."""
    hidden, kept = paired(line.folded_of, san.folded_of), paired(line.tmr_of, san.tmr_of)
    if hidden is None:
        return ""
    words = _side(hidden, "hides more than", "hides less than")
    words = words or "cannot be shown to hide more or less than"
    text = f"{line.name} {words} {san.name} ({number(hidden, sign=True)} points of EER)"
    if kept is None:
        return f"{text}."
    words = _side(kept, "keeps more matching", "keeps less matching")
    words = words or "cannot be shown to keep more or less matching"
    return f"{text} and {words} ({number(kept, sign=True)} points of TMR)."


def _efficient(shown: SideBySide) -> str:
    found = [line.name for line in shown.lines if line.name in shown.efficient]
    if not found:
        return ""
    text = f"Pareto-optimal by their means: {joined(found)}."
    # of those without a number nobody knows it
    others = len(shown.known) - len(found)
    if not others:
        return text
    who = f"Each of the other {others} conditions" if others > 1 else "The other condition"
    return (
        f"{text} {who} hides less or keeps less matching than one of these, and is better in "
        "neither."
    )


def _attackers(shown: SideBySide) -> str:
    lines = [line for line in shown.lines if line.worst]
    if not lines:
        return ""
    told = "; ".join(f"{line.name} {number(line.worst)}" for line in lines)
    who = "The best of all attackers and unseen classifiers"
    return f"{who} reaches max(AUC, 1 − AUC), in %: {told}."


def sentences(shown: SideBySide | None) -> list[str]:
    """In the order in which they stand on the page; empty where nothing stands side by side."""
    return [text for text in _all(shown) if text] if shown else []


def _all(shown: SideBySide) -> Iterator[str]:
    yield _judges(shown)
    yield _spread(shown)
    first, *others = representatives(shown) or [None]
    if first is not None and first.protector == SAN:
        yield from (_against_san(line, first) for line in others)
    yield _efficient(shown)
    yield _attackers(shown)


def in_short(shown: SideBySide) -> str:
    """What the systems do, for a headline: from before to each system's condition; empty where
    there are fewer than two of them."""
    lines = [line for line in representatives(shown) if line.folded and line.mean_tmr]
    before = next((line for line in shown.of(NONE) if line.folded and line.mean_tmr), None)
    if before is None or len(lines) < 2:
        return ""
    names = joined([line.name for line in lines])
    sides = [_from_to(before, lines, side) for side in ("folded", "mean_tmr")]
    turned = any(line.mean_eer.estimate > line.folded.estimate for line in (before, *lines))
    how = " (decisions inverted where it is above 50 %)" if turned else ""
    return (
        f"over {_seeds(shown)}, {names} take the mean gender EER of unseen classifiers{how} from "
        f"{sides[0]} %, and TMR at FMR 1 % of unseen matchers from {sides[1]} %"
    )


def _from_to(before: Line, lines: Sequence[Line], side: str) -> str:
    """ "4.1 to 9.8, 11.2 and 12.0"."""
    values = [f"{100 * getattr(line, side).estimate:.1f}" for line in (before, *lines)]
    return f"{values[0]} to {joined(values[1:])}"
