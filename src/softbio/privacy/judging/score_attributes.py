"""What readers of age and race say of one condition's test faces."""

import numpy as np
import pandas as pd

from softbio.errors import UserError
from softbio.privacy import Attribute
from softbio.privacy.attributes import AGE_BOUNDS, AGE_GROUPS, labels_of, values_of
from softbio.privacy.judging.own_attributes import AGE, untold
from softbio.privacy.judging.panel import Member
from softbio.privacy.protected import Protected
from softbio.results.attribute_scores import AttributeAbout, AttributeScores


def attribute_scores(member: Member, faces: Protected) -> AttributeScores:
    """Predicted years or classes, beside the true ones.

    Left out, and counted, are images without a prediction or a label, and those of a value that too
    few test faces have or that the reader does not know. Raises UserError where fewer than
    two values are left.
    """
    everyone, name = np.ones(len(faces.index), bool), member.kind
    if reason := untold(faces.index, everyone, name, "the test faces"):
        raise UserError(reason)
    groups = values_of(faces.index, everyone, name)
    values = AGE_GROUPS if name == AGE else member.evaluator.values
    kept = tuple(value for value in groups if value in values)
    if len(kept) < 2:
        raise UserError(f"it knows fewer than two {name}s of the test faces: {', '.join(values)}")
    predictions = member.answers(faces.images)
    labels = labels_of(faces.index, Attribute(name, values))
    inside = np.isin(labels, [values.index(value) for value in kept]) & np.isfinite(predictions)
    if name == AGE:
        labels = faces.index[AGE].to_numpy(float)
    rows = faces.index[inside]
    frame = pd.DataFrame(
        {
            "image": rows["image"],
            "subject": rows["subject"],
            "label": labels[inside].astype(float),
            "prediction": predictions[inside].astype(float),
        }
    )
    about = AttributeAbout(
        evaluator=member.name,
        attribute=name,
        values=values,
        bounds=tuple(map(float, AGE_BOUNDS)) if name == AGE else (),
        seen=member.seen,
        title=member.title,
        failed=int((~inside).sum()),
        **faces.about,
    )
    return AttributeScores(about, frame.reset_index(drop=True))
