"""The measured effects are differences of means over the same seeds."""

import pytest

from softbio.results.records import load
from softbio.statistics.effects import effects


@pytest.fixture
def found(made) -> dict[str, dict[str, float]]:
    return {e.choice: e.years for e in effects(made.records) if "width 32" in e.place}


def mean(made, **equal) -> float:
    keys = {"selection": "last", "decoding": "published", "variant": "", "metric": "mae"} | equal
    frame = made.records.runs.query("backbone == 'small32'")
    for column, value in keys.items():
        frame = frame[frame[column] == value]
    return frame["value"].mean()


def test_selection_decoding_and_weights(made, found):
    last = mean(made, method="orcnn")
    changes = {
        "Best validation epoch instead of the last": {"selection": "best"},
        "Expected value instead of the published decoding": {"decoding": "expected"},
        "Task importance weights": {"variant": "-weighted"},
    }
    assert set(found) == set(changes)
    for choice, change in changes.items():
        expected = mean(made, method="orcnn", **change) - last
        assert found[choice]["orcnn"] == pytest.approx(expected)
    assert "ce" not in found["Task importance weights"]


def test_other_seeds_are_not_compared(made, tmp_path):
    """A weighted run that lacks a seed has no twin to be compared with."""
    runs = [f for f in made.results.runs if "small32" in f.parts or "control" in f.parts]
    kept = [f for f in runs if not ("orcnn-weighted" in f.parts and f.name == "seed2")]
    found = {e.choice: e.years for e in effects(load(kept))}
    assert set(found["Task importance weights"]) == {"coral"}


def test_the_page_says_them(page):
    text = page.read_text()
    assert "Best validation epoch instead of the last (Drawn faces, Small CNN, width 32)" in text
