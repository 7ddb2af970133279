"""How much the classifiers of an ensemble differ on the faces of one condition."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from softbio.engine.device import choose_device
from softbio.errors import UserError
from softbio.files import atomic
from softbio.metrics.diversity import pairs_of
from softbio.privacy.judging.panel import Member, open_auxiliary
from softbio.privacy.judging.score import gender_scores
from softbio.privacy.protected import open_protected
from softbio.results.scores import GenderScores, write_gender

PAIRS = "pairs.csv"


def compared(answers: Sequence[GenderScores]) -> pd.DataFrame:
    """Every pair of classifiers that have judged the same faces, as `metrics.diversity.pairs_of`.

    Raises UserError for a single one, and where a face has not been judged by all.
    """
    if len(answers) < 2:
        raise UserError(f"diversity: {len(answers)} classifier; it is measured between two or more")
    first = answers[0].frame
    for other in answers[1:]:
        if not other.frame["image"].equals(first["image"]):
            raise UserError(f"diversity: {other.about.evaluator} has judged other faces; score all")
    decisions = np.stack([each.frame["score"] >= each.about.threshold for each in answers])
    return pairs_of(decisions, first["label"] == 1)


def measure_diversity(
    condition: Path,
    classifiers: Sequence[Path],
    folder: Path,
    device: str = "auto",
    dataset: str = "",
) -> None:
    """Let the auxiliary classifiers of an ensemble, in order, judge the test faces of a folder of
    `protect_parts`: a score file each, member1.parquet and so on, and pairs.csv.

    dataset: as `open_protected`. Raises UserError for files of anything else, and as `compared`.
    """
    faces, place = open_protected(condition, "test", dataset), choose_device(device)
    answers = []
    for number, path in enumerate(classifiers, start=1):
        name, title = f"member{number}", f"Auxiliary CNN {number}"
        judge = open_auxiliary(path, name, title, "gender")
        judge.network.to(place)
        member = Member(name, title, "gender", judge, seen=True, device=place)
        answers.append(gender_scores(member, faces))
    pairs = compared(answers)
    for each in answers:
        write_gender(folder / f"{each.about.evaluator}.parquet", each)
    with atomic(folder / PAIRS) as part:
        pairs.to_csv(part, index=False)
