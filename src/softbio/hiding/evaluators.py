"""Who judged: each classifier and matcher with what it is, and how well it does on clean faces."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from softbio.evaluators.registry import EvaluatorSpec
from softbio.hiding.load import ATTACK, Hiding
from softbio.results.conditions import by_scorer
from softbio.results.scores import KINDS, ORIGINAL
from softbio.statistics.intervals import Judged
from softbio.statistics.means import Interval

GENDER, MATCHER = "gender", "matcher"
READ = (GENDER, "age", "race")
SEEN, UNSEEN = "seen", "unseen"


@dataclass(frozen=True)
class Own:
    """An evaluator that this project trains."""

    text: str
    citation: str = ""


OWN = {
    "aux_gender": Own("the network that SAN is trained against, of the same seed"),
    "aux_matcher": Own("the matcher in SAN's loss, of the same seed"),
    "own_cnn": Own("small network trained here on clean faces of other subjects"),
    "own_coral": Own(
        "CORAL-CNN of this benchmark's first half, trained here on clean faces of other subjects",
        "Cao, W., Mirjalili, V. and Raschka, S. (2020). Rank consistent ordinal regression for "
        "neural networks with application to age estimation. Pattern Recognition Letters 140",
    ),
    "own_race": Own("the own CNN's network, trained here on the races of other subjects"),
    "own_matcher": Own("small network trained here on clean faces of other subjects"),
    "hog_linear": Own(
        "histograms of gradients and logistic regression, trained here on clean faces of others",
        "Dalal, N. and Triggs, B. (2005). Histograms of Oriented Gradients for Human Detection. "
        "CVPR",
    ),
}


@dataclass(frozen=True)
class Entry:
    """One evaluator as it is printed.

    training: "seen" where the training of a protector here used it, else "unseen"; clean: what it
    does on unprotected faces, balanced accuracy of a classifier or of age groups, 1 - EER of a
    matcher; reason: why it is absent, else empty.
    """

    name: str
    title: str
    kind: str
    text: str
    licence: str
    citation: str
    training: str
    clean: Interval | None
    reason: str = ""


def _what(name: str, specs: Mapping[str, EvaluatorSpec]) -> tuple[str, str, str]:
    """Text, licence and citation of an evaluator."""
    if name in specs:
        spec = specs[name]
        return spec.provenance, spec.licence, spec.citation
    own = OWN.get(name, Own("not in the registry"))
    return own.text, "as softbio" if name in OWN else "not stated", own.citation


def _complement(interval: Interval) -> Interval:
    return Interval(1 - interval.estimate, 1 - interval.high, 1 - interval.low)


def _entry(
    name: str, items: Sequence[Judged], kind: str, specs: Mapping[str, EvaluatorSpec]
) -> Entry:
    clean = next((item for item in items if item.about.protector == ORIGINAL), None)
    number = "balanced_error" if kind in READ else "eer"
    training = SEEN if any(item.about.seen for item in items) else UNSEEN
    share = clean and _complement(clean.interval(number))
    title = items[0].about.title or name
    return Entry(name, title, kind, *_what(name, specs), training, share)


def evaluators(hiding: Hiding, specs: Mapping[str, EvaluatorSpec]) -> list[Entry]:
    """Those with scores, classifiers first, then those that are absent."""
    probes = [i for i in hiding.verification if i.about.kind != KINDS[2]]
    read = {GENDER: hiding.gender}
    for kind in READ[1:]:
        read[kind] = [i for i in hiding.attributes if i.about.attribute == kind]
    found = [
        _entry(name, items, kind, specs)
        for kind, files in (*read.items(), (MATCHER, probes))
        for name, items in by_scorer(files).items()
    ]
    return found + [
        Entry(each.name, each.title, each.kind, *_what(each.name, specs), "", None, each.reason)
        for each in hiding.absent
        if each.kind != ATTACK
    ]
