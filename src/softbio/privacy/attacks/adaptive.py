"""The same classifiers, retrained on protected faces of the attacker's own subjects."""

from collections.abc import Iterator

from softbio.privacy.attackers.learning import learn_cnn, learn_hog, read
from softbio.privacy.attacks.base import Attack, Evidence, Scored


def run(evidence: Evidence) -> Iterator[Scored]:
    """A file for each classifier."""
    own = evidence.own
    cnn = learn_cnn(own.protected, own.male, evidence.seed, evidence.device)
    hog = learn_hog(own.protected, own.male)
    for name, reader, clean in (("cnn", cnn, evidence.cnn), ("hog", hog, evidence.hog)):
        title = clean.spec.title
        yield Scored(
            f"adaptive_{name}",
            f"{title} retrained",
            f"{title} trained on the attacker's protected faces instead of clean ones",
            read(reader, evidence.test),
        )


ATTACK = Attack(
    title="Retrained classifiers",
    family="adaptive",
    citation="Hanisch et al.: A false sense of privacy (arXiv:2304.01635)",
    knows="protected faces, in the same mode, of people whose gender he knows",
    run=run,
)
