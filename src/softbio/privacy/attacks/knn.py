"""Nearest neighbours among embeddings: people who look alike to a matcher share their gender."""

from collections.abc import Iterator

import numpy as np

from softbio.privacy.attacks.base import Attack, Evidence, Scored, rng

K = 5
# Probes at a time: their similarities to all references are sorted, in 24 bytes each.
PROBES = 1024


def balanced(male: np.ndarray, generator: np.random.Generator) -> np.ndarray:
    """Row numbers, ascending, of as many of either gender as the rarer one has; male bool (N,)."""
    sides = [np.flatnonzero(male == value) for value in (False, True)]
    count = min(map(len, sides))
    return np.sort(np.concatenate([generator.permutation(side)[:count] for side in sides]))


def neighbours(
    references: np.ndarray, male: np.ndarray, probes: np.ndarray, k: int = K
) -> np.ndarray:
    """Share of males among the k references nearest by cosine, float (M,).

    references (N, D), male bool (N,), probes (M, D). Equal shares are told apart by the mean
    similarity of the neighbours, males counted positive: it adds at most a quarter of 1 / k.
    """
    known, asked = (
        x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12)
        for x in (references.astype(float), probes.astype(float))
    )
    k, shares = min(k, len(known)), []
    # equal parts: a lone row would be multiplied by another kernel
    for part in np.array_split(asked, max(1, -(-len(asked) // PROBES))):
        similar = part @ known.T
        nearest = np.argsort(-similar, axis=1, kind="stable")[:, :k]
        is_male, near = male[nearest], np.take_along_axis(similar, nearest, axis=1)
        leaning = np.where(is_male, near, -near).mean(axis=1)
        shares.append(is_male.mean(axis=1) + leaning / (4 * k))
    return np.concatenate(shares)


def run(evidence: Evidence) -> Iterator[Scored]:
    """Two score files: among protected faces, and among the same faces before protection. The
    second shows what the embeddings alone achieve, without knowing of the protection."""
    male, title = evidence.own.male, "Nearest neighbours"
    protected, clean, probes = evidence.embeddings
    rows = balanced(male, rng(evidence))
    for name, kind, faces in (("knn", "protected", protected), ("knn_clean", "clean", clean)):
        yield Scored(
            name,
            title if kind == "protected" else f"{title}, {kind} faces",
            f"share of males among the {K} nearest of the attacker's {kind} faces, as many of "
            f"either gender, by the cosine of {evidence.matcher.spec.title}'s embeddings",
            neighbours(faces[rows], male[rows], probes),
            knowing=kind == "protected",
        )


ATTACK = Attack(
    title="Nearest neighbours",
    family="embeddings",
    citation="Osorio-Roig, Rathgeb, Drozdowski, Terhörst, Štruc, Busch: An attack on facial "
    "soft-biometric privacy enhancement. IEEE TBIOM 2022",
    knows="faces of people of known gender, and a matcher; not the protection",
    run=run,
    needs=("matcher",),
)
