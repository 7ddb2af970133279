"""Findings in sentences that are computed from the numbers."""

from collections import Counter
from dataclasses import dataclass, field

import numpy as np

from softbio.results.formats import decimals
from softbio.results.labels import in_text
from softbio.results.names import Names, joined
from softbio.results.records import Records, by_method
from softbio.statistics.contests import Pair, Statistics
from softbio.tables.layout import plus_minus

# Shuffled labels must not beat the constant median by more: else labels leak into the images. A
# little less is chance: the training median is not the best constant of a small test set.
LEAK = 0.1


@dataclass(frozen=True)
class Contest:
    """Methods on one data set and backbone: method -> MAE of each seed, the controls, the
    comparison of each two methods, and the names of the methods."""

    dataset: str
    backbone: str
    mae: dict[str, np.ndarray]
    median: float | None = None
    shuffled: float | None = None
    pairs: tuple[Pair, ...] = ()
    names: Names = field(default_factory=Names)

    @property
    def ranking(self) -> list[str]:
        """Methods by mean, lowest first."""
        return sorted(self.mae, key=lambda method: self.mae[method].mean())

    @property
    def seeds(self) -> int:
        """The largest number of seeds of a method."""
        return max(len(values) for values in self.mae.values())

    @property
    def apart(self) -> bool:
        """Whether the best method is separated from the second-best."""
        return bool(self.first_pair and self.first_pair.separated)

    @property
    def first_pair(self) -> Pair | None:
        """The comparison of the best method with the second-best; None where it is unknown."""
        best = set(self.ranking[:2])
        return next((pair for pair in self.pairs if {pair.a, pair.b} == best), None)


@dataclass(frozen=True)
class Verdict:
    """One sentence, and the findings behind it."""

    headline: str
    findings: list[str]


def contest(records: Records, statistics: Statistics, dataset: str, backbone: str) -> Contest:
    """The runs of one data set and backbone: last epoch, decoded as published."""
    mae = {
        method: records.values(runs, "mae")
        for method, runs in by_method(records.select(dataset, backbone)).items()
    }
    median = records.values(records.select(dataset, "control"), "mae")
    shuffled = records.values(records.select(dataset, backbone, "-shuffled"), "mae")
    return Contest(
        dataset=dataset,
        backbone=backbone,
        mae={method: values for method, values in mae.items() if np.isfinite(values).all()},
        median=float(median.mean()) if len(median) else None,
        shuffled=float(shuffled.mean()) if len(shuffled) else None,
        pairs=tuple(statistics.between(dataset, backbone)),
        names=records.names,
    )


def describe(c: Contest) -> str:
    """The outcome of one contest in one sentence."""
    best = c.ranking[0]
    seeds = len(c.mae[best])
    text = (
        f"On {in_text(c.dataset)} with {in_text(c.backbone)}, {c.names.title(best)} has the lowest "
        f"test MAE: {plus_minus(c.mae[best])} years over {seeds} seed{'s' * (seeds != 1)}"
    )
    if len(c.mae) > 1:
        second = c.ranking[1]
        text += f", ahead of {c.names.title(second)} ({c.mae[second].mean():.2f})"
        if min(seeds, len(c.mae[second])) < 2:
            text += ", a difference that one seed cannot support"
        elif c.apart:
            text += f", from which it is separated ({_limits(c.first_pair)})"
        elif c.first_pair:
            text += f", from which it is not separated ({_limits(c.first_pair)})"
    if c.median is not None:
        text += f"; the constant median scores {c.median:.2f}"
    return text + "."


def _limits(pair: Pair) -> str:
    """The interval of a difference in a sentence: how much lower the better method's MAE is."""
    sign = -1 if pair.total.estimate < 0 else 1
    low, high = sorted((sign * pair.total.low, sign * pair.total.high))
    return f"95 % interval of the difference {decimals(low)} to {decimals(high)} years"


def control_finding(c: Contest) -> str | None:
    """What the controls show about the pipeline."""
    if c.median is None:
        return None
    beaten = [c.names.title(m) for m in c.mae if c.mae[m].mean() >= c.median]
    text = ""
    if beaten:
        text = f"{' and '.join(beaten)} did not beat the constant median. "
    if c.shuffled is not None:
        text += f"Trained on shuffled labels the MAE is {c.shuffled:.2f}"
        if c.shuffled < (1 - LEAK) * c.median:
            text += f", well below the constant median ({c.median:.2f}): look for a leak of labels"
        else:
            text += f", no better than the constant median ({c.median:.2f}) by more than {LEAK:.0%}"
        text += "."
    return text.strip() or None


RULES = {
    "by best validation epoch": ("mae", "best", "published"),
    "decoded by expected value": ("mae", "last", "expected"),
    "by the mean over ages (AMAE)": ("amae", "last", "published"),
}


def other_rules(records: Records, c: Contest) -> str | None:
    """Whether the winner changes with selection, decoding or metric."""
    changed, same = [], []
    runs = by_method(records.select(c.dataset, c.backbone))
    for text, rule in RULES.items():
        means = {m: records.values(runs[m], *rule).mean() for m in c.mae}
        if not np.isfinite(list(means.values())).all():
            continue
        best = min(means, key=means.__getitem__)
        if best == c.ranking[0]:
            same.append(f"{text} ({means[best]:.2f})")
        else:
            changed.append(f"{text} it is {c.names.title(best)} ({means[best]:.2f})")
    if changed:
        return f"The winner depends on the rule: {joined(changed)}."
    if same:
        return f"{c.names.title(c.ranking[0])} is also lowest {joined(same)}."
    return None


def reach_verdict(records: Records, statistics: Statistics) -> Verdict:
    """The verdict of all runs; "separated" is that of `softbio.statistics.contests.RULE`."""
    contests = [
        contest(records, statistics, d, b) for d in records.datasets for b in records.backbones(d)
    ]
    contests = [c for c in contests if c.mae]
    if not contests:
        return Verdict("No trained run has finished yet.", [])
    most = max(c.seeds for c in contests)
    main = [c for c in contests if c.seeds == most]
    headline = describe(main[0]) if len(main) == 1 else overall(contests)
    findings = []
    for c in sorted(contests, key=lambda c: -c.seeds):
        # the headline describes a contest with more seeds than all others
        first = None if main == [c] else describe(c)
        sentences = [first, other_rules(records, c), control_finding(c)]
        findings.append(" ".join(filter(None, sentences)))
    return Verdict(headline, [finding for finding in findings if finding])


def overall(contests: list[Contest]) -> str:
    """The outcome of several contests in one sentence."""
    wins, names = Counter(c.ranking[0] for c in contests), contests[0].names
    best, count = wins.most_common(1)[0]
    pairs = f"{len(contests)} pairs of data set and backbone"
    if count < len(contests):
        others = [f"{names.title(method)} in {n}" for method, n in wins.most_common()[1:]]
        return (
            f"No method wins everywhere: {names.title(best)} has the lowest mean test MAE in "
            f"{count} of {pairs}, {joined(others)}."
        )
    apart = sum(c.apart for c in contests)
    pairs = pairs.replace("2 pairs", "both pairs") if count == 2 else f"all {pairs}"
    text = f"{names.title(best)} has the lowest mean test MAE in {pairs}"
    if apart == 0:
        return text + ", but is never separated from the second-best method."
    where = "each" if apart == count else f"{apart}"
    return text + f"; it is separated from the second-best method in {where} of them."
