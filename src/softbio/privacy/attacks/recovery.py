"""Recovery: an image operation that removes what protection has added, then a classifier that has
only ever seen clean faces."""

import logging
from collections.abc import Iterator

import numpy as np

from softbio.metrics.classification import area, separation
from softbio.privacy.attackers.denoiser import fit_denoiser
from softbio.privacy.attackers.learning import read
from softbio.privacy.attackers.transforms import TRANSFORMS, Transform
from softbio.privacy.attacks.base import Attack, Evidence, Scored

logger = logging.getLogger(__name__)

DENOISER = "denoiser"


def transforms_of(evidence: Evidence) -> dict[str, tuple[str, Transform]]:
    """All of them, with a denoiser trained on the attacker's pairs where protection does
    anything."""
    if np.array_equal(evidence.own.clean, evidence.own.protected):
        return TRANSFORMS
    own = evidence.own
    network = fit_denoiser(own.protected, own.clean, evidence.seed, evidence.device)
    return TRANSFORMS | {DENOISER: ("denoiser", network)}


def run(evidence: Evidence) -> Iterator[Scored]:
    """A file for each transform and classifier; then, for each classifier, of the transform after
    which it reads the attacker's own faces best.

    The denoiser has seen those faces, but has too few weights to remember them.
    """
    own, found = evidence.own, {}
    for name, (title, transform) in transforms_of(evidence).items():
        faces, learnt = transform(evidence.test), transform(own.protected)
        for reader in evidence.readers:
            scores = read(reader, faces)
            known = separation(area(read(reader, learnt), own.male))
            found.setdefault(reader.spec.name, []).append((known, title, scores))
            yield Scored(
                f"recovery_{name}+{reader.spec.name}",
                f"{reader.spec.title} after {title}",
                f"{title}, then {reader.spec.title} trained on clean faces of others",
                scores,
                knowing=name == DENOISER,
            )
    for reader in evidence.readers:
        _, title, scores = max(found[reader.spec.name], key=lambda each: each[0])
        logger.info("%s: best after %s", reader.spec.title, title)
        yield Scored(
            f"recovery_best+{reader.spec.name}",
            f"{reader.spec.title} after the best of these",
            # one sentence for all conditions: which transform it is differs between them
            f"the one of these transforms after which {reader.spec.title}, trained on clean faces "
            "of others, reads the gender of the attacker's own protected faces best",
            scores,
        )


ATTACK = Attack(
    title="Recovery",
    family="recovery",
    citation="Rot, Peer, Štruc: PrivacyProber. IEEE TDSC (arXiv:2211.08864); transforms are ours",
    knows="nothing of the protection, for fixed transforms; for the denoiser, and to choose the "
    "best, faces of his own subjects before and after protection, and their gender",
    run=run,
)
