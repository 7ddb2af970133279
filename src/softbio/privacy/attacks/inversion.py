"""Undoing a SAN in closed form: its last layer adds the prototype, so who knows it subtracts it.

logit(X'_mode) - logit(X'_SM) = w . (P_mode - P_SM), whatever the face. The gender y of the face,
which decides what P_mode - P_SM is, is not known: both are tried.
"""

from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from softbio.privacy.attackers.learning import learn_cnn, read
from softbio.privacy.attackers.transforms import to_bytes, to_tensor
from softbio.privacy.attacks.base import Attack, Evidence, SanKnowledge, Scored, hypothesis, is_san

# half a grey level: 0 and 255 have no logit
EDGE = 0.5 / 255
GENDERS, MALE = (0, 1), 1
CHUNK = 256


def inverted(faces: Tensor, weights: Tensor, mode: Tensor, same: Tensor) -> Tensor:
    """Faces (B, 1, S, S) in 0..1 in a mode -> what mode SM would have given.

    weights (3,); mode, same: P_mode and P_SM, (B, 3, S, S) or (1, 3, S, S).
    """
    shift = torch.einsum("c,bchw->bhw", weights, mode - same)[:, None]
    return torch.sigmoid(torch.logit(faces, EDGE) - shift)


def inverted_bytes(faces: np.ndarray, male: int, san: SanKnowledge, rows: Tensor) -> np.ndarray:
    """The same of uint8 (N, S, S), were all faces of one gender: uint8 (N, S, S)."""
    done = []
    for start in range(0, len(faces), CHUNK):
        part = slice(start, start + CHUNK)
        given = to_tensor(faces[part]).to(san.source.device)
        y = hypothesis(male, len(given)).to(given.device)
        prototypes = san.source.modes(rows[part], y)
        weights = san.weights.to(given.device)
        face = inverted(given, weights, getattr(prototypes, san.mode), prototypes.sm)
        done.append(to_bytes(face.cpu()))
    return np.concatenate(done)


def run(evidence: Evidence) -> Iterator[Scored]:
    """Read by the classifier of clean faces, and by one that learnt from inverted ones."""
    san, own, title = evidence.san, evidence.own, evidence.cnn.spec.title
    guesses = [inverted_bytes(evidence.test, y, san, san.test_rows) for y in GENDERS]
    yield Scored(
        f"inversion+{evidence.cnn.spec.name}",
        f"{title} after inversion",
        "mean score of what the inversion gives were the face female and were it male, "
        f"by {title} trained on clean faces of others",
        np.mean([read(evidence.cnn, faces) for faces in guesses], axis=0),
    )
    learnt = inverted_bytes(own.protected, MALE, san, san.own_rows)
    reader = learn_cnn(learnt, own.male, evidence.seed, evidence.device)
    yield Scored(
        "adaptive_inversion",
        f"{title} retrained after inversion",
        f"{title} trained on the attacker's protected faces, inverted as if all were male, and "
        "shown the test faces inverted as if all were",
        # it has met no face that was inverted as a female one: their scores would be noise
        read(reader, guesses[MALE]),
    )


ATTACK = Attack(
    title="Closed-form inversion",
    family="inversion",
    citation="softbio; the identity follows from the layers of Mirjalili et al., ICB 2018",
    knows="the weights of SAN's last layer, both prototypes of each face and the mode; "
    "not the gender",
    run=run,
    applies=is_san,
    needs=("san",),
)
