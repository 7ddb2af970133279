"""Whether a data set has as many images and people as its authors, or its published lists, say."""

import logging

import pandas as pd

from softbio.data.registry import DatasetSpec

log = logging.getLogger(__name__)


def differences(spec: DatasetSpec, frame: pd.DataFrame, what: str) -> tuple[str, ...]:
    """A sentence for each count that is not the entry's `expected`; each is logged as a warning.

    Nothing is compared where a config's options are not the registry's (LFW's `folds`, MUCT's
    `cameras`), because other images are read then than were counted; where a config names
    `expected` too, its counts are compared.
    frame: a row an image, columns split and subject; what: what is counted, such as "listed".
    """
    expected = spec.expected
    if not expected.holds:
        return ()
    subjects = frame["subject"]
    pairs = (
        ("images", expected.images, len(frame)),
        ("test images", expected.test, int((frame["split"] == "test").sum())),
        ("subjects", expected.subjects, 0 if subjects.isna().any() else subjects.nunique()),
    )
    found = tuple(
        f"{name}: {wanted:,} expected, {number:,} {what}"
        for name, wanted, number in pairs
        if wanted is not None and wanted != number
    )
    for sentence in found:
        log.warning("data set '%s': %s", spec.name, sentence)
    return found
