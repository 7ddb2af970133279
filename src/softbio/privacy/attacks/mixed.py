"""One classifier retrained on all modes of a SAN: an attacker who does not know the mode."""

from collections.abc import Iterator

import numpy as np

from softbio.privacy.attackers.learning import learn_cnn, read
from softbio.privacy.attacks.base import Attack, Evidence, Scored, has_modes


def run(evidence: Evidence) -> Iterator[Scored]:
    """One file."""
    names, title = sorted(evidence.modes), evidence.cnn.spec.title
    faces = np.concatenate([evidence.modes[name] for name in names])
    male = np.tile(evidence.own.male, len(names))
    reader = learn_cnn(faces, male, evidence.seed, evidence.device, versions=len(names))
    text = f"{title} trained on the attacker's protected faces in modes {', '.join(names)}"
    scores = read(reader, evidence.test)
    yield Scored("adaptive_mixed", f"{title} retrained on all modes", text, scores)


ATTACK = Attack(
    title="Retrained classifier, all modes",
    family="adaptive",
    citation="Hanisch et al.: A false sense of privacy (arXiv:2304.01635)",
    knows="protected faces, in all modes, of people whose gender he knows; not the mode of a face",
    run=run,
    applies=has_modes,
    needs=("modes",),
)
