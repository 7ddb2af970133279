"""Answers of classifiers whose diversity is measured: those that cannot be compared are refused."""

from dataclasses import replace

import pytest

from softbio.errors import UserError
from softbio.hiding.diversity import read_answers
from softbio.results.scores import write_gender
from tests.report import hidden, related


def test_answers_that_can_not_be_compared_are_told(tmp_path):
    folder = tmp_path / "seed0/none/original"
    place = related.answers(hidden.World(8, 2, 50), folder, 0, "e1")
    scores = read_answers(place)[2]
    write_gender(place / "member3.parquet", replace(scores, frame=scores.frame[1:]))
    with pytest.raises(UserError, match="have judged other faces; measure it again"):
        read_answers(place)
    for k in (2, 3):
        (place / f"member{k}.parquet").unlink()
    with pytest.raises(UserError, match="1 classifiers; diversity is measured between two"):
        read_answers(place)
