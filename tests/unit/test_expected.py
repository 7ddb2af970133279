"""A data set of another size than its authors say is never taken in silence."""

import json
import logging
from dataclasses import asdict, replace

import pandas as pd
import pytest

from softbio.data.expected import differences
from softbio.data.prepare import prepare
from softbio.data.registry import Expected, load_registry, spec_from
from tests.conftest import ROOT
from tests.unit.test_prepare import lenient, own_faces, photo

REGISTRY = ROOT / "config/datasets.yaml"
COUNTS = Expected(images=7701, test=7701, subjects=4281)


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


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, COUNTS),
        ({"source": "/data/lfw", "options": {"folds": 10}}, COUNTS),
        ({"options": {"folds": 1}}, replace(COUNTS, holds=False)),
        (
            {"options": {"folds": 1}, "expected": {"images": 9, "test": 9, "subjects": None}},
            Expected(images=9, test=9),
        ),
    ],
)
def test_expected_holds_for_the_options_it_was_counted_with(change, expected):
    spec = load_registry(REGISTRY, {"lfw": change})["lfw"]
    assert spec.expected == expected
    # as a job of the workflow gets it
    assert spec_from(asdict(spec)).expected == expected


@pytest.mark.parametrize(
    ("name", "change", "silent"),
    [
        ("muct", {}, False),
        ("muct", {"options": {"cameras": "a"}}, True),
        ("muct", {"options": {"cameras": "a"}, "expected": {"images": 751}}, False),
        ("lfw", {"options": {"folds": 1}}, True),
        ("lfw", {"subjects": True}, False),
    ],
)
def test_other_options_are_no_reason_for_a_warning(caplog, name, change, silent):
    spec = load_registry(REGISTRY, {name: change})[name]
    frame = pd.DataFrame({"split": "test", "subject": ["000", "001"]})
    found = differences(spec, frame, "listed")
    assert (found == ()) == (caplog.text == "") == silent


def test_utkface_as_a_population_has_the_images_of_its_lists(caplog):
    spec = load_registry(REGISTRY)["utkface"]
    frame = pd.DataFrame({"split": ["train"] * 13_147 + ["test"] * 3_287, "subject": None})
    assert differences(spec, frame, "listed") == ()
    # each image a subject of its own, as the faces of a population have it
    named = frame.assign(subject=[str(row) for row in frame.index])
    assert differences(spec, named, "listed") == ()
    assert not caplog.text
