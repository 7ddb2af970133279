"""Logistic regression on embeddings: a matcher that was made to tell faces apart tells gender too,
and a few hundred faces are enough to read it off."""

from collections.abc import Iterator

from softbio.privacy.attacks.base import Attack, Evidence, Scored

# on standardised embeddings; of 500 photographs it is the best of 1e-4 to 1, clean and blurred
INVERSE_PENALTY = 0.01


def run(evidence: Evidence) -> Iterator[Scored]:
    """One score file."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler

    known, probes = evidence.embeddings
    model = LogisticRegression(C=INVERSE_PENALTY, max_iter=1000, class_weight="balanced")
    reader = make_pipeline(StandardScaler(), model).fit(known, evidence.own.male)
    text = (
        "logistic regression fitted to the attacker's protected faces, on "
        f"{evidence.matcher.spec.title}'s embeddings"
    )
    scores = reader.predict_proba(probes)[:, 1]
    yield Scored("linear", "Logistic regression on embeddings", text, scores)


ATTACK = Attack(
    title="Logistic regression on embeddings",
    family="embeddings",
    citation="after Terhörst, Fährmann, Damer, Kirchbuchner, Kuijper: Beyond identity: what "
    "information is stored in biometric face templates? IJCB 2020 (arXiv:2009.09918)",
    knows="protected faces of people whose gender he knows, and a matcher; not the protection",
    run=run,
    needs=("matcher",),
)
