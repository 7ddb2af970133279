"""Hiding soft-biometric traits: prototypes, semi-adversarial networks and what they are compared
with. Grey faces throughout, float32 (B, 1, S, S) in 0..1; gender 0 female, 1 male."""

from dataclasses import dataclass

from softbio.data.traits import GENDERS

__all__ = ["GENDERS", "LETTERS", "PARTS", "SHARES", "Attribute"]
# What each part of a population is for: SAN with its auxiliaries; the project's own unseen
# evaluators; an attacker who knows the method; the faces that all of them are judged on.
PARTS = ("san", "evaluators", "attacker", "test")
SHARES = (0.4, 0.2, 0.2, 0.2)
# the letter of each attribute in a hide-set, in the order of PrivacyNet's labels
LETTERS = {"g": "gender", "a": "age", "r": "race"}


@dataclass(frozen=True)
class Attribute:
    """name: gender, age or race; values: of its classes, in the order of their numbers. Here, for a
    workflow is planned without pandas."""

    name: str
    values: tuple[str, ...]
