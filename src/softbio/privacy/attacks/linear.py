"""Logistic regression on embeddings: a matcher was made to distinguish people, yet its embeddings
reveal gender, and a few hundred faces are enough to read it."""

from collections.abc import Iterator

from softbio.privacy.attacks.base import Attack, Evidence, Scored

# on standardised embeddings; of 500 photographs it is the best of 1e-4 to 1, clean and blurred
INVERSE_PENALTY = 0.01


def run(evidence: Evidence) -> Iterator[Scored]:
    """Two score files: fitted to protected faces, and to the same faces before protection. The
    second shows what the embeddings alone achieve, without knowing of the protection."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    protected, clean, probes = evidence.embeddings
    title = "Logistic regression on embeddings"
    for name, kind, faces in (("linear", "protected", protected), ("linear_clean", "clean", clean)):
        model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000, class_weight="balanced")
        reader = make_pipeline(StandardScaler(), model).fit(faces, evidence.own.male)
        yield Scored(
            name,
            title if kind == "protected" else f"{title}, {kind} faces",
            f"logistic regression fitted to the attacker's {kind} faces, on "
            f"{evidence.matcher.spec.title}'s embeddings",
            reader.predict_proba(probes)[:, 1],
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
