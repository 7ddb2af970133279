"""A data set of another size than its authors say is never taken in silence."""

import json
import logging
from dataclasses import replace

import pytest

from softbio.data.prepare import prepare
from softbio.data.registry import Expected
from tests.unit.test_prepare import lenient, own_faces, photo


@pytest.mark.parametrize(
    ("expected", "sentences"),
    [
        (Expected(), []),
        (Expected(images=9, test=3, subjects=4), ["images: 9 expected, 8 packed"]),
        (Expected(images=8, test=1600), ["test images: 1,600 expected, 3 packed"]),
        (Expected(images=8, subjects=5), ["subjects: 5 expected, 4 packed"]),
    ],
)
def test_other_counts_stand_in_the_log_and_on_the_card(tmp_path, caplog, expected, sentences):
    contents = {f"{number}.jpg": photo(number) for number in range(9)} | {"4.jpg": b"no image"}
    spec = replace(lenient(own_faces(tmp_path / "own", contents), 0.2), expected=expected)
    with caplog.at_level(logging.WARNING):
        prepare(spec, 16, tmp_path / "out", tmp_path / "raw")
    card = json.loads((tmp_path / "out/card.json").read_text())
    assert card["differences"] == sentences
    assert (card["reconciled"]["listed"], card["reconciled"]["produced"]) == (9, 8)
    for sentence in sentences:
        assert f"data set 'own': {sentence}" in caplog.text
    # of nine listed images eight are packed: the lists are judged by themselves
    assert ("8 expected, 9 listed" in caplog.text) == (expected.images == 8)
