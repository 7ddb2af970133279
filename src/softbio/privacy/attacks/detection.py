"""Separating protected from clean faces: an attacker who knows that a face was protected knows
where to look twice, and which of the other attacks to mount."""

from collections.abc import Iterator

import numpy as np

from softbio.evaluators.crop import FRAME
from softbio.evaluators.interface import GenderClassifier
from softbio.evaluators.own import FACE
from softbio.privacy.attackers.learning import learn_cnn, read
from softbio.privacy.attackers.transforms import TRANSFORMS
from softbio.privacy.attacks.base import Attack, Evidence, Scored, protects


def divergence(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """Jeffreys' divergence of two probabilities of the same two classes, float (N,) each: what
    Kullback-Leibler's gives from one to the other and back."""
    p, q = (np.clip(np.asarray(x, float), 1e-6, 1 - 1e-6) for x in (p, q))
    return (p - q) * (np.log(p / (1 - p)) - np.log(q / (1 - q)))


def unscaled(faces: np.ndarray) -> int:
    """The side at which the own CNN sees every pixel: shrunk faces lose the finest traces."""
    return round(faces.shape[1] * FACE.half / FRAME.half)


def run(evidence: Evidence) -> Iterator[Scored]:
    """By a classifier that learns it, and by how unsure blur makes one of gender."""
    own, title = evidence.own, evidence.cnn.spec.title
    faces = np.concatenate([own.clean, own.protected])
    is_protected = np.repeat([False, True], [len(own.clean), len(own.protected)])
    learnt = learn_cnn(
        faces, is_protected, evidence.seed, evidence.device, versions=2, size=unscaled(faces)
    )
    # as large as all that the attacker has
    del faces
    yield Scored(
        "detection",
        "Detection",
        f"the network of {title} trained to separate the attacker's faces after protection from "
        "the same before",
        read(learnt, evidence.test),
        clean=read(learnt, evidence.test_clean),
    )
    levels = [_unsteady(evidence.cnn, part) for part in (own.clean, own.protected)]
    yield Scored(
        "detection_divergence",
        "Detection by divergence",
        f"how far a slight blur moves the answer of {title}, trained on clean faces of others; "
        "its threshold is the median of the attacker's own faces before and after protection",
        _unsteady(evidence.cnn, evidence.test),
        float(np.median(np.concatenate(levels))),
        clean=_unsteady(evidence.cnn, evidence.test_clean),
    )


def _unsteady(reader: GenderClassifier, faces: np.ndarray) -> np.ndarray:
    _, blur = TRANSFORMS["blur"]
    return divergence(*(read(reader, x) for x in (faces, blur(faces))))


ATTACK = Attack(
    title="Detection of protection",
    family="detection",
    citation="after APEND of Rot, Peer, Štruc: PrivacyProber. IEEE TDSC (arXiv:2211.08864)",
    knows="faces of his own subjects before and after protection",
    run=run,
    applies=protects,
)
