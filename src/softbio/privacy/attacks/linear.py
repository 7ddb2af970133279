"""Logistic regression on embeddings: a matcher was made to distinguish people, yet its embeddings
reveal gender, and a few hundred faces are enough to read it."""

from collections.abc import Iterator

from softbio.evaluators.logistic import fit_logistic
from softbio.privacy.attacks.base import Attack, Evidence, Scored

# on standardised embeddings; of 500 photographs it is the best of 1e-4 to 1, clean and blurred
INVERSE_PENALTY = 0.01


def run(evidence: Evidence) -> Iterator[Scored]:
    """Two score files: fitted to protected faces, and to the same faces before protection. The
    second shows what the embeddings alone achieve, without knowing of the protection."""
    from sklearn.preprocessing import StandardScaler

    protected, clean, probes = evidence.embeddings
    title = "Logistic regression on embeddings"
    for name, kind, faces in (("linear", "protected", protected), ("linear_clean", "clean", clean)):
        scaler = StandardScaler().fit(faces.astype(float))
        model = fit_logistic(
            scaler.transform(faces.astype(float)), evidence.own.male, INVERSE_PENALTY
        )
        yield Scored(
            name,
            title if kind == "protected" else f"{title}, {kind} faces",
            f"logistic regression fitted to the attacker's {kind} faces, on "
            f"{evidence.matcher.spec.title}'s embeddings",
            model.predict_proba(scaler.transform(probes.astype(float)))[:, 1],
            knowing=kind == "protected",
        )


ATTACK = Attack(
    title="Logistic regression on embeddings",
    family="embeddings",
    citation="after Terhörst, Fährmann, Damer, Kirchbuchner, Kuijper: Beyond identity: what "
    "information is stored in biometric face templates? IJCB 2020 (arXiv:2009.09918)",
    knows="faces of people of known gender, and a matcher; not the protection",
    run=run,
    needs=("matcher",),
)
