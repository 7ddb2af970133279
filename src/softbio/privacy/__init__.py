"""Hiding soft-biometric traits: prototypes, semi-adversarial networks and what they are compared
with. Grey faces throughout, float32 (B, 1, S, S) in 0..1; gender 0 female, 1 male."""

from softbio.traits import GENDERS

__all__ = ["GENDERS"]
