"""What an attack is: what its attacker knows and has, and the scores that it gives."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from softbio.evaluators.crop import FRAME
from softbio.evaluators.interface import GenderClassifier, Matcher
from softbio.privacy.prototype_source import PrototypeSource


@dataclass(frozen=True)
class Own:
    """The attacker's subjects: their identity is known, and so is the protection software.

    clean, protected: uint8 (N, S, S), the same faces before and after; male: bool (N,).
    """

    clean: np.ndarray
    protected: np.ndarray
    male: np.ndarray


@dataclass(frozen=True)
class SanKnowledge:
    """What is known of a SAN to an attacker who has it; the gender of the attacked faces is not.

    mode: the one of `san.MODES` that the faces are in; weights: float32 (3,), those of its 1x1
    convolution for the prototype's R, G and B; source, and the rows of the attacker's and of the
    test faces in it, int64: both prototypes of each face.
    """

    mode: str
    weights: Tensor
    source: PrototypeSource
    own_rows: Tensor
    test_rows: Tensor


@dataclass(frozen=True)
class Evidence:
    """What attackers have; nobody has the gender of a test face.

    protector, mode: what the faces went through; own: the attacker's subjects; test: the protected
    faces under attack, uint8 (M, S, S); test_clean: the same before, for attacks that
    separate protected from clean faces and need both.
    cnn, hog: gender classifiers trained on clean faces of others; matcher: of the registry, or the
    own one; None where there is neither.
    All faces show the square `evaluators.crop.FRAME`. seed: of all that is drawn; device: where to
    train.
    san: for one SAN, also a member of an ensemble; modes: for one that has modes, the
    attacker's faces in each, uint8 (N, S, S), in the order of `own`. None and empty where that was
    not given.
    """

    protector: str
    mode: str
    own: Own
    test: np.ndarray
    test_clean: np.ndarray
    cnn: GenderClassifier
    hog: GenderClassifier
    matcher: Matcher | None
    seed: int = 0
    device: str = "auto"
    san: SanKnowledge | None = None
    modes: dict[str, np.ndarray] = field(default_factory=dict)

    @property
    def readers(self) -> tuple[GenderClassifier, ...]:
        """Those of gender, trained on clean faces."""
        return self.cnn, self.hog

    @cached_property
    def embeddings(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The matcher's, of the attacker's protected faces and of the same faces before, float32
        (N, D) each, and of the test faces, (M, D)."""
        faces = self.own.protected, self.own.clean, self.test
        return tuple(self.matcher.embed(each, FRAME) for each in faces)


@dataclass(frozen=True)
class Scored:
    """What an attack gives for the test faces.

    name: of its file; title: as tables print it; text: what was done, in a sentence.
    scores: float (M,), higher = male or, where the attack separates protected from clean faces,
    = protected; then `clean` are the scores, float (M,), of the same faces unprotected.
    threshold: the attacker's own; knowing: whether anything of the protection, or faces that went
    through it, was needed for it.
    """

    name: str
    title: str
    text: str
    scores: np.ndarray
    threshold: float = 0.5
    clean: np.ndarray | None = None
    knowing: bool = True


@dataclass(frozen=True)
class Attack:
    """One way of attack.

    title: as it is printed; family: what ways like it are called together; citation: where it was
    published; knows: what the attacker knows.
    run(evidence): the scores, equal for equal evidence and number of threads.
    applies(protector, mode): whether the attack is one against it; needs: fields of `Evidence` that
    may be empty and must not be.
    """

    title: str
    family: str
    citation: str
    knows: str
    run: Callable[[Evidence], Iterator[Scored]]
    applies: Callable[[str, str], bool] = lambda protector, mode: True
    needs: tuple[str, ...] = ()

    def absent(self, evidence: Evidence) -> str:
        """Why the attack is not mounted; empty where it can be."""
        protection = evidence.protector, evidence.mode
        if not self.applies(*protection):
            if not protects(*protection):
                return "there is no protection to attack"
            return f"is not implemented against {' '.join(protection)}"
        lacking = [need for need in self.needs if not getattr(evidence, need)]
        return f"the attacker was not given: {', '.join(lacking)}" if lacking else ""


def protects(protector: str, mode: str = "") -> bool:
    """Whether a protector does anything at all."""
    return protector != "none"


def has_modes(protector: str, mode: str) -> bool:
    """Whether a protector is the semi-adversarial network by itself, which has three modes."""
    return protector == "san"


def is_san(protector: str, mode: str) -> bool:
    """Whether a face went through one semi-adversarial network: a member of an ensemble and the
    first stage of a series are one, in mode OP. A later stage has the same last layer, but what it
    was given is itself protected: undoing that stage alone is not implemented."""
    member = protector == "ensemble" and mode.startswith("member")
    return has_modes(protector, mode) or member or (protector, mode) == ("flowsan", "stage1")


def rng(evidence: Evidence) -> np.random.Generator:
    """What an attack draws from."""
    return np.random.default_rng(evidence.seed)


def hypothesis(value: int, count: int) -> Tensor:
    """One gender for all: int64 (count,)."""
    return torch.full((count,), value, dtype=torch.int64)
