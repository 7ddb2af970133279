"""Made-up scores of two gender classifiers and two matchers, as if of a protector in three modes
and of face mixing: the pattern of the publications, and nothing about any face."""

from zlib import crc32

import numpy as np
import pandas as pd

from softbio.data.pairs import all_pairs, gallery_pairs
from softbio.results.scores import ComparisonAbout, ComparisonScores, GenderAbout, GenderScores
from softbio.statistics.intervals import Judged, judge

SUBJECTS, EACH, CAP = 120, 4, 4000
TITLES = {"g1": "Small ResNet", "g2": "Auxiliary CNN", "m1": "MobileFaceNet", "m2": "ResNet-29"}
PROTECTORS = {"original": "", "san": "SAN", "morph": "Face mixing"}
# (protector, mode) -> distance of the genders' mean scores, of mated and non-mated comparisons
EFFECTS = {
    ("original", ""): (3.4, 4.6),
    ("san", "sm"): (3.0, 4.4),
    ("san", "nt"): (1.6, 4.3),
    ("san", "op"): (0.5, 4.1),
    ("morph", "0.4"): (0.8, 2.4),
}


def images() -> tuple[np.ndarray, np.ndarray]:
    subjects = [f"s{s:03d}" for s in range(SUBJECTS) for _ in range(EACH)]
    names = [f"{s}-{n % EACH}" for n, s in enumerate(subjects)]
    return np.array(names, object), np.array(subjects, object)


def gender(evaluator: str, protector: str, mode: str) -> GenderScores:
    """Female and male halves; the auxiliary classifier is inverted by the OP mode."""
    names, subjects = images()
    generator = np.random.default_rng(crc32(f"{evaluator}{protector}{mode}".encode()))
    labels = np.arange(len(names)) // EACH % 2
    distance = EFFECTS[protector, mode][0]
    if evaluator == "g2" and protector == "san":
        distance = {"sm": 4.5, "nt": 0.2, "op": -3.0}[mode]
    degree = np.repeat(generator.normal(0, 0.6, SUBJECTS), EACH)
    logits = distance * (labels - 0.5) + degree + generator.normal(0, 0.8, len(names))
    frame = pd.DataFrame({"image": names, "subject": subjects, "label": labels})
    about = GenderAbout(
        "lfw", evaluator, protector, mode, 0.5, "higher", title=TITLES[evaluator],
        protector_title=PROTECTORS[protector],
        seen=evaluator == "g2" if protector == "san" else False,
        failed=3 if protector == "morph" else 0,
    )  # fmt: skip
    return GenderScores(about, frame.assign(score=1 / (1 + np.exp(-logits))))


def comparisons(matcher: str, protector: str, mode: str, pairs: str = "all") -> ComparisonScores:
    """Cosine similarities of m1, distances of m2."""
    frame = gallery_pairs(*images()) if pairs == "gallery" else all_pairs(*images(), CAP)
    generator = np.random.default_rng(crc32(f"{matcher}{protector}{mode}".encode()))
    degree = dict(zip(np.unique(images()[1]), generator.normal(0, 0.5, SUBJECTS), strict=True))
    scores = frame["mated"] * EFFECTS[protector, mode][1] + generator.normal(0, 1, len(frame))
    scores += frame["reference_subject"].map(degree) + frame["probe_subject"].map(degree)
    kind = "original-original" if protector == "original" else "protected-original"
    about = ComparisonAbout(
        "lfw", matcher, protector, mode, kind, "distance" if matcher == "m2" else "similarity",
        pairs, title=TITLES[matcher], protector_title=PROTECTORS[protector], seen=False,
    )  # fmt: skip
    return ComparisonScores(about, frame.assign(score=-scores if matcher == "m2" else scores))


def all_gender() -> list[Judged]:
    return [judge(gender(e, *effect), 200) for e in ("g1", "g2") for effect in EFFECTS]


def all_comparisons() -> list[Judged]:
    return [judge(comparisons(m, *effect), 200) for m in ("m1", "m2") for effect in EFFECTS]


def all_identification() -> list[ComparisonScores]:
    return [comparisons(m, *effect, "gallery") for m in ("m1", "m2") for effect in EFFECTS]
